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

/// One decode row an output, and for each survivor that it uses the row by which that survivor
/// follows from the others and the output.
class CpuPlan final : public FragmentPlan {
  public:
    /// Errors: singular.
    static Result<std::shared_ptr<const CpuPlan>> make(const SchemeEntry& entry,
                                                       std::span<const std::uint8_t> survivors,
                                                       std::span<const std::uint8_t> wanted,
                                                       const DotKernels& kernels);

    gf::Field field() const { return field_; }
    /// What one output follows from, inputs in the order of `used`.
    struct Row {
        std::vector<gf::Element> coefficients;  ///< Of `decode`, none of them zero.
        DotProduct decode;                      ///< The wanted payload out of the survivors'.
        /// Input i out of the same inputs with the output in its place.
        std::vector<DotProduct> checks;
    };
    const Row& row(std::size_t output) const { return rows_[output]; }

    /// The same rows for a device, made when first asked for. Null when there are more survivors or
    /// outputs than devices take in one item.
    const DeviceRows* device_rows() const;

    Result<void> rebuild(const scheduler::SegmentWork& item, std::uint32_t turn,
                         DecodeScratch& scratch) const override;

  private:
    CpuPlan(const SchemeEntry& entry, std::span<const std::uint8_t> survivors,
            std::span<const std::uint8_t> wanted, std::vector<std::vector<std::uint8_t>> used,
            std::vector<Row> rows);
    std::optional<DeviceRows> make_device_rows() const;

    const gf::Field field_;
    const std::vector<Row> rows_;
    const std::size_t tile_bytes_;
    mutable std::once_flag device_rows_made_;
    mutable std::optional<DeviceRows> device_rows_;
};

}  // namespace fragmend::codec
