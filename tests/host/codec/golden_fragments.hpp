// Fragments that the real PyECLib wrote (tests/golden/codec).
#pragma once

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace fragmend::codec {

/// The segment that all golden fragments were made of.
inline std::vector<std::byte> golden_segment() {
    std::vector<std::byte> segment(1029);
    for (std::size_t i = 0; i < 1024; ++i) {
        segment[i] = static_cast<std::byte>(i);
    }
    std::memcpy(segment.data() + 1024, "tail!", 5);
    return segment;
}

/// The `count` fragments of a file, which are of equal length.
inline std::vector<std::vector<std::byte>> golden_fragments(const std::string& file,
                                                            std::size_t count) {
    std::ifstream in(std::string(FRAGMEND_GOLDEN_DIR) + "/" + file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    if (text.empty() || text.size() % count != 0) throw std::runtime_error("bad golden " + file);
    std::vector<std::vector<std::byte>> fragments;
    const std::size_t length = text.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
        const auto* first = reinterpret_cast<const std::byte*>(text.data()) + i * length;
        fragments.emplace_back(first, first + length);
    }
    return fragments;
}

}  // namespace fragmend::codec
