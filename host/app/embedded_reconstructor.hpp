// The reconstructor of an embedded cluster: the daemon's engine and passes, told when to begin.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "host/app/codec_backend.hpp"
#include "host/app/device_report.hpp"
#include "host/app/engine.hpp"
#include "host/app/log_sinks.hpp"
#include "host/app/pass.hpp"
#include "host/app/sleeper.hpp"
#include "host/demo/cluster.hpp"

namespace fragmend::app {

/// What a rebuild is expected to bring back, for its progress line; nothing of a healthy cluster.
struct ExpectedRebuild {
    std::uint64_t fragments = 0;
    std::uint64_t bytes = 0;
};

struct PassRun {
    sync::PassStats stats;
    double seconds = 0;
};

/// One rebuild: passes until one leaves no work.
struct RebuildRun {
    std::vector<PassRun> passes;
    double cpu_seconds = 0;               ///< Of the whole process, servers included, meanwhile.
    std::uint64_t memory_peak_bytes = 0;  ///< Of fragments in flight.
    bool stopped = false;

    double seconds() const;
    std::uint64_t fragments() const;
    std::uint64_t bytes() const;
    std::uint64_t survivor_bytes() const;
    bool work_remains() const { return passes.empty() || passes.back().stats.work_remains(); }
    bool anything_unrecoverable() const {
        return !passes.empty() && passes.back().stats.anything_unrecoverable();
    }
};

/// Takes care of every device of the cluster, from the configuration that lies in its folder. The
/// calling thread of `run` is the network thread. Destroyed before the cluster.
class EmbeddedReconstructor {
  public:
    /// References outlive it. `backend` automatic is the daemon's own choice. `screen` shows
    /// progress unless null; `stop` ends what runs. Errors: bad_config, bad_ring, io;
    /// unsupported_scheme (the code, or a GPU that is not there).
    static Result<std::unique_ptr<EmbeddedReconstructor>> make(const demo::Cluster& cluster,
                                                               Backend backend, const Clock& clock,
                                                               const Logger& log,
                                                               StderrSink* screen,
                                                               const std::atomic<bool>& stop);
    ~EmbeddedReconstructor();

    RebuildRun run(const ExpectedRebuild& expected);
    /// What the devices did so far; none without.
    std::vector<codec::DeviceStatus> devices() const { return devices_of(engine_->codec()); }

  private:
    EmbeddedReconstructor(swift::ReconstructorOptions options, const Clock& clock, Logger log,
                          StderrSink* screen, const std::atomic<bool>& stop);
    void drive(Awaitable<void> work);
    Awaitable<void> run_passes(RebuildRun& run, const ExpectedRebuild& expected);
    Awaitable<void> watch(Pass& pass, const RebuildRun& run, const sync::PassStats& stats,
                          const ExpectedRebuild& expected);

    swift::ReconstructorOptions options_;
    const Clock& clock_;
    Logger log_;
    StderrSink* screen_;
    const std::atomic<bool>& stop_;
    std::vector<PolicyState> policies_;
    std::unique_ptr<Engine> engine_;
    NoMetrics metrics_;
    sync::ActivityBoard activities_;
    std::unique_ptr<Sleeper> sleeper_;
    bool pass_runs_ = false;
};

/// `123 of 300 fragments  12.3 MiB of 27.1 MiB  34.1 MB/s  left 3 s`, or partitions when no
/// fragments are expected. Pure.
std::string rebuild_progress_line(const sync::PassStats& stats, std::uint64_t fragments_before,
                                  std::uint64_t bytes_before, const ExpectedRebuild& expected,
                                  double seconds);

}  // namespace fragmend::app
