// What the codec's tests share: segments, subsets, and one rebuild in a line.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "host/codec/cpu_codec.hpp"

namespace fragmend::codec {

using Fragments = std::vector<std::vector<std::byte>>;
using Indexes = std::vector<std::uint8_t>;

/// The seed of this run: FRAGMEND_SEED, or the same one every time. Printed for who has to repeat
/// it.
inline std::uint64_t test_seed() {
    static const std::uint64_t seed = [] {
        const char* text = std::getenv("FRAGMEND_SEED");
        const std::uint64_t value = text != nullptr ? std::strtoull(text, nullptr, 10) : 20240607;
        std::cout << "FRAGMEND_SEED=" << value << '\n';
        return value;
    }();
    return seed;
}

inline std::vector<std::byte> random_bytes(std::size_t count, std::mt19937_64& random) {
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) {
        byte = static_cast<std::byte>(random());
    }
    return bytes;
}

/// One item over whole fragments, its output poisoned.
struct OneRebuild {
    OneRebuild(std::shared_ptr<const scheduler::DecodePlan> plan, const Fragments& fragments)
        : output(fragments.front().size(), std::byte{0xa5}) {
        for (std::uint8_t index : plan->survivors()) {
            survivors.emplace_back(fragments[index]);
        }
        item.plan = std::move(plan);
        item.survivors = survivors;
        item.output = output;
    }
    OneRebuild(const OneRebuild&) = delete;
    OneRebuild& operator=(const OneRebuild&) = delete;

    void run(CpuCodec& codec) {
        scheduler::SegmentWork* batch[] = {&item};
        codec.run(batch);
    }

    std::vector<std::byte> output;
    std::vector<ByteView> survivors;
    scheduler::SegmentWork item;
};

}  // namespace fragmend::codec
