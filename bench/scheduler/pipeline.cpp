// Sessions over objects that are only known by their number.
#include "bench/scheduler/pipeline.hpp"

#include <time.h>

#include <boost/asio/thread_pool.hpp>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

#include "host/codec/cpu_codec.hpp"
#include "host/sync/sub_requests.hpp"
#include "host/sync/survivor_source.hpp"
#include "scheduler/read_ahead.hpp"
#include "transport/ssync/sender.hpp"

namespace fragmend::bench {
namespace {

using transport::ssync::Offer;
using transport::ssync::SubRequest;
using transport::ssync::Wanted;

double seconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string hash_of(std::uint64_t number) {
    char text[33];
    std::snprintf(text, sizeof text, "%032llx", static_cast<unsigned long long>(number));
    return text;
}

/// The parts of the program that a session needs, as host/app puts them together.
struct Engine {
    Engine(const PeerView& peers, const ObjectShape& shape, const PipelineLimits& limits,
           const CodecMaker& maker)
        : codec(maker.make(clock)),
          decode_thread_count(limits.decode_threads + codec->device_waiters()),
          decode_threads(decode_thread_count),
          buffers(slabs, scheduler::lendable_bytes(limits.memory_bytes, limits.sessions, 0)),
          budget(io.get_executor(),
                 scheduler::lendable_bytes(limits.memory_bytes, limits.sessions, 0)),
          dispatcher(io.get_executor(), decode_threads.get_executor(), *codec,
                     {.workers = decode_thread_count,
                      .inline_bytes_max = 32768,
                      .fill_survivors = codec::md5_lanes_max}),
          client(io.get_executor(), "obj-reconstructor 1", clock),
          sessions(io.get_executor(), limits.sessions),
          replicate_calls(io.get_executor(), 1),
          targets(io.get_executor(), 1),
          activities(clock) {
        if (codec->check(shape.scheme).has_error()) throw std::runtime_error("unknown scheme");
        policy.policy.index = 1;
        policy.policy.type = swift::PolicyType::erasure_coding;
        policy.policy.ec_type = shape.scheme.ec_type;
        policy.policy.k = shape.scheme.k;
        policy.policy.m = shape.scheme.m;
        policy.policy.segment_bytes = shape.segment_bytes;
        swift::RingParts parts;
        for (int i = 0; i < shape.scheme.n(); ++i) {
            parts.devices.emplace_back(peers.nodes.at(static_cast<std::size_t>(i)));
            parts.assignments.narrow.push_back(static_cast<std::uint16_t>(i));
        }
        policy.ring = swift::Ring::make(std::move(parts)).value();
    }
    ~Engine() {
        client.pool().close();
        decode_threads.join();
    }

    sync::Services services() {
        return {io.get_executor(),
                io.get_executor(),
                options,
                client,
                *codec,
                dispatcher,
                budget,
                buffers,
                rebuild,
                clock,
                {},
                {},
                sessions,
                replicate_calls,
                targets,
                stats,
                suspects,
                activities,
                metrics,
                brake,
                gate,
                Logger(nullptr, LogLevel::critical)};
    }

    asio::io_context io{1};
    SystemClock clock;
    swift::ReconstructorOptions options;
    std::unique_ptr<scheduler::Codec> codec;
    std::size_t decode_thread_count;
    asio::thread_pool decode_threads;
    HeapSlabs slabs;
    BufferPool buffers;
    scheduler::MemoryBudget budget;
    scheduler::RebuildStats rebuild;
    scheduler::Dispatcher dispatcher;
    transport::http::Client client;
    Semaphore sessions, replicate_calls;
    sync::TargetSlots targets;
    sync::PassStats stats;
    sync::Suspects suspects;
    sync::ActivityBoard activities;
    NoMetrics metrics;
    sync::QuarantineBrake brake{0};
    sync::Gate gate{io.get_executor()};
    sync::PolicyContext policy;
};

/// Offers numbers and rebuilds what is wanted.
class NumberedObjects final : public transport::ssync::SessionObjects {
  public:
    NumberedObjects(sync::Services& services, const Engine& engine, const ObjectShape& shape,
                    const PeerView& peers, std::size_t wanted_index, std::uint64_t first,
                    std::uint64_t count, std::size_t ahead)
        : source_(services, engine.policy, "0", no_device(), peers.nodes.at(wanted_index), holes_),
          rebuilds_(
              {services.network, source_, services.codec, services.dispatcher, services.budget,
               services.buffers, services.clock, services.rebuild_stats, services.log},
              services.rebuild_limits, ahead),
          next_(first),
          end_(first + count),
          wanted_index_(wanted_index) {
        request_.scheme = shape.scheme;
        request_.policy_index = 1;
        request_.partition = "0";
        request_.data_timestamp = MemoryPeers::time;
        request_.ec_etag = MemoryPeers::ec_etag;
        request_.archive_bytes = peers.archive_bytes;
        request_.fragment_bytes = peers.fragment_bytes;
        request_.wanted = static_cast<std::uint8_t>(wanted_index);
        metadata_.set("X-Timestamp", MemoryPeers::time.internal());
        metadata_.set("Content-Type", "application/octet-stream");
        metadata_.set("ETag", MemoryPeers::ec_etag);
        metadata_.set("X-Object-Sysmeta-Ec-Etag", MemoryPeers::ec_etag);
        metadata_.set("X-Object-Sysmeta-Ec-Content-Length", "1048576");
        metadata_.set("X-Object-Sysmeta-Ec-Scheme", "isa_l_rs_cauchy 4+2");
        metadata_.set("X-Object-Sysmeta-Ec-Segment-Size", "1048576");
    }

