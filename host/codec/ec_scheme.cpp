// The table of back ends and the size arithmetic.
#include "host/codec/ec_scheme.hpp"

#include <array>

namespace fragmend::codec {
namespace {

// liberasurecode cuts segments in words: 1 byte, 2 bytes, 4 bytes for XOR, and for Jerasure's bit
// matrices w = 4 packets of 1024 bytes.
constexpr std::array back_ends = {
    BackEnd{"jerasure_rs_vand", gf::Code::jerasure_rs_vand, 1, 0x020000, 0, 2},
    BackEnd{"jerasure_rs_cauchy", gf::Code::jerasure_rs_cauchy, 2, 0x020000, 0, 4096},
    BackEnd{"flat_xor_hd", gf::Code::flat_xor_hd_3, 3, 0x010000, 3, 4},
    BackEnd{"flat_xor_hd_3", gf::Code::flat_xor_hd_3, 3, 0x010000, 3, 4},
    BackEnd{"flat_xor_hd_4", gf::Code::flat_xor_hd_4, 3, 0x010000, 4, 4},
    BackEnd{"isa_l_rs_vand", gf::Code::isa_l_rs_vand, 4, 0x020d00, 0, 1},
    BackEnd{"liberasurecode_rs_vand", gf::Code::liberasurecode_rs_vand, 6, 0x010000, 0, 2},
    BackEnd{"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 7, 0x020e01, 0, 1},
    BackEnd{"isa_l_rs_vand_inv", gf::Code::isa_l_rs_vand_inv, 9, 0x010000, 0, 1},
};

}  // namespace

Result<const BackEnd*> find_back_end(std::string_view ec_type) {
    for (const BackEnd& back_end : back_ends) {
        if (back_end.ec_type == ec_type) return &back_end;
    }
    const std::string name(ec_type);
    if (ec_type == "shss" || ec_type == "libphazr") {
        return Error{errc::unsupported_scheme, name + " is proprietary and not supported"};
    }
    if (ec_type == "isa_l_rs_lrc") {
        return Error{errc::unsupported_scheme,
                     name + " needs a number of local parities that Swift cannot configure"};
    }
    return Error{errc::unsupported_scheme, "unknown ec_type " + name};
}

std::size_t payload_bytes(const BackEnd& back_end, int k, std::uint64_t segment_bytes) {
    const std::uint64_t unit = static_cast<std::uint64_t>(k) * back_end.unit_bytes;
    return static_cast<std::size_t>((segment_bytes / unit + (segment_bytes % unit != 0)) *
                                    back_end.unit_bytes);
}

std::string to_string(const EcScheme& scheme) {
    return scheme.ec_type + " " + std::to_string(scheme.k) + "+" + std::to_string(scheme.m);
}

}  // namespace fragmend::codec
