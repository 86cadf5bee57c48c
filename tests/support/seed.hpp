// The seed of a random test: printed, and taken from FRAGMEND_SEED to repeat a run.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace fragmend::test {

inline std::uint64_t seed() {
    const char* given = std::getenv("FRAGMEND_SEED");
    const std::uint64_t value =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "FRAGMEND_SEED=" << value << "\n";
    return value;
}

}  // namespace fragmend::test
