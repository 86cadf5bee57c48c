// Routing, flights, and what is done when one does not land.
#include "host/codec/hybrid_codec.hpp"

#include <algorithm>
#include <array>
#include <typeinfo>

#include "host/codec/calibration.hpp"

namespace fragmend::codec {

using kernels::StatusCode;
using scheduler::SegmentWork;

namespace {

constexpr std::size_t fields = 4;

/// The plan of an item that devices can do; null when only the CPU can.
const CpuPlan* device_plan(const SegmentWork& item) {
    if (typeid(*item.plan) != typeid(CpuPlan)) return nullptr;
    const auto* plan = static_cast<const CpuPlan*>(item.plan.get());
    return plan->device_rows() != nullptr ? plan : nullptr;
}

std::size_t survivor_bytes(const SegmentWork& item) {
    return item.survivors.size() * item.fragment_bytes();
}

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

}  // namespace

/// One call of `run`, split.
struct HybridCodec::Share {
    std::array<std::vector<SegmentWork*>, fields> by_field;
    std::array<std::size_t, fields> bytes{};
    std::array<Router::Departure, fields> departures{};
    std::vector<SegmentWork*> device;
    std::vector<SegmentWork*> cpu;
    std::vector<Flight> flights;
    SurvivorCheck check;

    void clear() {
        for (auto& items : by_field)
            items.clear();
        bytes = {};
        departures = {};
        device.clear();
        cpu.clear();
        flights.clear();
    }
};

HybridCodec::HybridCodec(HybridOptions options, std::vector<DeviceSource> devices,
                         const Clock& clock)
    : options_(std::move(options)), cpu_(options_.cpu), router_(options_.route, devices.size()) {
    for (DeviceSource& source : devices) {
        devices_.push_back(std::make_unique<Device>(
            std::move(source.name), std::move(source.make),
            [this](kernels::Engine& engine) { return try_engine(engine); }, options_.device, clock,
            options_.cpu.log));
        devices_.back()->start();
    }
    const auto until = std::chrono::steady_clock::now() + options_.start_max;
    for (const auto& device : devices_)
        device->wait_for_start(until);
}

std::vector<DeviceStatus> HybridCodec::status() const {
    std::vector<DeviceStatus> all;
    for (const auto& device : devices_) {
        all.push_back(device->status());
    }
    return all;
}

Trial HybridCodec::try_engine(kernels::Engine& engine) {
    const std::lock_guard lock(trial_mutex_);
    router_.forget_device();
    const CalibrationLimits limits{
        .bytes_max = options_.calibrate ? std::size_t{16} << 20 : std::size_t{64} << 10,
        .wait = options_.hang_limit};
    return calibrate(cpu_, engine, limits, options_.calibrate ? &router_ : nullptr);
}

Result<void> HybridCodec::check(const EcScheme& scheme) {
    auto sound = cpu_.check(scheme);
    if (!sound || options_.route != RoutePolicy::device_first) return sound;
    for (const auto& device : devices_) {
        auto same =
            cpu_.gives_back(scheme, [&](SegmentWork& item) { return run_on(*device, item); });
        if (same) continue;
        return Error{same.error().code,
                     device->status().name + ", " + to_string(scheme) + ": " + same.error().detail};
    }
    return {};
}

Result<void> HybridCodec::run_on(Device& device, SegmentWork& item) {
    const auto fragment = "fragment " + std::to_string(item.plan->wanted().front());
    const auto to_cpu = [&](const std::string& why) {
        return Error{errc::unsupported_scheme, fragment + " is left to the CPU: " + why};
    };
    if (device_plan(item) == nullptr) return to_cpu("there is no such plan for devices");
    const std::shared_ptr<kernels::Engine> engine = device.engine();
    if (engine == nullptr) return to_cpu(device.status().detail);
    SurvivorCheck check;
    const SiblingHeaders* source = check.run(item);
    if (source == nullptr) return *item.error;
    std::unique_ptr<DeviceBatch> batch = take_batch();
    if (!batch->fits(item, options_.limits)) return to_cpu("it does not fit");
    batch->add(item, *source, next_check_.fetch_add(1, std::memory_order_relaxed));
    kernels::Ticket ticket;
    kernels::Status status = batch->submit(*engine, ticket);
    if (status.ok())
        status = engine->wait(ticket, static_cast<std::uint32_t>(options_.hang_limit.count()));
    bool wrong = false;
    if (status.ok()) {
        batch->take_results();
        wrong = batch->entries().front().wrong;
        if (!wrong) cpu_.write_header(item, batch->entries().front().source);
    }
    give_back(std::move(batch));
    if (!status.ok()) {
        device.failed(engine, status);
        return to_cpu(std::string(kernels::name(status.code)) + " (" + status.detail + ")");
    }
    if (!wrong) return {};
    device.was_wrong(engine);
    return Error{errc::wrong_bytes, fragment + " is computed wrong there"};
}

void HybridCodec::run(std::span<SegmentWork*> batch) {
    std::size_t all_bytes = 0;
    for (const SegmentWork* item : batch) {
        all_bytes += survivor_bytes(*item);
    }
    const bool small =
        options_.route == RoutePolicy::measured && all_bytes < options_.device_bytes_min;
    if (small || devices_.empty()) return cpu_.run(batch);
    thread_local Share share;
    share.clear();
    const bool ready = any_ready();
    for (SegmentWork* item : batch) {
        const CpuPlan* plan = device_plan(*item);
        if (plan == nullptr) {
            share.cpu.push_back(item);
            continue;
        }
        const auto field = static_cast<std::size_t>(plan->field());
        share.by_field[field].push_back(item);
        share.bytes[field] += survivor_bytes(*item);
    }
    for (std::size_t field = 0; field < fields; ++field) {
        std::vector<SegmentWork*>& items = share.by_field[field];
        if (items.empty()) continue;
        const auto which = static_cast<gf::Field>(field);
        const Path path = ready ? router_.choose(which, share.bytes[field]) : Path::cpu;
        if (path == Path::device)
            share.departures[field] = router_.depart(which, share.bytes[field]);
        std::vector<SegmentWork*>& to = path == Path::device ? share.device : share.cpu;
        to.insert(to.end(), items.begin(), items.end());
    }
    const auto start = std::chrono::steady_clock::now();
    launch(share);
    const bool flew = !share.flights.empty();
    if (!flew) have_arrived(share);
    const bool computed = !share.cpu.empty();
    if (computed) cpu_.run(share.cpu);
    bool landed = true;
    const auto until = std::chrono::steady_clock::now() + options_.hang_limit;
    for (Flight& flight : share.flights) {
        landed = land(flight, until) && landed;
    }
    const auto taken = seconds_between(start, std::chrono::steady_clock::now());
    const auto departures = share.departures;
    have_arrived(share);
    // Only a batch of one field on one path says what that path takes; and survivor bytes say
    // nothing of further outputs.
    const bool single = std::ranges::all_of(
        batch, [](const SegmentWork* item) { return item->outputs.size() == 1; });
    for (std::size_t field = 0; field < fields; ++field) {
        if (flew == computed || !landed || !single || share.by_field[field].size() != batch.size())
            continue;
        router_.observe(flew ? Path::device : Path::cpu, static_cast<gf::Field>(field),
                        share.bytes[field], taken * departures[field].share);
    }
    for (const auto& device : devices_) {
        device->come_back_when_rested();
    }
}

void HybridCodec::have_arrived(Share& share) {
    for (const Router::Departure& departure : share.departures)
        router_.arrive(departure);
    share.departures = {};
}

bool HybridCodec::any_ready() const {
    return std::ranges::any_of(devices_, [](const auto& d) { return d->engine() != nullptr; });
}

void HybridCodec::launch(Share& share) {
    if (share.device.empty()) return;
    std::unique_ptr<DeviceBatch> batch;
    const auto fly = [&] {
        if (batch == nullptr || submit(batch, share)) return;
        for (const DeviceBatch::Entry& entry : batch->entries()) {
            share.cpu.push_back(entry.item);
        }
        give_back(std::move(batch));
    };
    const kernels::Limits& limits = options_.limits;
    for (SegmentWork* item : share.device) {
        item->error.reset();
        item->culprit = -1;
        FRAGMEND_ASSERT(item->survivors.size() == item->plan->survivors().size());
        const SiblingHeaders* source = share.check.run(*item);
        if (source == nullptr) continue;
        if (batch != nullptr && !batch->fits(*item, limits)) fly();
        if (batch == nullptr) batch = take_batch();
        if (!batch->fits(*item, limits)) {
            share.cpu.push_back(item);
            continue;
        }
        batch->add(*item, *source, next_check_.fetch_add(1, std::memory_order_relaxed));
    }
    if (batch != nullptr && batch->empty()) give_back(std::move(batch));
    fly();
}

bool HybridCodec::submit(std::unique_ptr<DeviceBatch>& batch, Share& share) {
    // In turns; a device with all its slots taken leaves the batch to the next one.
    const std::uint32_t first = next_device_.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < devices_.size(); ++i) {
        Device& device = *devices_[(first + i) % devices_.size()];
        std::shared_ptr<kernels::Engine> engine = device.engine();
        if (engine == nullptr) continue;
        kernels::Ticket ticket;
        const kernels::Status status = batch->submit(*engine, ticket);
        if (status.ok()) {
            share.flights.push_back({std::move(batch), &device, std::move(engine), ticket});
            return true;
        }
        const bool full = status.code == StatusCode::busy || status.code == StatusCode::too_large;
        if (!full) device.failed(engine, status);
    }
    return false;
}

