// Which batches go to a device and which to the CPU, by what both have taken so far.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "kernels/gf/field.hpp"

namespace fragmend::codec {

enum class Path : std::uint8_t { cpu, device };

enum class RoutePolicy : std::uint8_t {
    measured,     ///< Where a batch is expected to be done sooner.
    device_first  ///< On a device whenever there is one: for trials and tests.
};

/// Knows, for each field and size of batch, the seconds a byte that either path took lately: first
/// from a calibration, then corrected by every batch. Devices do one batch after the other, so
/// those that are under way count as a queue. The CPU gets what it is expected to do sooner, and
/// what it does not much later while a device has enough to do.
/// Once in a while a batch takes the other path, when that is not far behind, so that its figure
/// does not grow old. Thread-safe.
class Router {
  public:
    explicit Router(RoutePolicy policy, std::size_t devices = 1)
        : policy_(policy), devices_(std::max<std::size_t>(1, devices)) {}

    /// So many batches of the kind ahead, and a device has enough to do: one comes up, one runs.
    static constexpr int queue_batches = 2;

    /// For a batch that reads `bytes` survivor bytes.
    Path choose(gf::Field field, std::size_t bytes);
    /// A batch on its way to a device.
    struct Departure {
        double own_s = 0;  ///< What it is expected to take by itself; 0 for nobody knows.
        double share = 1;  ///< Of that, in what it takes behind the others: in (0, 1].
    };
    Departure depart(gf::Field field, std::size_t bytes);
    /// It is back, or never went.
    void arrive(const Departure& departure);
    /// `seconds` of the batch itself: of one that departed, its share.
    void observe(Path path, gf::Field field, std::size_t bytes, double seconds);
    /// Forgets what devices took: there is another one now.
    void forget_device();

    /// Expected seconds; nothing before anything was observed for this path and field.
    std::optional<double> estimate(Path path, gf::Field field, std::size_t bytes) const;

    /// Batches of less than twice its bytes belong to a class; 4 KiB to 128 MiB.
    static constexpr std::size_t classes = 16;
    static std::size_t class_bytes(std::size_t index) { return std::size_t{4096} << index; }

  private:
    /// Seconds a byte, 0 when nothing was observed.
    using Rates = std::array<double, classes>;
    static std::size_t class_of(std::size_t bytes);
    static std::optional<double> seconds(const Rates& rates, std::size_t bytes);
    Rates& rates(Path path, gf::Field field);
    const Rates& rates(Path path, gf::Field field) const;

    double queue_s() const { return under_way_s_ / static_cast<double>(devices_); }

    const RoutePolicy policy_;
    const std::size_t devices_;
    mutable std::mutex mutex_;
    std::array<std::array<Rates, 4>, 2> rates_{};
    double under_way_s_ = 0;  ///< What all that departed takes on one device.
    std::uint32_t turns_ = 0;
};

}  // namespace fragmend::codec
