// Making decode plans.
#include "host/codec/cpu_plan.hpp"

#include "kernels/gf/decode_row.hpp"

namespace fragmend::codec {

CpuPlan::CpuPlan(const SchemeEntry& entry, std::vector<std::uint8_t> survivors, std::uint8_t wanted,
                 std::vector<std::uint8_t> used, std::span<const gf::Element> row,
                 const DotKernels& kernels)
    : DecodePlan(entry.scheme, std::move(survivors), wanted),
      back_end_(entry.back_end),
      used_(std::move(used)),
      decode_(entry.generator.field(), row, kernels) {
    for (std::size_t i = 0; i < used_.size(); ++i) {
        const gf::Field field = entry.generator.field();
        checks_.emplace_back(field, gf::check_row(field, row, i), kernels);
    }
}

Result<std::shared_ptr<const CpuPlan>> CpuPlan::make(const SchemeEntry& entry,
                                                     std::span<const std::uint8_t> survivors,
                                                     std::uint8_t wanted,
                                                     const DotKernels& kernels) {
    const auto n = static_cast<std::size_t>(entry.scheme.n());
    std::vector<bool> seen(n);
    for (std::uint8_t index : survivors) {
        if (index >= n || index == wanted || seen[index]) {
            return Error{errc::singular, to_string(entry.scheme) + ": survivor " +
                                             std::to_string(index) + " cannot be used"};
        }
        seen[index] = true;
    }
    const auto row = wanted < n ? gf::decode_row(entry.generator, survivors, wanted) : std::nullopt;
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
                                                      wanted, std::move(used), used_row, kernels));
}

}  // namespace fragmend::codec
