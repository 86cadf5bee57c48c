// Reading, checking and writing fragment headers.
#include "host/codec/fragment_header.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "host/codec/crc32_x86.hpp"

namespace fragmend::codec {
namespace {

constexpr std::uint32_t magic = 0x0b0c5ecc;
constexpr std::uint32_t first_version_with_crc = 0x010200;
constexpr std::size_t crc_covers_bytes = 59;

namespace offset {
constexpr std::size_t index = 0;
constexpr std::size_t payload_bytes = 4;
constexpr std::size_t backend_metadata_bytes = 8;
constexpr std::size_t segment_bytes = 12;
constexpr std::size_t checksum_type = 20;
constexpr std::size_t checksum = 21;
constexpr std::size_t checksum_mismatch = 53;
constexpr std::size_t backend_id = 54;
constexpr std::size_t backend_version = 55;
constexpr std::size_t magic = 59;
constexpr std::size_t library_version = 63;
constexpr std::size_t metadata_crc = 67;
}  // namespace offset

template <typename T>
T byte_swapped(T value) {
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    return value;
}

template <typename T>
T load(ByteView bytes, std::size_t at, bool swapped) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return swapped ? byte_swapped(value) : value;
}

template <typename T>
void store(std::span<std::byte, fragment_header_bytes> bytes, std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1u) ? (value >> 1) ^ 0xedb88320u : value >> 1;
        }
        table[i] = value;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();

/// The early library shifted a signed 32-bit value and masked it to 24 bits with sign extension.
constexpr std::uint32_t crc_step(CrcForm form, std::uint32_t crc, std::uint32_t byte) {
    std::uint32_t shifted = crc >> 8;
    if (form == CrcForm::legacy && (shifted & 0x00800000u) != 0) shifted |= 0xff000000u;
    return shifted ^ crc_table[(crc ^ byte) & 0xffu];
}

std::uint32_t legacy_crc(ByteView bytes) {
    std::uint32_t crc = 0xffffffffu;
    for (std::byte byte : bytes) {
        crc = crc_step(CrcForm::legacy, crc, std::to_integer<std::uint32_t>(byte));
    }
    return ~crc;
}

/// Indexes for which siblings are recognized; liberasurecode has no more fragments.
constexpr std::uint32_t indexes_max = 32;

/// What a difference in the index's low byte does to a header's CRC: both forms are linear.
constexpr std::array<std::uint32_t, indexes_max> make_index_crcs(CrcForm form) {
    std::array<std::uint32_t, indexes_max> crcs{};
    for (std::uint32_t difference = 0; difference < indexes_max; ++difference) {
        std::uint32_t crc = crc_step(form, 0, difference);
        for (std::size_t i = 1; i < crc_covers_bytes; ++i) {
            crc = crc_step(form, crc, 0);
        }
        crcs[difference] = crc;
    }
    return crcs;
}

std::uint32_t index_crc(CrcForm form, std::uint32_t difference) {
    static constexpr auto standard = make_index_crcs(CrcForm::standard);
    static constexpr auto legacy = make_index_crcs(CrcForm::legacy);
    return form == CrcForm::standard ? standard[difference] : legacy[difference];
}

std::uint32_t standard_crc(ByteView bytes) {
    return static_cast<std::uint32_t>(crc32_z(0,
                                              reinterpret_cast<const unsigned char*>(bytes.data()),
                                              static_cast<z_size_t>(bytes.size())));
}

/// Of the header's covered bytes, not of a payload.
std::uint32_t standard_header_crc(ByteView covered) {
    static const ShortCrc short_crc = pclmul_crc32();
    return short_crc != nullptr ? short_crc(covered.data(), crc_covers_bytes)
                                : standard_crc(covered);
}

std::uint32_t crc(ByteView covered, CrcForm form) {
    return form == CrcForm::standard ? standard_header_crc(covered) : legacy_crc(covered);
}

Error bad(std::string detail) {
    return {errc::bad_fragment, std::move(detail)};
}

}  // namespace

std::uint32_t header_crc(ByteView first_59_bytes, CrcForm form) {
    FRAGMEND_ASSERT(first_59_bytes.size() == crc_covers_bytes);
    return crc(first_59_bytes, form);
}

Result<FragmentHeader> parse_fragment_header(ByteView fragment, CrcForm* form) {
    if (form != nullptr) *form = CrcForm::standard;
    if (fragment.size() < fragment_header_bytes) {
        return bad("fragment of " + std::to_string(fragment.size()) + " bytes has no whole header");
    }
    const bool swapped = load<std::uint32_t>(fragment, offset::magic, true) == magic;
    if (!swapped && load<std::uint32_t>(fragment, offset::magic, false) != magic) {
        return bad("fragment header without its magic number");
    }
    FragmentHeader header;
    header.swapped = swapped;
    header.library_version = load<std::uint32_t>(fragment, offset::library_version, swapped);
    if (header.library_version == 0) return bad("fragment header without a library version");
    if (header.library_version >= first_version_with_crc) {
        const auto stored = load<std::uint32_t>(fragment, offset::metadata_crc, swapped);
        const ByteView covered = fragment.first(crc_covers_bytes);
        if (stored != standard_header_crc(covered)) {
            if (stored != legacy_crc(covered)) return bad("fragment header with a wrong CRC");
            if (form != nullptr) *form = CrcForm::legacy;
        }
    }
    header.index = load<std::uint32_t>(fragment, offset::index, swapped);
    header.payload_bytes = load<std::uint32_t>(fragment, offset::payload_bytes, swapped);
    header.backend_metadata_bytes =
        load<std::uint32_t>(fragment, offset::backend_metadata_bytes, swapped);
    header.segment_bytes = load<std::uint64_t>(fragment, offset::segment_bytes, swapped);
    header.checksum_type = load<std::uint8_t>(fragment, offset::checksum_type, swapped);
    for (std::size_t i = 0; i < header.checksum.size(); ++i) {
        header.checksum[i] = load<std::uint32_t>(fragment, offset::checksum + 4 * i, swapped);
    }
    header.checksum_mismatch = load<std::uint8_t>(fragment, offset::checksum_mismatch, swapped);
    header.backend_id = load<std::uint8_t>(fragment, offset::backend_id, swapped);
    header.backend_version = load<std::uint32_t>(fragment, offset::backend_version, swapped);
    return header;
}

