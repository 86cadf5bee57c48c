// Bytes of simulated fragments.
#include "tests/sim/objects.hpp"

#include <algorithm>
#include <cstring>

#include "tests/sim/dice.hpp"

namespace fragmend::sim {
namespace {

constexpr std::uint32_t magic = 0x0b0c5ecc;
constexpr std::size_t size_at = 4, seed_at = 8, sum_at = 16, magic_at = 59;

std::uint32_t sum_of(const char* at) {
    std::uint32_t sum = 17;
    for (std::size_t i = 0; i < sum_at; ++i)
        sum = sum * 31 + static_cast<unsigned char>(at[i]);
    return sum;
}

}  // namespace

void put_header(char* at, std::uint64_t seed, std::uint8_t index, std::size_t piece_bytes) {
    std::memset(at, 0, header_bytes);
    const std::uint32_t number = index;
    const auto size = static_cast<std::uint32_t>(piece_bytes - header_bytes);
    std::memcpy(at, &number, sizeof number);
    std::memcpy(at + size_at, &size, sizeof size);
    std::memcpy(at + seed_at, &seed, sizeof seed);
    const std::uint32_t sum = sum_of(at);
    std::memcpy(at + sum_at, &sum, sizeof sum);
    std::memcpy(at + magic_at, &magic, sizeof magic);
}

bool is_good_header(const char* at, std::uint8_t index, std::size_t piece_bytes) {
    char expected[header_bytes];
    put_header(expected, seed_of_header(at), index, piece_bytes);
    return std::memcmp(at, expected, magic_at + sizeof magic) == 0;
}

std::optional<std::size_t> announced_piece(const char* at) {
    std::uint32_t index = 0, payload_bytes = 0;
    std::memcpy(&index, at, sizeof index);
    std::memcpy(&payload_bytes, at + size_at, sizeof payload_bytes);
    const std::size_t piece_bytes = header_bytes + payload_bytes;
    if (!is_good_header(at, static_cast<std::uint8_t>(index), piece_bytes)) return std::nullopt;
    return piece_bytes;
}

std::uint64_t seed_of_header(const char* at) {
    std::uint64_t seed = 0;
    std::memcpy(&seed, at + seed_at, sizeof seed);
    return seed;
}

char mask_of(std::uint8_t index) {
    return static_cast<char>(index * 37 + 11);
}

Fragment make_fragment(const Version& version, std::uint8_t index) {
    Fragment fragment;
    fragment.bytes.resize(static_cast<std::size_t>(version.archive_bytes));
    Dice base(version.seed);
    const std::uint64_t masks = 0x0101010101010101u * static_cast<unsigned char>(mask_of(index));
    for (std::size_t start = 0; start < fragment.bytes.size(); start += version.piece_bytes) {
        const std::size_t piece = std::min(version.piece_bytes, fragment.bytes.size() - start);
        put_header(fragment.bytes.data() + start, version.seed, index, piece);
        for (std::size_t i = header_bytes; i < piece; i += 8) {
            const std::uint64_t word = base.next() ^ masks;
            std::memcpy(fragment.bytes.data() + start + i, &word,
                        std::min<std::size_t>(8, piece - i));
        }
    }
    fragment.md5 = md5_hex(fragment.bytes);
    return fragment;
}

}  // namespace fragmend::sim
