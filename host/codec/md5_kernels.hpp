// MD5 compression of many streams side by side, for each kind of CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fragmend::codec {

inline constexpr std::size_t md5_lanes_max = 16;

/// The four words of one running MD5.
struct Md5Words {
    std::uint32_t word[4];
};

/// Compresses `block_count` blocks of 64 bytes into each of `lanes` states; blocks[i] belongs to
/// states[i]. Any alignment; states are distinct.
struct Md5Kernel {
    std::string_view name;
    std::size_t lanes;
    void (*compress)(Md5Words* const* states, const std::uint8_t* const* blocks,
                     std::size_t block_count);
};

/// One stream at a time, anywhere.
extern const Md5Kernel portable_md5;

/// Null when this CPU or this architecture cannot run it.
const Md5Kernel* avx2_md5();
const Md5Kernel* avx512_md5();
const Md5Kernel* neon_md5();

/// All that this CPU can run, the fastest last. `portable_md5` is always the first.
std::span<const Md5Kernel* const> available_md5_kernels();

}  // namespace fragmend::codec
