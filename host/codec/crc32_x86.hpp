// CRC-32 of a fragment header with carry-less multiplication.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fragmend::codec {

/// The CRC-32 (zlib's) of `bytes` <= 64 bytes, at least 4.
using ShortCrc = std::uint32_t (*)(const std::byte* data, std::size_t bytes);

/// Null when this CPU has no PCLMULQDQ. About ten times as fast as zlib's over 59 bytes.
ShortCrc pclmul_crc32();

}  // namespace fragmend::codec
