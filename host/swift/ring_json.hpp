// The JSON parts of ring files.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/node.hpp"

namespace fragmend::swift {

/// Parses one JSON text. Errors: bad_ring, also above `bytes_max`.
Result<boost::json::value> parse_ring_json(std::string_view text, std::size_t bytes_max);

/// The devices of a JSON list, with nothing for its nulls. Errors: bad_ring.
/// Source: swift.common.ring.Ring._reload for the defaults of old rings.
Result<std::vector<std::optional<Node>>> devices_from_json(const boost::json::value& list);

/// A whole number under `key`; nothing when absent or null. Errors: bad_ring for other types.
Result<std::optional<std::int64_t>> whole_from_json(const boost::json::object& object,
                                                    std::string_view key);

}  // namespace fragmend::swift
