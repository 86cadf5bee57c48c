// The 80-byte header in front of every erasure-coded fragment.
#pragma once

#include <array>
#include <cstdint>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"

namespace fragmend::codec {

inline constexpr std::size_t fragment_header_bytes = 80;

/// The two CRC-32 forms that liberasurecode has used for its metadata checksum. 1.6.2 and later
/// read both; older ones read `legacy` only, which Swift selects with `write_legacy_ec_crc`.
enum class CrcForm : std::uint8_t { standard, legacy };

/// The header's fields. Numbers are in the order in which they lie in the header.
/// Source: liberasurecode erasurecode.h, fragment_header_t.
struct FragmentHeader {
    std::uint32_t index = 0;                   ///< 0 .. k + m - 1.
    std::uint32_t payload_bytes = 0;           ///< After the header.
    std::uint32_t backend_metadata_bytes = 0;  ///< 0 for every back end that we decode.
    std::uint64_t segment_bytes = 0;           ///< Of the segment that was encoded.
    std::uint8_t checksum_type = 1;            ///< 1 none, 2 CRC-32 of the payload in checksum[0].
    std::array<std::uint32_t, 8> checksum{};
    std::uint8_t checksum_mismatch = 0;
    std::uint8_t backend_id = 0;
    std::uint32_t backend_version = 0;
    std::uint32_t library_version = 0;  ///< major << 16 | minor << 8 | revision of the writer.
    bool swapped = false;               ///< Written by a machine of the other byte order.

    bool operator==(const FragmentHeader&) const = default;
};

/// The CRC over a header's first 59 bytes, in either form.
std::uint32_t header_crc(ByteView first_59_bytes, CrcForm form);

/// Reads and checks a header the way liberasurecode does: magic in either byte order, a version,
/// and, from version 1.2.0 on, one of the two CRCs. Whether its fields fit a policy is not looked
/// at here. Errors: bad_fragment.   Source: liberasurecode is_invalid_fragment_header.
/// `form`, unless null, is told which of them it was (standard where there is none).
Result<FragmentHeader> parse_fragment_header(ByteView fragment, CrcForm* form = nullptr);

/// Writes `header` in this machine's byte order (`swapped` is not looked at).
/// Source: liberasurecode add_fragment_metadata.
void write_fragment_header(const FragmentHeader& header, CrcForm form,
                           std::span<std::byte, fragment_header_bytes> output);

/// The header check together with the payload CRC of a fragment that carries one: what Swift's
/// object server and auditor ask of each fragment that they read. Errors: bad_fragment.   Source:
/// liberasurecode_get_fragment_metadata; diskfile _check_frag.
Result<FragmentHeader> check_fragment_metadata(ByteView fragment, CrcForm* form = nullptr);

/// The headers of one segment's fragments differ in nothing but the index and what it does to the
/// CRC, which is linear. So, once one of them was checked, the others need no parsing, and one more
/// can be written.
class SiblingHeaders {
  public:
    /// `checked` passed `check_fragment_metadata`, which gave `header` and `form`.
    SiblingHeaders(ByteView checked, const FragmentHeader& header, CrcForm form);

    const FragmentHeader& header() const { return header_; }

    /// True only if `fragment` begins with a valid header that says what the checked one does, but
    /// for `index`. False says nothing: parse it.
    bool is_sibling(ByteView fragment, std::uint32_t index) const;

    /// Writes `header` in `form` the short way when it is such a sibling with another writer's
    /// version; false when it is not, and nothing was written.
    bool write(const FragmentHeader& header, CrcForm form,
               std::span<std::byte, fragment_header_bytes> output) const;

  private:
    std::array<std::byte, fragment_header_bytes> checked_;
    FragmentHeader header_;
    CrcForm form_;
    std::uint32_t crc_;
    bool usable_;
};

}  // namespace fragmend::codec
