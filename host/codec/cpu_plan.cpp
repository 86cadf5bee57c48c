// Plans of our own matrices: made, and run piece by piece.
#include "host/codec/cpu_plan.hpp"

#include <algorithm>
#include <cstring>

#include "host/codec/fragment_header.hpp"
#include "kernels/gf/decode_row.hpp"
#include "kernels/gf/reference.hpp"

namespace fragmend::codec {
namespace {

/// Decode and cross-check take turns on pieces of all survivors that stay in the first cache.
constexpr std::size_t tile_bytes_of_bytes = 2048;
/// Jerasure's packets need whole super-blocks.
constexpr std::size_t tile_bytes_of_packets = gf::super_block_bytes;

constexpr std::size_t tile_bytes(gf::Field field) {
    return field == gf::Field::gf4 ? tile_bytes_of_packets : tile_bytes_of_bytes;
}

}  // namespace

CpuPlan::CpuPlan(const SchemeEntry& entry, std::span<const std::uint8_t> survivors,
                 std::span<const std::uint8_t> wanted, std::vector<std::vector<std::uint8_t>> used,
                 std::vector<Row> rows)
    : FragmentPlan(entry.scheme, {survivors.begin(), survivors.end()},
                   {wanted.begin(), wanted.end()}, *entry.back_end, std::move(used)),
      field_(entry.generator.field()),
      rows_(std::move(rows)),
      tile_bytes_(tile_bytes(field_)) {}

Result<std::shared_ptr<const CpuPlan>> CpuPlan::make(const SchemeEntry& entry,
                                                     std::span<const std::uint8_t> survivors,
                                                     std::span<const std::uint8_t> wanted,
                                                     const DotKernels& kernels) {
    if (auto fit = check_indexes(entry.scheme, survivors, wanted); !fit) return fit.error();
    const gf::Field field = entry.generator.field();
    std::vector<std::vector<std::uint8_t>> used;
    std::vector<Row> rows;
    for (std::uint8_t index : wanted) {
        const auto all = gf::decode_row(entry.generator, survivors, index);
        if (!all) {
            return Error{errc::singular, to_string(entry.scheme) +
                                             ": the survivors do not determine fragment " +
                                             std::to_string(index)};
        }
        std::vector<std::uint8_t>& positions = used.emplace_back();
        std::vector<gf::Element> coefficients;
        for (std::size_t j = 0; j < all->size(); ++j) {
            if ((*all)[j] == 0) continue;
            positions.push_back(static_cast<std::uint8_t>(j));
            coefficients.push_back((*all)[j]);
        }
        DotProduct decode(field, coefficients, kernels);
        std::vector<DotProduct> checks;
        for (std::size_t i = 0; i < coefficients.size(); ++i) {
            checks.emplace_back(field, gf::check_row(field, coefficients, i), kernels);
        }
        rows.push_back({std::move(coefficients), std::move(decode), std::move(checks)});
    }
    return std::shared_ptr<const CpuPlan>(
        new CpuPlan(entry, survivors, wanted, std::move(used), std::move(rows)));
}

const DeviceRows* CpuPlan::device_rows() const {
    std::call_once(device_rows_made_, [this] { device_rows_ = make_device_rows(); });
    return device_rows_ ? &*device_rows_ : nullptr;
}

std::optional<DeviceRows> CpuPlan::make_device_rows() const {
    // One item reads each survivor once for all outputs, so all rows have all columns.
    std::vector<std::uint8_t> sources;
    for (std::size_t j = 0; j < survivors().size(); ++j) {
        const auto position = static_cast<std::uint8_t>(j);
        for (std::size_t o = 0; o < rows_.size(); ++o) {
            if (std::ranges::find(used(o), position) == used(o).end()) continue;
            sources.push_back(position);
            break;
        }
    }
    gf::Matrix coefficients(field_, rows_.size(), sources.size());
    for (std::size_t o = 0; o < rows_.size(); ++o) {
        for (std::size_t i = 0; i < used(o).size(); ++i) {
            const auto column = std::ranges::find(sources, used(o)[i]) - sources.begin();
            coefficients.at(o, static_cast<std::size_t>(column)) = rows_[o].coefficients[i];
        }
    }
    auto decode = kernels::Rows::make(coefficients);
    if (!decode) return std::nullopt;
    DeviceRows made{std::move(sources), std::move(*decode), {}};
    for (std::size_t o = 0; o < rows_.size(); ++o) {
        std::vector<DeviceRows::Check>& checks = made.checks.emplace_back();
        for (std::uint8_t position : used(o)) {
            const auto column = std::ranges::find(made.sources, position) - made.sources.begin();
            gf::Matrix row(field_, 1, made.sources.size());
            std::ranges::copy(gf::check_row(field_, coefficients.row(o), column),
                              row.row(0).begin());
            checks.push_back({kernels::Rows::make(row).value(), static_cast<std::uint8_t>(column)});
        }
    }
    return made;
}

Result<void> CpuPlan::rebuild(const scheduler::SegmentWork& item, std::uint32_t turn,
                              DecodeScratch& scratch) const {
    const std::size_t payload = item.fragment_bytes() - fragment_header_bytes;
    std::vector<const Bytes*>& inputs = scratch.inputs;
    if (scratch.rederived.size() < tile_bytes_) scratch.rederived.resize(tile_bytes_);
    auto* rederived = reinterpret_cast<Bytes*>(scratch.rederived.data());
    for (std::size_t at = 0; at < payload; at += tile_bytes_) {
        const std::size_t bytes = std::min(tile_bytes_, payload - at);
        for (std::size_t o = 0; o < rows_.size(); ++o) {
            auto* output =
                reinterpret_cast<Bytes*>(item.outputs[o].data()) + fragment_header_bytes + at;
            inputs.clear();
            for (std::uint8_t position : used(o)) {
                const ByteView survivor = item.survivors[position].subspan(fragment_header_bytes);
                inputs.push_back(reinterpret_cast<const Bytes*>(survivor.data()) + at);
            }
            rows_[o].decode.run(inputs, output, bytes);
            const std::size_t check = checked(o, turn);
            const Bytes* expected = std::exchange(inputs[check], output);
            rows_[o].checks[check].run(inputs, rederived, bytes);
            if (std::memcmp(rederived, expected, bytes) != 0) return does_not_give_back(o, check);
        }
    }
    return {};
}

}  // namespace fragmend::codec
