// Walking from header to header.
#include "host/codec/archive_shape.hpp"

#include <algorithm>

#include "host/codec/fragment_header.hpp"

namespace fragmend::codec {
namespace {

Error bad(std::size_t at, const std::string& why) {
    return {errc::bad_fragment, "at byte " + std::to_string(at) + ": " + why};
}

/// One fragment by itself; its header.
Result<FragmentHeader> check_fragment(const EcScheme& scheme, const BackEnd& back_end,
                                      ByteView archive, std::size_t at) {
    const ByteView rest = archive.subspan(at);
    const auto header = check_fragment_metadata(rest);
    if (!header) return bad(at, header.error().detail);
    if (header->swapped) return bad(at, "written on a machine of the other byte order");
    if (header->backend_id != back_end.id) return bad(at, "written by another erasure code");
    if (header->backend_metadata_bytes != 0) return bad(at, "carries back-end metadata");
    if (header->index >= static_cast<std::uint32_t>(scheme.n())) {
        return bad(at, "fragment " + std::to_string(header->index) + " of " + to_string(scheme));
    }
    if (header->segment_bytes == 0 ||
        payload_bytes(back_end, scheme.k, header->segment_bytes) != header->payload_bytes) {
        return bad(at, "its length does not fit its segment's under " + to_string(scheme));
    }
    if (header->payload_bytes > rest.size() - fragment_header_bytes) {
        return bad(at, "the archive ends within this fragment");
    }
    return header;
}

}  // namespace

Result<ArchiveShape> read_archive_shape(const EcScheme& scheme, ByteView archive) {
    const auto back_end = find_back_end(scheme.ec_type);
    if (!back_end) return back_end.error();
    ArchiveShape shape;
    for (std::size_t at = 0; at < archive.size();) {
        const auto header = check_fragment(scheme, **back_end, archive, at);
        if (!header) return header.error();
        if (shape.segments == 0) {
            shape.index = static_cast<std::uint8_t>(header->index);
            shape.segment_bytes = header->segment_bytes;
        } else if (header->index != shape.index) {
            return bad(at, "fragment " + std::to_string(header->index) + " in an archive of " +
                               std::to_string(shape.index));
        } else if (shape.last_segment_bytes != shape.segment_bytes ||
                   header->segment_bytes > shape.segment_bytes) {
            return bad(at, "a segment longer than the one before it");
        }
        shape.last_segment_bytes = header->segment_bytes;
        ++shape.segments;
        at += fragment_header_bytes + header->payload_bytes;
    }
    return shape;
}

}  // namespace fragmend::codec
