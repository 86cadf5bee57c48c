// Decode plans that the installed liberasurecode runs itself.
#pragma once

#include <memory>
#include <vector>

#include "host/codec/fragment_plan.hpp"
#include "host/codec/library.hpp"

namespace fragmend::codec {

/// One scheme as the installed library does it: an instance, and one small segment that it encoded,
/// on which every plan is tried out. Made once a scheme, shared by its plans. Immutable.
class LibraryScheme {
  public:
    /// Errors: unsupported_scheme, also when the library cuts segments unlike `payload_bytes`.
    static Result<std::shared_ptr<const LibraryScheme>> make(const EcScheme& scheme);

    const EcScheme& scheme() const { return scheme_; }
    /// With the version that the library itself writes into headers.
    const BackEnd& back_end() const { return back_end_; }
    const LibraryInstance& instance() const { return instance_; }
    /// The whole fragments of the small segment.
    const std::vector<std::vector<std::byte>>& sample() const { return sample_; }

    /// Whether `rebuilt` is the sample's fragment `index`, but for the writer's version and the
    /// CRC. Errors: wrong_bytes.
    Result<void> compare(ByteView rebuilt, std::uint8_t index) const;
    /// Whether the library rebuilds the sample's fragment `wanted` out of these of its others.
    bool rebuilds(std::span<const std::uint8_t> survivors, std::uint8_t wanted) const;

  private:
    LibraryScheme(EcScheme scheme, const BackEnd& back_end, const LibraryInstance& instance,
                  std::vector<std::vector<std::byte>> sample)
        : scheme_(std::move(scheme)),
          back_end_(back_end),
          instance_(instance),
          sample_(std::move(sample)) {}

    EcScheme scheme_;
    BackEnd back_end_;
    LibraryInstance instance_;
    std::vector<std::vector<std::byte>> sample_;
};

/// Calls the library twice an output: for itself, and for the survivor that is checked. What the
/// library does depends on the indexes alone, so a plan exists only where it gave the true bytes of
/// the sample: success with wrong bytes is `singular` here.
class LibraryPlan final : public FragmentPlan {
  public:
    /// Errors: singular.
    static Result<std::shared_ptr<const LibraryPlan>> make(
        std::shared_ptr<const LibraryScheme> library, std::span<const std::uint8_t> survivors,
        std::span<const std::uint8_t> wanted);

    Result<void> rebuild(const scheduler::SegmentWork& item, std::uint32_t turn,
                         DecodeScratch& scratch) const override;

  private:
    LibraryPlan(std::shared_ptr<const LibraryScheme> library, std::vector<std::uint8_t> survivors,
                std::vector<std::uint8_t> wanted, std::vector<std::vector<std::uint8_t>> used)
        : FragmentPlan(library->scheme(), std::move(survivors), std::move(wanted),
                       library->back_end(), std::move(used)),
          library_(std::move(library)) {}

    std::shared_ptr<const LibraryScheme>
        library_;  ///< With the codec and the scheme's other plans.
};

}  // namespace fragmend::codec
