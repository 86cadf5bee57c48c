// A codec for simulated fragments that notes what was verified, and that can fail like a GPU.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "scheduler/codec.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/objects.hpp"

namespace fragmend::sim {

/// What the codec saw of one attempt to rebuild one fragment: the evidence for a commit.
struct Evidence {
    std::size_t survivors = 0;
    std::set<std::uint8_t> good;  ///< Indexes whose whole archive had its true MD5.
    std::set<std::uint8_t> bad;
    bool whole() const { return bad.empty() && good.size() == survivors; }
};

class SimCodec final : public scheduler::Codec {
  public:
    explicit SimCodec(Truth& truth) : truth_(truth) {}

    Result<void> check(const scheduler::EcScheme&) override { return {}; }
    std::size_t fragment_bytes(const scheduler::EcScheme& scheme,
                               std::size_t segment_bytes) override;
    std::optional<std::size_t> announced_bytes(ByteView header) override;
    std::optional<std::vector<std::uint8_t>> choose_survivors(
        const scheduler::EcScheme& scheme, std::span<const std::uint8_t> available,
        std::uint8_t wanted) override;
    using Codec::plan;
    Result<std::shared_ptr<const scheduler::DecodePlan>> plan(
        const scheduler::EcScheme& scheme, std::span<const std::uint8_t> survivors,
        std::span<const std::uint8_t> wanted) override;
    std::unique_ptr<scheduler::SurvivorDigests> digests(std::size_t survivor_count) override;
    void run(std::span<scheduler::SegmentWork*> batch) override;

    /// Of the last attempt, by seed of the version and wanted index; nothing before its end.
    const Evidence* evidence(std::uint64_t seed, std::uint8_t wanted) const;

    /// The engine is lost: batches fail as a whole, their outputs are rubbish.
    bool lost = false;
    /// Of a hundred items so many come out wrong, and the cross-check says so.
    unsigned wrong_percent = 0;
    Dice dice{0};

  private:
    class Digests;
    Truth& truth_;
    std::map<std::pair<std::uint64_t, std::uint8_t>, Evidence> evidence_;
};

}  // namespace fragmend::sim
