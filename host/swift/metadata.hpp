// The metadata of one on-disk file: what its xattrs hold, as the bytes that travel on the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"

namespace fragmend::swift {

/// Text for nearly everything; a fragment index that a server filled in may be a number.
using MetadataValue = std::variant<std::string, std::int64_t>;

/// The items of one file, in stored order.
/// Keys and values are wire bytes, the raw bytes of the headers they came from. On the disk each of
/// these bytes is one code point in UTF-8 (Python 3 servers) or itself (Python 2); the one
/// exception is `name`, which is stored as it is. `encode_metadata` and `decode_metadata`
/// translate. Keys are title-cased by whoever stored them, and compared byte by byte.
class Metadata {
  public:
    using Item = std::pair<std::string, MetadataValue>;

    const std::vector<Item>& items() const { return items_; }
    bool empty() const { return items_.empty(); }

    const MetadataValue* find(std::string_view key) const;
    bool contains(std::string_view key) const { return find(key) != nullptr; }
    /// The value as text; a number in decimal.
    std::optional<std::string> text(std::string_view key) const;
    /// Errors: bad_metadata when absent or not a timestamp.
    Result<Timestamp> timestamp(std::string_view key) const;

    void set(std::string_view key, MetadataValue value);
    void erase(std::string_view key);

    bool operator==(const Metadata&) const = default;

  private:
    std::vector<Item> items_;
};

std::string to_text(const MetadataValue& value);

/// Each letter after a non-letter upper, the others lower, as Swift stores header names.
std::string title_case(std::string_view name);

/// The pickle of protocol 2 that Swift would store for `metadata`.
/// Source: swift.obj.diskfile.write_metadata, _encode_metadata.
std::string encode_metadata(const Metadata& metadata);

/// Reads a stored pickle of any Swift version. Values that are neither text nor whole numbers are
/// refused. Errors: bad_pickle, bad_metadata.
/// Source: swift.obj.diskfile.read_metadata; the Python 2 mark as in later versions'
/// _read_file_metadata.
Result<Metadata> decode_metadata(std::string_view pickle);

/// True for `X-Object-Sysmeta-<something>` in any case.
bool is_object_sysmeta(std::string_view key);

}  // namespace fragmend::swift
