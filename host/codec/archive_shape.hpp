// How one fragment archive is cut into segments, by its own headers.
#pragma once

#include "host/codec/archive_bytes.hpp"
#include "host/codec/ec_scheme.hpp"

namespace fragmend::codec {

/// A fragment archive is a fragment of each of the object's segments, one after another; all
/// segments but the last are of one length.
struct ArchiveShape {
    std::uint8_t index = 0;  ///< Of its fragments.
    std::size_t segments = 0;
    std::uint64_t segment_bytes = 0;       ///< Of all but the last; of the last when alone.
    std::uint64_t last_segment_bytes = 0;  ///< At most that.

    /// Whether both can be of one object.
    bool same_cut(const ArchiveShape& other) const {
        return segments == other.segments && segment_bytes == other.segment_bytes &&
               last_segment_bytes == other.last_segment_bytes;
    }
};

/// Reads every header, and every payload that carries a CRC. Errors: bad_fragment, with the place
/// of what does not fit `scheme` or the archive's other fragments; what reading says.
Result<ArchiveShape> read_archive_shape(const EcScheme& scheme, const ArchiveBytes& archive);

}  // namespace fragmend::codec
