// A decode plan with everything that our own matrices need to run and to check it.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "host/codec/device_rows.hpp"
#include "host/codec/dot_product.hpp"
#include "host/codec/fragment_plan.hpp"
#include "kernels/gf/matrix.hpp"

namespace fragmend::codec {

/// What our matrices know of one scheme: made once, shared by its plans. Immutable.
struct SchemeEntry {
    EcScheme scheme;
    const BackEnd* back_end;
    gf::Matrix generator;
};

/// One decode row, and for each survivor that it uses the row by which that survivor follows from
/// the others and the output.
class CpuPlan final : public FragmentPlan {
  public:
    /// Errors: singular.
    static Result<std::shared_ptr<const CpuPlan>> make(const SchemeEntry& entry,
                                                       std::span<const std::uint8_t> survivors,
                                                       std::uint8_t wanted,
                                                       const DotKernels& kernels);

    gf::Field field() const { return field_; }
    /// The coefficients of `decode`, none of them zero.
    std::span<const gf::Element> row() const { return row_; }
    /// The wanted payload out of the used survivors' payloads, in the order of `used`.
    const DotProduct& decode() const { return decode_; }
    /// The payload of used()[i] out of the same inputs with the output in place of input i.
    const DotProduct& check(std::size_t i) const { return checks_[i]; }

    /// The same rows for a device, made when first asked for. Null when there are more survivors
    /// than devices take.
    const DeviceRows* device_rows() const;

    Result<void> rebuild(const scheduler::SegmentWork& item, std::size_t checked,
                         DecodeScratch& scratch) const override;

  private:
    CpuPlan(const SchemeEntry& entry, std::vector<std::uint8_t> survivors, std::uint8_t wanted,
            std::vector<std::uint8_t> used, std::vector<gf::Element> row,
            const DotKernels& kernels);

    const gf::Field field_;
    const std::vector<gf::Element> row_;
    const std::size_t tile_bytes_;
    DotProduct decode_;
    std::vector<DotProduct> checks_;
    mutable std::once_flag device_rows_made_;
    mutable std::optional<DeviceRows> device_rows_;
};

}  // namespace fragmend::codec
