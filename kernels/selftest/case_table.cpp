// Making and judging cases.
#include "kernels/selftest/case_table.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/api/md5_stream.hpp"
#include "kernels/gf/decode_row.hpp"
#include "kernels/gf/reference.hpp"

namespace fragmend::selftest {
namespace {

using gf::Code;
using kernels::Rows;

/// The header of a fragment, which digests cover and decoding passes over.
constexpr std::size_t header_bytes = 80;
constexpr std::size_t fence_bytes = 32;
constexpr std::uint8_t poison = 0xa5;

const char* name(Code code) {
    switch (code) {
        case Code::jerasure_rs_vand:
            return "jerasure_rs_vand";
        case Code::jerasure_rs_cauchy:
            return "jerasure_rs_cauchy";
        case Code::flat_xor_hd_3:
            return "flat_xor_hd_3";
        case Code::flat_xor_hd_4:
            return "flat_xor_hd_4";
        case Code::isa_l_rs_vand:
            return "isa_l_rs_vand";
        case Code::liberasurecode_rs_vand:
            return "liberasurecode_rs_vand";
        case Code::isa_l_rs_cauchy:
            return "isa_l_rs_cauchy";
        case Code::isa_l_rs_vand_inv:
            return "isa_l_rs_vand_inv";
    }
    return "?";
}

bool all_are(const std::uint8_t* bytes, std::size_t count, std::uint8_t value) {
    return std::all_of(bytes, bytes + count, [value](std::uint8_t b) { return b == value; });
}

}  // namespace

std::string name(const Shape& shape) {
    return std::string(name(shape.code)) + " " + std::to_string(shape.k) + "+" +
           std::to_string(shape.m);
}

std::vector<Shape> all_shapes() {
    std::vector<Shape> shapes;
    for (Code code : {Code::isa_l_rs_cauchy, Code::isa_l_rs_vand, Code::isa_l_rs_vand_inv,
                      Code::liberasurecode_rs_vand, Code::jerasure_rs_vand}) {
        for (const auto& [k, m] : {std::pair{1, 1},
                                   {2, 1},
                                   {4, 2},
                                   {5, 3},
                                   {6, 3},
                                   {8, 4},
                                   {10, 4},
                                   {12, 4},
                                   {15, 4},
                                   {16, 4},
                                   {20, 4},
                                   {28, 4}}) {
            shapes.push_back({code, k, m});
        }
    }
    for (const auto& [k, m] : {std::pair{4, 2}, {6, 3}, {10, 4}, {12, 4}}) {
        shapes.push_back({Code::jerasure_rs_cauchy, k, m});
    }
    for (const auto& [k, m] : {std::pair{3, 3}, {10, 5}, {15, 6}}) {
        shapes.push_back({Code::flat_xor_hd_3, k, m});
    }
    for (const auto& [k, m] : {std::pair{10, 5}, {20, 6}}) {
        shapes.push_back({Code::flat_xor_hd_4, k, m});
    }
    return shapes;
}

std::vector<std::size_t> lengths(Code code) {
    switch (gf::field(code)) {
        case gf::Field::gf4:
            return {4096, 8192, 106496};
        case gf::Field::gf16:
            return {2, 14, 16, 18, 78, 80, 82, 1040, 4094, 4096, 4098, 104858};
        default:
            return {1, 15, 16, 17, 31, 79, 80, 81, 1039, 4095, 4096, 4097, 104858};
    }
}

Stripe make_stripe(const Shape& shape, const gf::Matrix& generator, std::size_t bytes,
                   std::mt19937_64& random) {
    Stripe stripe{generator, {}};
    for (int i = 0; i < shape.k + shape.m; ++i) {
        std::vector<std::uint8_t> fragment(bytes);
        const auto row = static_cast<std::size_t>(i);
        for (std::uint8_t& byte : fragment) {
            if (i < shape.k) byte = static_cast<std::uint8_t>(random());
        }
        for (std::size_t j = 0; i >= shape.k && j < generator.columns(); ++j) {
            gf::multiply_add(generator.field(), generator.at(row, j), stripe.fragments[j].data(),
                             fragment.data(), bytes);
        }
        stripe.fragments.push_back(std::move(fragment));
    }
    return stripe;
}

std::uint8_t* Arena::take(std::size_t bytes, unsigned offset) {
    std::uint8_t* place = memory_ + used_ + offset;
    used_ += (offset + bytes + 15) / 16 * 16;
    return place;
}

std::size_t Case::bytes_max(const Stripe& stripe) {
    const std::size_t fragment = stripe.fragments[0].size() + header_bytes + 2 * fence_bytes + 32;
    return stripe.fragments.size() * fragment;
}

std::unique_ptr<Case> Case::make(const Stripe& stripe, const std::vector<std::uint8_t>& lost,
                                 const Variation& variation, Arena& arena, std::string case_name) {
    std::unique_ptr<Case> result(new Case);
    result->name_ = std::move(case_name);
    result->bytes_ = stripe.fragments[0].size();
    result->spoiled_ = variation.spoil_check;
    if (!result->solve(stripe, lost, variation)) return nullptr;
    result->place(stripe, variation, arena);
    result->reset();
    return result;
}

bool Case::solve(const Stripe& stripe, const std::vector<std::uint8_t>& lost,
                 const Variation& variation) {
    const gf::Matrix& generator = stripe.generator;
    wanted_ = lost;
    for (std::uint8_t i = 0; i < generator.rows(); ++i) {
        if (std::ranges::find(lost, i) == lost.end()) survivors_.push_back(i);
    }
    // Enough of them for most codes; all for those that k do not determine.
    std::vector<std::uint8_t> first(
        survivors_.begin(), survivors_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                     generator.columns(), survivors_.size())));
    std::optional<gf::Matrix> rows = gf::decode_rows(generator, first, wanted_);
    if (rows) {
        survivors_ = first;
    } else {
        rows = gf::decode_rows(generator, survivors_, wanted_);
    }
    if (!rows) return false;
    std::optional<Rows> made = Rows::make(*rows, variation.technique);
    if (!made) return false;
    rows_.push_back(std::move(*made));
    for (std::size_t o = 0; o < wanted_.size(); ++o) {
        // The last source of the row that counts.
        std::size_t position = survivors_.size();
        while (position > 0 && rows->at(o, position - 1) == 0) {
            --position;
        }
        if (position == 0) return false;
        const std::vector<gf::Element> row =
            gf::check_row(generator.field(), rows->row(o), position - 1);
        gf::Matrix check(generator.field(), 1, row.size());
        std::ranges::copy(row, check.row(0).begin());
        if (variation.spoil_check) check.at(0, position - 1) ^= 1;
        rows_.push_back(Rows::make(check, variation.technique).value());
        checks_.push_back({nullptr, static_cast<std::uint8_t>(position - 1)});
    }
    for (std::size_t o = 0; o < checks_.size(); ++o) {
        checks_[o].row = &rows_[o + 1];
    }
    return true;
}

