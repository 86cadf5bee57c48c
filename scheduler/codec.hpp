// The codec as the scheduler sees it: plans, digests and batches of segment work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "host/base/md5.hpp"

namespace fragmend::scheduler {

/// What a storage policy fixes about its code.
struct EcScheme {
    std::string ec_type;  ///< Swift's name, `isa_l_rs_cauchy`.
    int k = 0;            ///< ec_num_data_fragments.
    int m = 0;            ///< ec_num_parity_fragments.

    int n() const { return k + m; }
    auto operator<=>(const EcScheme&) const = default;
};

/// How wanted fragments follow from one ordered set of survivors. Made by a codec, cached and
/// bounded there; immutable, so many items share one.
class DecodePlan {
  public:
    DecodePlan(EcScheme scheme, std::vector<std::uint8_t> survivors,
               std::vector<std::uint8_t> wanted)
        : scheme_(std::move(scheme)),
          survivors_(std::move(survivors)),
          wanted_(std::move(wanted)) {}
    virtual ~DecodePlan() = default;
    const EcScheme& scheme() const { return scheme_; }
    /// Fragment indexes of the survivors, in the order in which items present their bytes.
    const std::vector<std::uint8_t>& survivors() const { return survivors_; }
    /// Fragment indexes of the outputs, in their order.
    const std::vector<std::uint8_t>& wanted() const { return wanted_; }

  private:
    EcScheme scheme_;
    std::vector<std::uint8_t> survivors_;
    std::vector<std::uint8_t> wanted_;
};

/// The running MD5s of one object's survivor archives, one a survivor, fed by `Codec::run`.
/// Owned by the object's rebuild; touched by one batch at a time.
class SurvivorDigests {
  public:
    virtual ~SurvivorDigests() = default;
    /// Ends the stream of survivor `position` (0-based, plan order). Call once, after the last
    /// round.
    virtual Md5Digest finish(std::size_t position) = 0;
};

/// One round of one object: equal-length fragments in, one fragment out for each that is wanted.
/// Shapes:   survivors in plan order, each a whole fragment (80-byte header and payload) of the
/// same
///           length; outputs as the plan's wanted ones, at least one, each of that length and fully
///           written on success, unspecified otherwise.
/// Lifetime: spans and digests live until `Codec::run` returns.
struct SegmentWork {
    std::shared_ptr<const DecodePlan> plan;
    std::span<const ByteView> survivors;
    std::span<const ByteSpan> outputs;
    SurvivorDigests* digests = nullptr;

    std::size_t fragment_bytes() const { return outputs.front().size(); }

    // Filled by the codec.
    std::optional<Error>
        error;         ///< bad_fragment (see culprit), wrong_bytes (compute or memory fault).
    int culprit = -1;  ///< Position of the survivor whose header or length is wrong, or -1.
};

/// Makes plans and does the work of batches. Implemented in host/codec; thread-safe.
class Codec {
  public:
    virtual ~Codec() = default;

    /// Whether this build and the installed library can do `scheme`. Errors: unsupported_scheme.
    virtual Result<void> check(const EcScheme& scheme) = 0;

    /// Bytes of one fragment, header included, of a segment of `segment_bytes` > 0 payload bytes.
    /// Source: liberasurecode get_fragment_size; swift ECStoragePolicy.fragment_size.
    virtual std::size_t fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) = 0;

    /// Bytes of the fragment behind `header` (80 bytes, shorter is bad), header included; nothing
    /// when the header's checksum says that it is damaged.
    virtual std::optional<std::size_t> announced_bytes(ByteView header) = 0;

    /// The survivors to use out of `available` (distinct indexes, preferred first) for `wanted`, in
    /// the order in which a plan wants them; nothing when they do not determine it. MDS codes take
    /// k; a flat XOR code takes what its equations need. A singular set is skipped in favour of
    /// another subset.
    virtual std::optional<std::vector<std::uint8_t>> choose_survivors(
        const EcScheme& scheme, std::span<const std::uint8_t> available, std::uint8_t wanted) = 0;

    /// `wanted`: distinct indexes, at least one. Errors: singular, unsupported_scheme.
    virtual Result<std::shared_ptr<const DecodePlan>> plan(
        const EcScheme& scheme, std::span<const std::uint8_t> survivors,
        std::span<const std::uint8_t> wanted) = 0;
    Result<std::shared_ptr<const DecodePlan>> plan(const EcScheme& scheme,
                                                   std::span<const std::uint8_t> survivors,
                                                   std::uint8_t wanted) {
        return plan(scheme, survivors, std::span(&wanted, 1));
    }

    virtual std::unique_ptr<SurvivorDigests> digests(std::size_t survivor_count) = 0;

    /// Checks headers, feeds digests, decodes and cross-checks every item; blocks the calling
    /// worker. An item that fails says so in itself and never touches another one.
    virtual void run(std::span<SegmentWork*> batch) = 0;
    /// How many callers of `run` may wait for devices at a time: so many workers more than there
    /// are cores keep both busy.
    virtual std::size_t device_waiters() const { return 0; }

    /// Sixteen bytes that differ when the bytes do; only compared with others of the same codec.
    virtual Md5Digest fingerprint(ByteView bytes) {
        Md5 md5;
        md5.update(bytes);
        return md5.finish();
    }
};

}  // namespace fragmend::scheduler
