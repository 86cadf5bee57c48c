// Range headers: which bytes of an object a client asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fragmend::server {

/// Bytes [begin, end).
struct ByteRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t bytes() const { return end - begin; }
    bool operator==(const ByteRange&) const = default;
};

/// The satisfiable ranges of a header over `length` bytes. Nothing: the header is malformed and
/// plays no part. An empty list: none can be satisfied, or they ask for too much (more than 50,
/// overlapping, or eight out of order). Source: swift.common.swob.Range.
std::optional<std::vector<ByteRange>> ranges_of(std::string_view header, std::uint64_t length);

}  // namespace fragmend::server