void Case::place(const Stripe& stripe, const Variation& variation, Arena& arena) {
    unsigned turn = 1;
    const auto offset = [&] { return variation.aligned ? 0u : turn++ * 7u % 16u; };
    for (std::uint8_t index : survivors_) {
        const std::vector<std::uint8_t>& fragment = stripe.fragments[index];
        std::uint8_t* place = arena.take(header_bytes + bytes_, offset());
        for (std::size_t i = 0; i < header_bytes; ++i) {
            place[i] = static_cast<std::uint8_t>(i * 3 + index);
        }
        std::ranges::copy(fragment, place + header_bytes);
        sources_.push_back(place + header_bytes);
    }
    for (std::uint8_t index : wanted_) {
        outputs_.push_back(arena.take(bytes_ + 2 * fence_bytes, offset()) + fence_bytes);
        expected_.push_back(stripe.fragments[index].data());
    }
    // Of outputs, too, or of sources beside the decodes.
    digests_.resize(survivors_.size() + (variation.aligned ? wanted_.size() : 0));
    for (kernels::Md5State& digest : digests_) {
        digest_pointers_.push_back(&digest);
    }
}

void Case::reset() {
    for (std::uint8_t* output : outputs_) {
        std::memset(output - fence_bytes, poison, bytes_ + 2 * fence_bytes);
    }
    for (kernels::Md5State& digest : digests_) {
        digest = kernels::Md5State();
    }
}

kernels::Item Case::item() {
    kernels::Item item;
    item.rows = &rows_[0];
    item.sources = sources_;
    item.outputs = outputs_;
    item.bytes = bytes_;
    item.prefix_bytes = header_bytes;
    item.digests = digest_pointers_;
    item.checks = checks_;
    return item;
}

bool Case::verify(bool wrong) const {
    if (wrong != spoiled_) return false;
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
        if (std::memcmp(outputs_[o], expected_[o], bytes_) != 0) return false;
        if (!all_are(outputs_[o] - fence_bytes, fence_bytes, poison)) return false;
        if (!all_are(outputs_[o] + bytes_, fence_bytes, poison)) return false;
    }
    for (std::size_t j = 0; j < sources_.size(); ++j) {
        kernels::Md5State digest;
        // In two pieces, so that the tail of one is the head of the next.
        const std::uint8_t* fragment = sources_[j] - header_bytes;
        kernels::md5_absorb(digest, fragment, header_bytes - 3);
        kernels::md5_absorb(digest, fragment + header_bytes - 3, bytes_ + 3);
        if (kernels::md5_digest(digest) != kernels::md5_digest(digests_[j])) return false;
    }
    for (std::size_t d = sources_.size(); d < digests_.size(); ++d) {
        kernels::Md5State digest;
        kernels::md5_absorb(digest, expected_[d - sources_.size()], bytes_);
        if (kernels::md5_digest(digest) != kernels::md5_digest(digests_[d])) return false;
    }
    return true;
}

}  // namespace fragmend::selftest
