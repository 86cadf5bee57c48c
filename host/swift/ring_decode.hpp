// From the bytes of a ring file to a ring.
#pragma once

#include <cstddef>
#include <string_view>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "host/swift/ring.hpp"

namespace fragmend::swift {

/// What a ring file may demand of us; far above any real cluster.
struct RingLimits {
    std::size_t unpacked_bytes_max = std::size_t{1} << 30;
    std::size_t json_bytes_max = 64u << 20;
    std::size_t pickle_items_max = 8u << 20;  ///< Version 0: more than 2^20 partitions on 6 rows.
};

/// Reads a whole ring file of version 1 or 2, or the pickle that files had before versions (0); the
/// bytes may be hostile.
/// Errors: bad_ring with the reason.
/// Source: swift.common.ring.RingData.load, deserialize_v1; since 2.36 swift.common.ring.io.
Result<RingPtr> decode_ring(ByteView file, const RingLimits& limits = {});

/// Inflates one gzip or zlib stream; bytes after it are ignored. Errors: bad_ring.
Result<std::string> gunzip(ByteView packed, std::size_t bytes_max);

// The parsers behind `decode_ring`, each for the unpacked bytes of a whole file.
Result<RingParts> parse_ring_v0(std::string_view unpacked, const RingLimits& limits);
Result<RingParts> parse_ring_v1(std::string_view unpacked, const RingLimits& limits);
Result<RingParts> parse_ring_v2(std::string_view unpacked, const RingLimits& limits);

}  // namespace fragmend::swift
