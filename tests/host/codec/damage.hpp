// Damage as disks, memories and people do it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

#include "host/codec/fragment_header.hpp"

namespace fragmend::codec {

/// The whole number of cases with FRAGMEND_FULL=1, a sample without.
inline std::size_t sampled(std::size_t whole, std::size_t sample) {
    const char* text = std::getenv("FRAGMEND_FULL");
    return text != nullptr && text[0] == '1' ? whole : sample;
}

/// A flipped, cut, doubled, zeroed or swapped byte (or run of bytes) at one of the places that
/// matter: each header field, both ends of payloads and archive, segment boundaries, anywhere.
inline void damage_somewhere(std::vector<std::byte>& archive, std::size_t fragment_bytes,
                             std::mt19937_64& random) {
    constexpr std::size_t fields[] = {0, 4, 8, 12, 20, 21, 53, 54, 55, 59, 63, 67, 70};
    const std::size_t segment = random() % ((archive.size() + fragment_bytes - 1) / fragment_bytes);
    const std::size_t start = segment * fragment_bytes;
    const std::size_t end = std::min(start + fragment_bytes, archive.size());
    std::size_t at = 0;
    switch (random() % 6) {
        case 0:
            at = start + fields[random() % std::size(fields)];
            break;
        case 1:
            at = start + fragment_header_bytes;
            break;
        case 2:
            at = end - 1;
            break;
        case 3:
            at = archive.size() - 1;
            break;
        case 4:
            at = start;
            break;
        default:
            at = random() % archive.size();
    }
    at = std::min(at, archive.size() - 1);
    const auto here = archive.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t run =
        random() % 4 == 0 ? std::min(std::size_t{1} << random() % 8, archive.size() - at) : 1;
    const auto run_end = here + static_cast<std::ptrdiff_t>(run);
    switch (random() % 5) {
        case 0:
            *here ^= static_cast<std::byte>(1u << random() % 8);
            break;
        case 1:
            archive.erase(here, random() % 2 == 0 ? archive.end() : run_end);
            break;
        case 2: {
            const std::vector<std::byte> copy(here, run_end);
            archive.insert(here, copy.begin(), copy.end());
            break;
        }
        case 3:
            std::fill(here, run_end, std::byte{0});
            break;
        default:
            std::iter_swap(
                here, archive.begin() + static_cast<std::ptrdiff_t>(random() % archive.size()));
    }
}

}  // namespace fragmend::codec
