// Batches from several threads at once, and what they take together.
#include "bench/codec/devices.hpp"

#include <atomic>
#include <barrier>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "host/codec/calibration.hpp"
#include "host/codec/make_codec.hpp"

namespace fragmend::bench {
namespace {

using StopWatch = std::chrono::steady_clock;

constexpr std::size_t device_batch_bytes = std::size_t{32} << 20;
/// What a thread's share of the dispatcher's queue comes to on a busy machine.
constexpr std::size_t cpu_batch_bytes = std::size_t{4} << 20;

/// GB/s of survivors of all threads together; `hashed`: with the survivors' MD5s.
double rate_of(scheduler::Codec& codec, const codec::EcScheme& scheme, std::size_t batch_bytes,
               std::size_t threads, bool hashed, int pass_ms) {
    codec::CpuCodec maker;
    std::vector<std::unique_ptr<codec::SyntheticRounds>> rounds;
    for (std::size_t t = 0; t < threads; ++t) {
        rounds.push_back(std::make_unique<codec::SyntheticRounds>(maker, scheme, batch_bytes));
        for (scheduler::SegmentWork* item : rounds.back()->items()) {
            if (!hashed) item->digests = nullptr;
        }
        codec.run(rounds.back()->items());
    }
    std::atomic<bool> stop = false;
    std::atomic<std::size_t> bytes = 0;
    std::barrier start(static_cast<std::ptrdiff_t>(threads) + 1);
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] {
            start.arrive_and_wait();
            while (!stop) {
                codec.run(rounds[t]->items());
                bytes += rounds[t]->survivor_bytes();
            }
        });
    }
    start.arrive_and_wait();
    const auto begin = StopWatch::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(pass_ms));
    stop = true;
    workers.clear();
    const std::chrono::duration<double> taken = StopWatch::now() - begin;
    for (const auto& one : rounds) {
        for (const scheduler::SegmentWork* item : one->items()) {
            if (item->error) throw std::runtime_error(item->error->detail);
        }
    }
    return static_cast<double>(bytes) / taken.count() / 1e9;
}

const char* md5_or_not(bool hashed) {
    return hashed ? ", MD5" : "";
}

/// What a router that has tried this machine expects of both paths, for each field and size.
void add_router(Report& report) {
    codec::HybridOptions options;
    const SystemClock clock;
    const codec::HybridCodec codec(options, codec::device_sources(options.limits, nullptr), clock);
    codec::CpuCodec maker;
    for (const codec::EcScheme& scheme : codec::calibration_schemes()) {
        const codec::SyntheticRounds rounds(maker, scheme, 1);
        const auto field = static_cast<const codec::CpuPlan&>(rounds.plan()).field();
        for (std::size_t i = 0; i < codec::Router::classes; ++i) {
            const std::size_t bytes = codec::Router::class_bytes(i);
            for (const codec::Path path : {codec::Path::cpu, codec::Path::device}) {
                const auto seconds = codec.router().estimate(path, field, bytes);
                if (!seconds) continue;
                const char* what = path == codec::Path::cpu ? "router: CPU, batch of "
                                                            : "router: device, batch of ";
                report.add(Line{what + std::to_string(bytes), codec::to_string(scheme), 0, true,
                                static_cast<double>(bytes) / *seconds / 1e9});
            }
        }
    }
}

}  // namespace

bool run_devices(int pass_ms, Report& report) {
    const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
    codec::HybridOptions options;
    options.route = codec::RoutePolicy::device_first;
    options.calibrate = false;
    std::string why_none;
    auto sources = codec::device_sources(options.limits, &why_none);
    const SystemClock clock;
    const std::size_t in_flight = options.limits.batches_in_flight;
    codec::HybridCodec hybrid(options, std::move(sources), clock);
    std::string name;
    for (const codec::DeviceStatus& status : hybrid.status()) {
        if (status.state == codec::DeviceState::ready) name = status.name;
        why_none = status.detail;
    }
    if (name.empty()) std::cout << "no device: " << why_none << std::endl;
    codec::CpuCodec cpu;
    for (const codec::EcScheme& scheme : codec::calibration_schemes()) {
        const auto add = [&](const std::string& what, double rate) {
            report.add(Line{what, codec::to_string(scheme), 104938, true, rate});
        };
        for (const std::size_t threads : {std::size_t{1}, in_flight}) {
            if (name.empty()) break;
            for (const bool hashed : {false, true}) {
                add(name + ", " + std::to_string(threads) + " in flight" + md5_or_not(hashed),
                    rate_of(hybrid, scheme, device_batch_bytes, threads, hashed, pass_ms));
            }
        }
        for (const std::size_t threads : {std::size_t{1}, cores}) {
            for (const bool hashed : {false, true}) {
                add("CPU, " + std::to_string(threads) + " threads" + md5_or_not(hashed),
                    rate_of(cpu, scheme, cpu_batch_bytes, threads, hashed, pass_ms));
            }
        }
    }
    if (!name.empty()) add_router(report);
    for (const codec::DeviceStatus& status : hybrid.status()) {
        if (status.failures != 0 || status.wrong_items != 0) {
            throw std::runtime_error(status.name + " failed: " + status.detail);
        }
    }
    return !name.empty();
}

}  // namespace fragmend::bench