void write_fragment_header(const FragmentHeader& header, CrcForm form,
                           std::span<std::byte, fragment_header_bytes> output) {
    std::ranges::fill(output, std::byte{0});
    store(output, offset::index, header.index);
    store(output, offset::payload_bytes, header.payload_bytes);
    store(output, offset::backend_metadata_bytes, header.backend_metadata_bytes);
    store(output, offset::segment_bytes, header.segment_bytes);
    store(output, offset::checksum_type, header.checksum_type);
    for (std::size_t i = 0; i < header.checksum.size(); ++i) {
        store(output, offset::checksum + 4 * i, header.checksum[i]);
    }
    store(output, offset::checksum_mismatch, header.checksum_mismatch);
    store(output, offset::backend_id, header.backend_id);
    store(output, offset::backend_version, header.backend_version);
    store(output, offset::magic, magic);
    store(output, offset::library_version, header.library_version);
    store(output, offset::metadata_crc, crc(ByteView(output).first(crc_covers_bytes), form));
}

Result<FragmentHeader> check_fragment_metadata(ByteView fragment, CrcForm* form) {
    Result<FragmentHeader> header = parse_fragment_header(fragment, form);
    if (!header || header->checksum_type != 2) return header;
    const ByteView payload = fragment.subspan(fragment_header_bytes);
    if (header->payload_bytes > payload.size()) return bad("fragment shorter than its header says");
    const ByteView covered = payload.first(header->payload_bytes);
    if (header->checksum[0] != standard_crc(covered) &&
        header->checksum[0] != legacy_crc(covered)) {
        return bad("fragment payload with a wrong CRC");
    }
    return header;
}

SiblingHeaders::SiblingHeaders(ByteView checked, const FragmentHeader& header, CrcForm form)
    : header_(header),
      form_(form),
      crc_(load<std::uint32_t>(checked, offset::metadata_crc, false)),
      usable_(!header.swapped && header.checksum_type != 2 && header.index < indexes_max &&
              header.library_version >= first_version_with_crc) {
    std::ranges::copy(checked.first(fragment_header_bytes), checked_.begin());
}

bool SiblingHeaders::is_sibling(ByteView fragment, std::uint32_t index) const {
    if (!usable_ || index >= indexes_max || fragment.size() < fragment_header_bytes) return false;
    // Everything between the index and the CRC, in words that overlap at the end.
    constexpr std::size_t first = offset::payload_bytes;
    constexpr std::size_t last = offset::metadata_crc - sizeof(std::uint64_t);
    static_assert(offset::metadata_crc == offset::library_version + sizeof(std::uint32_t));
    const ByteView checked(checked_);
    std::uint64_t difference =
        load<std::uint64_t>(fragment, last, false) ^ load<std::uint64_t>(checked, last, false);
#pragma GCC unroll 8
    for (std::size_t at = first; at < last; at += sizeof(std::uint64_t)) {
        difference |=
            load<std::uint64_t>(fragment, at, false) ^ load<std::uint64_t>(checked, at, false);
    }
    return difference == 0 && load<std::uint32_t>(fragment, offset::index, false) == index &&
           load<std::uint32_t>(fragment, offset::metadata_crc, false) ==
               (crc_ ^ index_crc(form_, index ^ header_.index));
}

bool SiblingHeaders::write(const FragmentHeader& header, CrcForm form,
                           std::span<std::byte, fragment_header_bytes> output) const {
    if (!usable_ || form != form_ || header.index >= indexes_max) return false;
    const bool same = header.payload_bytes == header_.payload_bytes &&
                      header.segment_bytes == header_.segment_bytes &&
                      header.backend_id == header_.backend_id &&
                      header.backend_version == header_.backend_version &&
                      header.backend_metadata_bytes == header_.backend_metadata_bytes &&
                      header.checksum_type == header_.checksum_type &&
                      header.checksum_mismatch == header_.checksum_mismatch &&
                      header.checksum == header_.checksum;
    if (!same) return false;
    constexpr std::size_t end = offset::metadata_crc + sizeof(std::uint32_t);
    std::memcpy(output.data(), checked_.data(), end);
    std::memset(output.data() + end, 0, fragment_header_bytes - end);
    store(output, offset::index, header.index);
    store(output, offset::library_version, header.library_version);
    store(output, offset::metadata_crc, crc_ ^ index_crc(form_, header.index ^ header_.index));
    return true;
}

}  // namespace fragmend::codec
