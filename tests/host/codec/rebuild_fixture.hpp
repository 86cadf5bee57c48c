// What the codec's tests share: segments, subsets, and one rebuild in a line.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
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
        : outputs(plan->wanted().size(),
                  std::vector<std::byte>(fragments.front().size(), std::byte{0xa5})),
          output(outputs.front()),
          into(outputs.begin(), outputs.end()) {
        for (std::uint8_t index : plan->survivors()) {
            survivors.emplace_back(fragments[index]);
        }
        item.plan = std::move(plan);
        item.survivors = survivors;
        item.outputs = into;
    }
    OneRebuild(const OneRebuild&) = delete;
    OneRebuild& operator=(const OneRebuild&) = delete;

    void run(CpuCodec& codec) {
        scheduler::SegmentWork* batch[] = {&item};
        codec.run(batch);
    }

    Fragments outputs;
    std::vector<std::byte>& output;  ///< The first one.
    std::vector<ByteSpan> into;      ///< Where each goes.
    std::vector<ByteView> survivors;
    scheduler::SegmentWork item;
};

/// Whole fragments of one random segment, by the library that every installation has, or, for other
/// schemes, by rebuilding parities from data fragments.
inline Fragments encode(CpuCodec& codec, const EcScheme& scheme, std::size_t bytes,
                        std::mt19937_64& random) {
    const BackEnd& back_end = *find_back_end(scheme.ec_type).value();
    const std::size_t payload = payload_bytes(back_end, scheme.k, bytes);
    Fragments fragments;
    Indexes data(static_cast<std::size_t>(scheme.k));
    std::iota(data.begin(), data.end(), std::uint8_t{0});
    for (std::uint8_t index : data) {
        std::vector<std::byte>& fragment =
            fragments.emplace_back(random_bytes(fragment_header_bytes + payload, random));
        FragmentHeader header;
        header.index = index;
        header.payload_bytes = static_cast<std::uint32_t>(payload);
        header.segment_bytes = bytes;
        header.backend_id = back_end.id;
        header.backend_version = back_end.version;
        header.library_version = library_version();
        write_fragment_header(header, CrcForm::standard,
                              std::span(fragment).first<fragment_header_bytes>());
    }
    for (int parity = scheme.k; parity < scheme.n(); ++parity) {
        const auto wanted = static_cast<std::uint8_t>(parity);
        const auto survivors = codec.choose_survivors(scheme, data, wanted).value();
        OneRebuild rebuild(codec.plan(scheme, survivors, wanted).value(), fragments);
        rebuild.run(codec);
        if (rebuild.item.error) throw std::runtime_error(rebuild.item.error->detail);
        fragments.push_back(rebuild.output);
    }
    return fragments;
}

}  // namespace fragmend::codec