bool HybridCodec::land(Flight& flight, std::chrono::steady_clock::time_point until) {
    const auto left = std::max(
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()),
        std::chrono::milliseconds(0));
    const kernels::Status status =
        flight.engine->wait(flight.ticket, static_cast<std::uint32_t>(left.count()));
    if (status.ok()) {
        finish_items(flight);
    } else {
        flight.device->failed(flight.engine, status);
        std::vector<SegmentWork*> items;
        for (const DeviceBatch::Entry& entry : flight.batch->entries()) {
            items.push_back(entry.item);
        }
        cpu_.run(items);
    }
    // Even a batch that hangs needs its own memory no more: it works on copies.
    give_back(std::move(flight.batch));
    flight.engine.reset();
    return status.ok();
}

void HybridCodec::finish_items(Flight& flight) {
    flight.batch->take_results();
    std::size_t sound = 0;
    for (DeviceBatch::Entry& entry : flight.batch->entries()) {
        SegmentWork* item = entry.item;
        if (!entry.wrong) {
            cpu_.write_header(*item, entry.source);
            ++sound;
            continue;
        }
        // Its survivors were hashed already; only the decode is done again.
        scheduler::SurvivorDigests* digests = std::exchange(item->digests, nullptr);
        cpu_.run(std::span(&item, 1));
        item->digests = digests;
        if (!item->error) flight.device->was_wrong(flight.engine);
    }
    if (sound == flight.batch->entries().size()) flight.device->succeeded(sound);
}

std::unique_ptr<DeviceBatch> HybridCodec::take_batch() {
    const std::lock_guard lock(idle_mutex_);
    if (idle_.empty()) return std::make_unique<DeviceBatch>();
    std::unique_ptr<DeviceBatch> batch = std::move(idle_.back());
    idle_.pop_back();
    return batch;
}

void HybridCodec::give_back(std::unique_ptr<DeviceBatch> batch) {
    batch->clear();
    const std::lock_guard lock(idle_mutex_);
    idle_.push_back(std::move(batch));
}

}  // namespace fragmend::codec
