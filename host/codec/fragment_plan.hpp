// A decode plan as the codec runs it on CPU threads, whoever computes the bytes.
#pragma once

#include <vector>

#include "host/codec/ec_scheme.hpp"

namespace fragmend::codec {

/// One survivor's bytes computed back, kept by each thread from item to item.
struct DecodeScratch {
    std::vector<const std::uint8_t*> inputs;
    std::vector<std::byte> rederived;
};

/// Made by `CpuCodec::plan`, immutable, shared with the scheduler's items. The codec checks headers
/// and digests before `rebuild` and writes the output's header after it.
class FragmentPlan : public scheduler::DecodePlan {
  public:
    const BackEnd& back_end() const { return back_end_; }
    /// Positions of the survivors that output `output` depends on, at least one.
    std::span<const std::uint8_t> used(std::size_t output) const { return used_[output]; }
    /// The place in `used(output)` of the survivor that is checked when it is `turn`'s turn.
    std::size_t checked(std::size_t output, std::uint32_t turn) const {
        return turn % used_[output].size();
    }

    /// Fills the outputs' payloads; for each computes survivor used(o)[checked(o, turn)] back from
    /// the output and the other survivors, and compares. Errors: wrong_bytes; bad_fragment, naming
    /// nobody, where liberasurecode itself refuses.
    virtual Result<void> rebuild(const scheduler::SegmentWork& item, std::uint32_t turn,
                                 DecodeScratch& scratch) const = 0;

  protected:
    FragmentPlan(EcScheme scheme, std::vector<std::uint8_t> survivors,
                 std::vector<std::uint8_t> wanted, const BackEnd& back_end,
                 std::vector<std::vector<std::uint8_t>> used)
        : DecodePlan(std::move(scheme), std::move(survivors), std::move(wanted)),
          back_end_(back_end),
          used_(std::move(used)) {}

    Error does_not_give_back(std::size_t output, std::size_t checked) const {
        return {errc::wrong_bytes, "fragment " + std::to_string(wanted()[output]) +
                                       " does not give back survivor " +
                                       std::to_string(survivors()[used_[output][checked]])};
    }

  private:
    BackEnd back_end_;
    std::vector<std::vector<std::uint8_t>> used_;  ///< One an output.
};

/// Errors: singular, when nothing is wanted, or an index is unknown or comes twice.
Result<void> check_indexes(const EcScheme& scheme, std::span<const std::uint8_t> survivors,
                           std::span<const std::uint8_t> wanted);

}  // namespace fragmend::codec
