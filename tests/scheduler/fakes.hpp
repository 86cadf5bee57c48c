// A small cluster in memory for the scheduler's tests: archives, survivors with faults, a XOR
// codec.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "scheduler/read_ahead.hpp"

namespace fragmend::scheduler::testing {

using Bytes = std::vector<std::byte>;

/// FRAGMEND_SEED, or a fixed one; printed by the caller's SCOPED_TRACE.
std::uint64_t test_seed();

/// Gives the event loop one turn.
Awaitable<void> yield(asio::any_io_executor executor);

class FakeClock final : public Clock {
  public:
    Timestamp now() const override { return {}; }
    std::chrono::steady_clock::time_point steady() const override { return time; }
    std::chrono::steady_clock::time_point time;
};

/// Keeps lines. Safe from any thread.
class LineSink final : public LogSink {
  public:
    void write(LogLevel, std::string_view message) override {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(message);
    }
    std::size_t count(std::string_view part) const;
    std::string all() const;

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

/// Fragment `index` of an object made of `seed`: pieces of `piece_bytes`, each with a header and
/// base(offset) ^ mask(index). Any odd number of survivors XORs to the base.
Bytes make_archive(std::uint64_t seed, std::uint8_t index, std::uint64_t archive_bytes,
                   std::size_t piece_bytes);

/// What goes wrong with one survivor.
struct Fault {
    enum class Kind {
        none,
        open_fails,
        read_error,
        short_body,
        long_body,
        flipped_byte,
        bad_header,
        wrong_size,
        hangs,
        no_md5
    };
    Kind kind = Kind::none;
    std::uint64_t at = 0;  ///< Offset in the archive.
    int times = 1 << 30;   ///< How many opened streams have it.
};

/// One object's survivors. Devices are numbered 100 + fragment index.
struct FakeObject {
    std::uint64_t seed = 1;
    std::size_t piece_bytes = 0;  ///< Real one; the request may say otherwise.
    std::map<std::uint8_t, Fault> faults;
    std::set<std::uint8_t> absent;
    std::uint64_t flavour_of_retries = 0;  ///< Added to the seed from the second open on.
    int opens = 0;
};

class FakeSource final : public FragmentSource {
  public:
    explicit FakeSource(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    /// Objects by path.
    std::map<std::string, FakeObject> objects;
    int turns_max = 0;  ///< Turns of the loop that a read takes, drawn from `random`.
    std::mt19937_64 random{1};
    std::function<void()> on_open;

    Awaitable<Result<std::vector<std::unique_ptr<SurvivorStream>>>> open(
        const RebuildRequest& request, const std::vector<std::uint32_t>& left_out) override;
    int streams_open = 0;

  private:
    asio::any_io_executor executor_;
};

/// Checks headers, feeds MD5s, XORs. `sabotage` may spoil an item afterwards (on the worker).
class FakeCodec final : public Codec {
  public:
    Result<void> check(const EcScheme&) override { return {}; }
    std::size_t fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) override;
    std::optional<std::size_t> announced_bytes(ByteView header) override;
    std::optional<std::vector<std::uint8_t>> choose_survivors(
        const EcScheme& scheme, std::span<const std::uint8_t> available,
        std::uint8_t wanted) override;
    using Codec::plan;
    Result<std::shared_ptr<const DecodePlan>> plan(const EcScheme& scheme,
                                                   std::span<const std::uint8_t> survivors,
                                                   std::span<const std::uint8_t> wanted) override;
    std::unique_ptr<SurvivorDigests> digests(std::size_t survivor_count) override;
    void run(std::span<SegmentWork*> batch) override;

    std::function<void(SegmentWork&)> sabotage;
    bool slots_are_aligned = true;  ///< Payloads start at 64 bytes, as an object's slots do.
    std::atomic<int> runs = 0;
    std::atomic<int> items = 0;
};

/// Everything a rebuild works with, on one io_context that is polled by hand. The workers are the
/// same io_context unless `pool` is another executor.
struct World {
    explicit World(std::size_t budget_bytes = std::size_t{1} << 20, DispatcherLimits limits = {},
                   std::optional<asio::any_io_executor> pool = {}, std::size_t idle_bytes = 0);
    ~World();

    RebuildPorts ports();
    /// Adds an object and returns the request for its fragment `wanted`.
    RebuildRequest add(const std::string& path, FakeObject object, std::uint64_t archive_bytes,
                       std::uint8_t wanted = 0, EcScheme scheme = {"fake", 3, 3});
    Bytes truth(const RebuildRequest& request) const;
    /// One turn of the loop and the check that memory is within the budget. False when idle.
    bool step();
    void run_until_idle();

    asio::io_context io;
    HeapSlabs slabs;
    BufferPool buffers;
    MemoryBudget budget;
    FakeCodec codec;
    Dispatcher dispatcher;
    FakeSource source;
    FakeClock clock;
    RebuildStats stats;
    LineSink sink;
    RebuildLimits limits;
    TaskGroup tasks;
};

/// What a session got.
struct Received {
    Bytes bytes;
    std::optional<Error> error;
    bool ready = false;
    bool ended = false;  ///< A whole body, as far as the session knows.
};

/// Takes an object's body as a session does, `turns` loop turns a piece, then stops it.
Awaitable<void> receive(ObjectRebuild& rebuild, Received& received, int turns);

}  // namespace fragmend::scheduler::testing
