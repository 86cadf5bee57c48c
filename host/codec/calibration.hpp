// Trying an engine beside the CPU on made-up fragments, and timing both.
#pragma once

#include <chrono>

#include "host/codec/cpu_codec.hpp"
#include "host/codec/device.hpp"
#include "host/codec/router.hpp"
#include "kernels/api/engine.hpp"

namespace fragmend::codec {

struct CalibrationLimits {
    std::size_t bytes_max = std::size_t{16} << 20;  ///< Survivor bytes of the largest batch.
    std::chrono::milliseconds wait{5000};           ///< For one batch.
};

/// Runs batches of every field and size on both, survivors' MD5s included. Says why the engine
/// cannot be used (it fails, hangs, or gives other bytes than the CPU), if so. What both took goes
/// to `router` unless that is null.
Trial calibrate(CpuCodec& cpu, kernels::Engine& engine, const CalibrationLimits& limits,
                Router* router);

/// `count` rounds of one scheme over random survivors, of about `bytes` survivor bytes together.
/// Not movable: the items point into it.
class SyntheticRounds {
  public:
    SyntheticRounds(CpuCodec& cpu, const EcScheme& scheme, std::size_t bytes);
    SyntheticRounds(const SyntheticRounds&) = delete;
    SyntheticRounds& operator=(const SyntheticRounds&) = delete;

    std::span<scheduler::SegmentWork*> items() { return pointers_; }
    std::size_t survivor_bytes() const { return survivor_bytes_; }
    const scheduler::DecodePlan& plan() const { return *plan_; }
    /// Forgets outputs and digests.
    void reset(CpuCodec& cpu);
    /// One digest of all outputs and survivors' MD5s; ends the digests.
    Md5Digest summary();

  private:
    std::shared_ptr<const scheduler::DecodePlan> plan_;
    std::size_t survivor_bytes_ = 0;
    std::vector<std::byte> memory_;
    std::vector<std::vector<ByteView>> views_;
    std::vector<ByteSpan> outputs_;
    std::vector<std::unique_ptr<scheduler::SurvivorDigests>> digests_;
    std::vector<scheduler::SegmentWork> items_;
    std::vector<scheduler::SegmentWork*> pointers_;
};

/// A scheme of each field, as the calibration and `fragmend codec bench` use them.
std::span<const EcScheme> calibration_schemes();

}  // namespace fragmend::codec
