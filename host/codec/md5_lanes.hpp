// Running MD5s of many streams at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "host/base/md5.hpp"
#include "host/codec/md5_kernels.hpp"
#include "kernels/gf/md5_step.hpp"

namespace fragmend::codec {

/// One running MD5: plain data, so that millions may wait between rounds.
struct Md5Stream {
    Md5Words words{
        {gf::md5_initial[0], gf::md5_initial[1], gf::md5_initial[2], gf::md5_initial[3]}};
    std::uint64_t bytes = 0;  ///< Fed so far; the last bytes % 64 of them wait in `tail`.
    std::array<std::uint8_t, gf::md5_block_bytes> tail{};
};

/// Some bytes for one stream.
struct Md5Feed {
    Md5Stream* stream;
    ByteView bytes;
};

/// Adds each feed's bytes to its stream; the streams are distinct. Streams run side by side in the
/// kernel's lanes, in lockstep up to the shortest; where there are more of them than lanes, in
/// turns.
void update(std::span<const Md5Feed> feeds, const Md5Kernel& kernel);

/// The digest of what the stream was fed; the stream itself stays as it is.
Md5Digest finish(const Md5Stream& stream);

}  // namespace fragmend::codec
