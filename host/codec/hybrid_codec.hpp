// The codec over devices and CPU threads together.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "host/codec/cpu_codec.hpp"
#include "host/codec/device.hpp"
#include "host/codec/device_batch.hpp"
#include "host/codec/router.hpp"

namespace fragmend::codec {

/// A device by name and how to make its engine.
struct DeviceSource {
    std::string name;
    MakeEngine make;
};

struct HybridOptions {
    CpuCodecOptions cpu;
    DeviceLimits device;
    /// What the devices' engines are made for.
    kernels::Limits limits;
    RoutePolicy route = RoutePolicy::measured;
    /// Smaller batches are the CPU's unasked: they may run where nobody should wait for a device.
    /// Not looked at with `device_first`.
    std::size_t device_bytes_min = std::size_t{64} << 10;
    /// How long one batch may take on a device before it counts as hanging.
    std::chrono::milliseconds hang_limit{5000};
    /// That the constructor waits for all devices together.
    std::chrono::milliseconds start_max{30'000};
    /// Measure both paths when a device starts; else the router learns from batches alone.
    bool calibrate = true;
};

/// Sends each batch where the router expects it to be done sooner, and finishes on the calling
/// thread what a device refuses, loses, fails or keeps for too long. Whatever happens to a device,
/// every item gets the same bytes, the same digests and the same errors as from the CPU alone: a
/// device touches copies only, and its results count after all of a batch is done.
/// Plans, choices and digests are the CPU's. Owned by host/app; thread-safe. `clock` outlives it.
class HybridCodec final : public scheduler::Codec {
  public:
    HybridCodec(HybridOptions options, std::vector<DeviceSource> devices, const Clock& clock);

    /// As the CPU's. With `device_first` every device has to give back the library's segment by
    /// itself as well. Errors besides: wrong_bytes; unsupported_scheme, when a device failed, or
    /// leaves the scheme to the CPU.
    Result<void> check(const EcScheme& scheme) override;
    std::size_t fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) override {
        return cpu_.fragment_bytes(scheme, segment_bytes);
    }
    std::optional<std::size_t> announced_bytes(ByteView header) override {
        return cpu_.announced_bytes(header);
    }
    std::optional<std::vector<std::uint8_t>> choose_survivors(
        const EcScheme& scheme, std::span<const std::uint8_t> available,
        std::uint8_t wanted) override {
        return cpu_.choose_survivors(scheme, available, wanted);
    }
    using Codec::plan;
    Result<std::shared_ptr<const scheduler::DecodePlan>> plan(
        const EcScheme& scheme, std::span<const std::uint8_t> survivors,
        std::span<const std::uint8_t> wanted) override {
        return cpu_.plan(scheme, survivors, wanted);
    }
    std::unique_ptr<scheduler::SurvivorDigests> digests(std::size_t survivor_count) override {
        return cpu_.digests(survivor_count);
    }
    void run(std::span<scheduler::SegmentWork*> batch) override;
    std::size_t device_waiters() const override {
        return devices_.size() * options_.limits.batches_in_flight;
    }
    Md5Digest fingerprint(ByteView bytes) override { return cpu_.fingerprint(bytes); }

    /// Of the CPU alone.
    scheduler::CodecTimes times() const { return cpu_.times(); }

    const Router& router() const { return router_; }
    std::vector<DeviceStatus> status() const;

  private:
    struct Flight {
        std::unique_ptr<DeviceBatch> batch;
        Device* device = nullptr;
        std::shared_ptr<kernels::Engine> engine;  ///< With its device and its other flights.
        kernels::Ticket ticket;
    };
    struct Share;

    /// Whether an engine gives the CPU's bytes, and what it takes to: at start and after a rest,
    /// one device after the other.
    Trial try_engine(kernels::Engine& engine);
    bool any_ready() const;
    /// No batch of the share is under way any more.
    void have_arrived(Share& share);
    /// Starts what `share` holds for devices, as far as they take it; the rest joins the CPU's.
    void launch(Share& share);
    bool submit(std::unique_ptr<DeviceBatch>& batch, Share& share);
    /// Waits; what came to nothing is done here, and false returned.
    bool land(Flight& flight, std::chrono::steady_clock::time_point until);
    void finish_items(Flight& flight);
    /// One item on one device and nowhere else.
    Result<void> run_on(Device& device, scheduler::SegmentWork& item);

    std::unique_ptr<DeviceBatch> take_batch();
    void give_back(std::unique_ptr<DeviceBatch> batch);

    const HybridOptions options_;
    CpuCodec cpu_;
    Router router_;
    std::mutex trial_mutex_;
    std::mutex idle_mutex_;
    std::vector<std::unique_ptr<DeviceBatch>> idle_;  ///< As many as ever were in flight at once.
    std::atomic<std::uint32_t> next_check_{0};
    std::atomic<std::uint32_t> next_device_{0};
    std::vector<std::unique_ptr<Device>> devices_;
};

}  // namespace fragmend::codec
