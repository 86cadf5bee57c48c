// Building the engine from the options.
#include "host/app/engine.hpp"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "host/app/codec_choice.hpp"
#include "host/codec/make_codec.hpp"

namespace fragmend::app {
namespace {

constexpr std::size_t disk_threads_default = 4;
/// Survivor bytes that are verified and decoded in about the time that waking a worker takes.
constexpr std::size_t decoded_inline_bytes_max = 32768;

std::size_t cores() {
    return std::max(1u, std::thread::hardware_concurrency());
}

std::size_t disk_thread_count(const swift::FragmendOptions& options) {
    return options.disk_threads > 0 ? static_cast<std::size_t>(options.disk_threads)
                                    : disk_threads_default;
}

std::size_t decode_thread_count(const swift::FragmendOptions& options,
                                const scheduler::Codec& codec) {
    return options.decode_threads > 0 ? static_cast<std::size_t>(options.decode_threads)
                                      : cores() + codec.device_waiters();
}

std::size_t partitions_in_flight(const swift::FragmendOptions& options) {
    return scheduler::partitions_within(options.memory_limit_bytes,
                                        static_cast<std::size_t>(options.sessions),
                                        sync::partitions_in_flight_max);
}

std::size_t lendable_bytes(const swift::FragmendOptions& options) {
    return scheduler::lendable_bytes(options.memory_limit_bytes,
                                     static_cast<std::size_t>(options.sessions),
                                     partitions_in_flight(options));
}

/// Each holds an answer, so half of what may wait for one at the limit.
std::size_t replicate_call_count(const swift::FragmendOptions& options) {
    return std::min(sync::replicate_calls_max, partitions_in_flight(options) / 2);
}

transport::Timeouts timeouts_of(const swift::ReconstructorOptions& options) {
    return {transport::TimeLimit::from_float(options.conn_timeout_s),
            transport::TimeLimit::from_float(options.node_timeout_s),
            transport::TimeLimit::from_int(options.http_timeout_s)};
}

}  // namespace

Engine::Engine(const swift::ReconstructorOptions& options, scheduler::ThrottleSettings throttle,
               const Clock& clock, Logger log, std::unique_ptr<scheduler::Codec> codec)
    : options_(options),
      clock_(clock),
      log_(std::move(log)),
      disk_threads_(disk_thread_count(options.fragmend)),
      codec_(codec ? std::move(codec) : codec::make_codec(codec_options(options, log_), clock)),
      decode_thread_count_(decode_thread_count(options.fragmend, *codec_)),
      decode_threads_(decode_thread_count_),
      buffers_(slabs_, lendable_bytes(options.fragmend)),
      budget_(io_.get_executor(), lendable_bytes(options.fragmend)),
      stash_(budget_, lendable_bytes(options.fragmend) / sync::stash_part),
      throttle_(io_.get_executor(), clock, rebuild_stats_, std::move(throttle)),
      dispatcher_(io_.get_executor(), decode_threads_.get_executor(), *codec_,
                  {.workers = decode_thread_count_,
                   .inline_bytes_max = decoded_inline_bytes_max,
                   .fill_survivors = codec::md5_lanes_max}),
      client_(io_.get_executor(), "obj-reconstructor " + std::to_string(::getpid()), clock),
      sessions_(io_.get_executor(), static_cast<std::size_t>(options.fragmend.sessions)),
      replicate_calls_(io_.get_executor(), replicate_call_count(options.fragmend)),
      brake_(static_cast<std::size_t>(options.fragmend.quarantine_brake)),
      gate_(io_.get_executor()) {}

Engine::~Engine() {
    configuration_thread_.join();
    disk_threads_.join();
    decode_threads_.join();
}

sync::Services Engine::services(sync::PassStats& stats, sync::Suspects& suspects,
                                sync::TargetSlots& targets, sync::ActivityBoard& activities,
                                Metrics& metrics) {
    transport::fragments::GatherLimits gather_limits;
    gather_limits.timeouts = timeouts_of(options_);
    gather_limits.hedge_delay = std::chrono::milliseconds(
        static_cast<std::int64_t>(options_.fragmend.hedge_delay_s * 1000));
    return {io_.get_executor(),
            disk_threads_.get_executor(),
            options_,
            client_,
            *codec_,
            dispatcher_,
            budget_,
            buffers_,
            rebuild_stats_,
            clock_,
            std::move(gather_limits),
            {},
            sessions_,
            replicate_calls_,
            targets,
            stats,
            suspects,
            activities,
            metrics,
            brake_,
            gate_,
            log_,
            &throttle_,
            &risks_,
            &stash_,
            sync::session_offers_max,
            partitions_in_flight(options_.fragmend)};
}

sync::TargetSlots Engine::target_slots() {
    const auto& own = options_.fragmend;
    // With no device lock at the peers (0) as many sessions as we run may go to one device.
    const auto per_device = options_.replication_concurrency_per_device;
    return {
        io_.get_executor(), static_cast<std::size_t>(per_device > 0 ? per_device : own.sessions),
        static_cast<std::size_t>(own.node_sessions), static_cast<std::size_t>(own.disk_sessions)};
}

Awaitable<void> Engine::stop() {
    client_.pool().close();
    co_await dispatcher_.stop();
}

}  // namespace fragmend::app
