// Walking from header to header.
#include "host/codec/archive_shape.hpp"

#include <algorithm>
#include <vector>

#include "host/codec/fragment_header.hpp"

namespace fragmend::codec {
namespace {

/// FragmentHeader::checksum_type of fragments whose check takes their payload.
constexpr std::uint8_t with_payload_crc = 2;

Error bad(std::uint64_t at, const std::string& why) {
    return {errc::bad_fragment, "at byte " + std::to_string(at) + ": " + why};
}

/// One fragment by itself; its header.
Result<FragmentHeader> check_fragment(const EcScheme& scheme, const BackEnd& back_end,
                                      const ArchiveBytes& archive, std::uint64_t at,
                                      std::vector<std::byte>& buffer) {
    const std::uint64_t rest = archive.size() - at;
    buffer.resize(std::min<std::uint64_t>(rest, fragment_header_bytes));
    if (auto read = archive.read(at, buffer); !read) return read.error();
    auto header = parse_fragment_header(buffer);
    if (header && header->checksum_type == with_payload_crc) {
        buffer.resize(std::min<std::uint64_t>(rest, fragment_header_bytes + header->payload_bytes));
        if (auto read = archive.read(at, buffer); !read) return read.error();
        header = check_fragment_metadata(buffer);
    }
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
    if (header->payload_bytes > rest - fragment_header_bytes) {
        return bad(at, "the archive ends within this fragment");
    }
    return header;
}

}  // namespace

Result<ArchiveShape> read_archive_shape(const EcScheme& scheme, const ArchiveBytes& archive) {
    const auto back_end = find_back_end(scheme.ec_type);
    if (!back_end) return back_end.error();
    ArchiveShape shape;
    std::vector<std::byte> buffer;
    for (std::uint64_t at = 0; at < archive.size();) {
        const auto header = check_fragment(scheme, **back_end, archive, at, buffer);
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
