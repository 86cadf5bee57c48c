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

CpuPlan::CpuPlan(const SchemeEntry& entry, std::vector<std::uint8_t> survivors, std::uint8_t wanted,
                 std::vector<std::uint8_t> used, std::vector<gf::Element> row,
                 const DotKernels& kernels)
    : FragmentPlan(entry.scheme, std::move(survivors), wanted, *entry.back_end, std::move(used)),
      field_(entry.generator.field()),
      row_(std::move(row)),
      tile_bytes_(tile_bytes(field_)),
      decode_(field_, row_, kernels) {
    for (std::size_t i = 0; i < row_.size(); ++i) {
        checks_.emplace_back(field_, gf::check_row(field_, row_, i), kernels);
    }
}

Result<std::shared_ptr<const CpuPlan>> CpuPlan::make(const SchemeEntry& entry,
                                                     std::span<const std::uint8_t> survivors,
                                                     std::uint8_t wanted,
                                                     const DotKernels& kernels) {
    if (auto fit = check_indexes(entry.scheme, survivors, wanted); !fit) return fit.error();
    const auto row = gf::decode_row(entry.generator, survivors, wanted);
    if (!row) {
        return Error{errc::singular, to_string(entry.scheme) +
                                         ": the survivors do not determine fragment " +
                                         std::to_string(wanted)};
    }
    std::vector<std::uint8_t> used;
    std::vector<gf::Element> used_row;
    for (std::size_t j = 0; j < row->size(); ++j) {
        if ((*row)[j] == 0) continue;
        used.push_back(static_cast<std::uint8_t>(j));
        used_row.push_back((*row)[j]);
    }
    return std::shared_ptr<const CpuPlan>(new CpuPlan(entry, {survivors.begin(), survivors.end()},
                                                      wanted, std::move(used), std::move(used_row),
                                                      kernels));
}

const DeviceRows* CpuPlan::device_rows() const {
    std::call_once(device_rows_made_, [this] {
        const auto make = [this](std::span<const gf::Element> row) {
            gf::Matrix matrix(field_, 1, row.size());
            std::ranges::copy(row, matrix.row(0).begin());
            return kernels::Rows::make(matrix);
        };
        auto decode = make(row_);
        if (!decode) return;
        DeviceRows rows{std::move(*decode), {}};
        for (std::size_t i = 0; i < row_.size(); ++i) {
            rows.checks.push_back(*make(gf::check_row(field_, row_, i)));
        }
        device_rows_ = std::move(rows);
    });
    return device_rows_ ? &*device_rows_ : nullptr;
}

Result<void> CpuPlan::rebuild(const scheduler::SegmentWork& item, std::size_t checked,
                              DecodeScratch& scratch) const {
    const std::size_t payload = item.output.size() - fragment_header_bytes;
    auto* output = reinterpret_cast<Bytes*>(item.output.data()) + fragment_header_bytes;
    std::vector<const Bytes*>& inputs = scratch.inputs;
    inputs.resize(used().size());
    if (scratch.rederived.size() < tile_bytes_) scratch.rederived.resize(tile_bytes_);
    auto* rederived = reinterpret_cast<Bytes*>(scratch.rederived.data());
    for (std::size_t at = 0; at < payload; at += tile_bytes_) {
        const std::size_t bytes = std::min(tile_bytes_, payload - at);
        for (std::size_t i = 0; i < used().size(); ++i) {
            const ByteView survivor = item.survivors[used()[i]].subspan(fragment_header_bytes);
            inputs[i] = reinterpret_cast<const Bytes*>(survivor.data()) + at;
        }
        decode_.run(inputs, output + at, bytes);
        const Bytes* expected = std::exchange(inputs[checked], output + at);
        checks_[checked].run(inputs, rederived, bytes);
        if (std::memcmp(rederived, expected, bytes) != 0) return does_not_give_back(checked);
    }
    return {};
}

}  // namespace fragmend::codec
