// What each `ec_type` of swift.conf means on disk: back end ids, word sizes, lengths.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/base/error.hpp"
#include "kernels/gf/generator.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::codec {

using scheduler::EcScheme;

/// One back end of liberasurecode that we decode.
/// Source: liberasurecode ec_backend_id_t and the back ends' versions; pyeclib PyECLib_EC_Types.
struct BackEnd {
    std::string_view ec_type;  ///< Swift's name.
    gf::Code code;
    std::uint8_t id;        ///< ec_backend_id_t, also in fragment headers.
    std::uint32_t version;  ///< major << 16 | minor << 8 | revision, also in fragment headers.
    int hd;                 ///< Hamming distance to ask the library for; 0 means m.
    unsigned unit_bytes;    ///< Every fragment's payload is a multiple of this.
};

/// Errors: unsupported_scheme, with the reason for the proprietary back ends and for isa_l_rs_lrc.
Result<const BackEnd*> find_back_end(std::string_view ec_type);

/// Payload bytes of one fragment of a segment of `segment_bytes` > 0 in k parts.
/// Source: liberasurecode get_aligned_data_size.
std::size_t payload_bytes(const BackEnd& back_end, int k, std::uint64_t segment_bytes);

/// `isa_l_rs_cauchy 10+4`, for messages.
std::string to_string(const EcScheme& scheme);

}  // namespace fragmend::codec