    Awaitable<Result<void>> begin(bool) override { co_return Result<void>(); }
    Awaitable<Result<std::optional<Offer>>> next_offer() override {
        if (next_ == end_) co_return std::nullopt;
        std::optional<Offer> offer(std::in_place);
        offer->object_hash = hash_of(next_++);
        offer->data = MemoryPeers::time;
        offer->durable = true;
        co_return offer;
    }
    Awaitable<Result<void>> wanted(std::vector<Wanted> objects) override {
        wanted_ = std::move(objects);
        co_return Result<void>();
    }
    Awaitable<Result<std::vector<SubRequest>>> next_sub_requests() override {
        if (std::exchange(sending_, false)) co_await rebuilds_.pop();
        while (rebuilds_.has_room() && started_ < wanted_.size()) {
            scheduler::RebuildRequest request = request_;
            request.object_hash = wanted_[started_++].object_hash.hex();
            request.object_path = "/a/c/" + request.object_hash;
            rebuilds_.push(std::move(request), {});
        }
        std::vector<SubRequest> requests;
        if (rebuilds_.empty()) co_return requests;
        const auto ready = co_await rebuilds_.ready();
        if (ready.has_error()) co_return ready.error();
        sending_ = true;
        requests.push_back({"PUT", rebuilds_.front().request().object_path,
                            sync::rebuilt_put_headers(metadata_, static_cast<int>(wanted_index_)),
                            request_.archive_bytes, std::make_unique<Body>(rebuilds_)});
        co_return requests;
    }
    Awaitable<void> stop() { co_await rebuilds_.stop(); }

  private:
    class Body final : public transport::ssync::BodyStream {
      public:
        explicit Body(scheduler::ReadAhead& rebuilds) : rebuilds_(rebuilds) {}
        Awaitable<Result<ByteView>> next() override { return rebuilds_.next(); }

      private:
        scheduler::ReadAhead& rebuilds_;
    };
    static Node no_device() {
        Node node;
        node.id = 1'000'000;
        return node;
    }

    sync::Holes holes_;
    sync::SurvivorSource source_;
    scheduler::ReadAhead rebuilds_;
    scheduler::RebuildRequest request_;
    swift::Metadata metadata_;
    std::vector<Wanted> wanted_;
    std::size_t started_ = 0;
    std::uint64_t next_, end_;
    std::size_t wanted_index_;
    bool sending_ = false;
};

Awaitable<void> run_session(asio::any_io_executor executor, transport::ssync::SenderRequest request,
                            NumberedObjects& objects, Run& run) {
    transport::ssync::Sender sender(executor, std::move(request), objects,
                                    Logger(nullptr, LogLevel::critical));
    const auto result = co_await sender.run();
    co_await objects.stop();
    run.objects += result.sub_requests;
    run.failed_sessions += !result.success;
}

}  // namespace

Stopwatch::Stopwatch()
    : wall_(seconds_of(CLOCK_MONOTONIC)), cpu_(seconds_of(CLOCK_PROCESS_CPUTIME_ID)) {}

Cost Stopwatch::cost() const {
    return {seconds_of(CLOCK_MONOTONIC) - wall_, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_};
}

CodecMaker on_the_cpu() {
    return {.make = [](const Clock&) { return std::make_unique<codec::CpuCodec>(); }};
}

Run rebuild(const PeerView& peers, const ObjectShape& shape, std::uint64_t objects,
            const PipelineLimits& limits, const CodecMaker& maker) {
    Run run;
    Engine engine(peers, shape, limits, maker);
    sync::Services services = engine.services();
    std::vector<std::unique_ptr<NumberedObjects>> sessions;
    TaskGroup tasks(engine.io.get_executor());
    const Stopwatch watch;
    for (std::size_t i = 0; i < limits.sessions; ++i) {
        const std::uint64_t first = objects * i / limits.sessions;
        const std::uint64_t count = objects * (i + 1) / limits.sessions - first;
        const std::size_t target = i % static_cast<std::size_t>(shape.scheme.n());
        sessions.push_back(std::make_unique<NumberedObjects>(services, engine, shape, peers, target,
                                                             first, count, limits.read_ahead));
        transport::ssync::SenderRequest request{peers.nodes.at(target),   "0",   1,
                                                static_cast<int>(target), false, {}};
        tasks.spawn(
            run_session(engine.io.get_executor(), std::move(request), *sessions.back(), run));
    }
    // Idle connections keep timers: only the work counts.
    while (tasks.running() > 0)
        engine.io.run_one();
    run.cost = watch.cost();
    run.numbers = scheduler::take_snapshot(engine.rebuild, engine.dispatcher, engine.budget,
                                           std::chrono::steady_clock::now());
    tasks.spawn(engine.dispatcher.stop());
    while (tasks.running() > 0)
        engine.io.run_one();
    maker.done(*engine.codec);
    return run;
}

}  // namespace fragmend::bench
