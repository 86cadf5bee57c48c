// One whole fragment archive out of others, whatever state those are in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/codec/archive_shape.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::codec {

/// Why an archive is of no use, known before it is read.
struct Unusable {
    std::string why;
    bool damaged;  ///< As in LeftOut.
};

/// One archive that may help. Its bytes do not change while they are read.
struct ArchiveSource {
    std::string name;  ///< For messages.
    ArchiveBytes bytes;
    std::optional<Md5Digest> md5;  ///< What its server announced or its file says, when known.
    std::string object = {};       ///< Which object and version it is of, when known; else empty.
    /// Which fragment its server says it is; of use where it has no header to say so.
    std::optional<std::uint8_t> index = std::nullopt;
    std::optional<Unusable> unusable = std::nullopt;
};

struct ArchiveRequest {
    EcScheme scheme;
    std::uint8_t wanted = 0;
    /// The policy's ec_object_segment_size; the archives' headers say it when unset.
    std::optional<std::uint64_t> segment_bytes = std::nullopt;
};

/// A source that was not used, and why.
struct LeftOut {
    std::size_t source;
    std::string why;
    bool damaged;  ///< It cannot be read, or contradicts itself, its MD5 or the others.
};

struct ArchiveReport {
    std::vector<LeftOut> left_out;
    std::vector<std::uint8_t> survivors;  ///< Fragment indexes that it was computed from.
    std::size_t used = 0;                 ///< How many that is; empty ones may not say which.
    std::size_t spares = 0;               ///< Further ones that agree with them in every byte.
    std::size_t verified = 0;             ///< Of those used: those with a known MD5.
    bool proven = false;  ///< Each of those used is verified or agrees with what others give.
    std::size_t segments = 0;
    std::uint64_t bytes = 0;
    Md5Digest md5{};
};

using ArchiveSink = std::function<Result<void>(ByteView)>;

/// Rebuilds archive `wanted`: leaves out what is damaged, decodes from good survivors, and compares
/// every spare with what they give, segment by segment, before the first byte goes to `sink`.
/// Damage is found by MD5, where it is known; by headers; and by spares. Of the c = s - k spares of
/// an MDS code it takes 2 e + 1 to leave e damaged archives out with certainty enough, and damage
/// of up to c - (c - 1) / 2 archives never goes unnoticed; with 2 e spares the suspects are only
/// named. An archive that cannot be read to its end is left out whenever that shows; what the
/// others gave stands. Memory: 64 MiB, or what one segment takes if that is more. Empty archives
/// give an empty one when k fragments are, and no good archive has bytes. `report` names what was
/// left out also when it fails. Errors: too_few_fragments; bad_fragment (they contradict each other
/// and it cannot be said who is wrong, or the segment size is another); unsupported_scheme;
/// wrong_bytes (a fault of this machine); whatever the sink says.
Result<void> rebuild_archive(scheduler::Codec& codec, const ArchiveRequest& request,
                             std::span<const ArchiveSource> sources, const ArchiveSink& sink,
                             ArchiveReport& report);

}  // namespace fragmend::codec
