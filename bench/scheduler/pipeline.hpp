// The pipeline as the program runs it, without a disk: sender, read-ahead, rebuilds, gathering,
// codec.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "bench/scheduler/memory_peers.hpp"
#include "host/base/clock.hpp"
#include "scheduler/codec.hpp"
#include "scheduler/snapshot.hpp"

namespace fragmend::bench {

/// What one run took: of this process, its peers included.
struct Cost {
    double wall_s = 0;
    double cpu_s = 0;
};

/// Measures from its making.
class Stopwatch {
  public:
    Stopwatch();
    Cost cost() const;

  private:
    double wall_, cpu_;
};

struct Run {
    Cost cost;
    std::uint64_t objects = 0;
    std::uint64_t failed_sessions = 0;
    scheduler::Snapshot numbers;
};

/// Called before the clock starts, and at the end with what it made.
struct CodecMaker {
    std::function<std::unique_ptr<scheduler::Codec>(const Clock&)> make;
    std::function<void(const scheduler::Codec&)> done = [](const scheduler::Codec&) {};
};

struct PipelineLimits {
    std::size_t sessions = 4;
    std::size_t read_ahead = 8;
    std::size_t decode_threads = 2;  ///< Besides those that wait for devices.
    std::size_t memory_bytes = std::size_t{128} << 20;
};

CodecMaker on_the_cpu();

/// Rebuilds `objects` objects, each session for another peer. All survivors come over the network.
Run rebuild(const PeerView& peers, const ObjectShape& shape, std::uint64_t objects,
            const PipelineLimits& limits, const CodecMaker& maker = on_the_cpu());

/// Moves the same bytes through as many sockets, the same way around, and looks at none of them.
Cost shovel(MemoryPeers& peers, const ObjectShape& shape, std::uint64_t objects,
            const PipelineLimits& limits);

}  // namespace fragmend::bench
