// Passes over an embedded cluster.
#include "host/app/embedded_reconstructor.hpp"

#include <sys/resource.h>

#include <cstdio>

#include "host/app/setup.hpp"
#include "host/app/summary.hpp"
#include "host/app/throttle_choice.hpp"

namespace fragmend::app {
namespace {

constexpr int passes_max = 3;
constexpr std::chrono::milliseconds look_interval{200};

/// User and system time of all threads.
double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename Member>
std::uint64_t sum_of(const std::vector<PassRun>& passes, Member member) {
    std::uint64_t sum = 0;
    for (const PassRun& pass : passes)
        sum += pass.stats.*member;
    return sum;
}

}  // namespace

double RebuildRun::seconds() const {
    double sum = 0;
    for (const PassRun& pass : passes)
        sum += pass.seconds;
    return sum;
}
std::uint64_t RebuildRun::fragments() const {
    return sum_of(passes, &sync::PassStats::fragments_rebuilt);
}
std::uint64_t RebuildRun::bytes() const {
    return sum_of(passes, &sync::PassStats::bytes_rebuilt);
}
std::uint64_t RebuildRun::survivor_bytes() const {
    return sum_of(passes, &sync::PassStats::survivor_bytes_read);
}

std::string rebuild_progress_line(const sync::PassStats& stats, std::uint64_t fragments_before,
                                  std::uint64_t bytes_before, const ExpectedRebuild& expected,
                                  double seconds) {
    char text[160];
    if (expected.fragments == 0) {
        std::snprintf(text, sizeof text, "%llu of %llu partitions",
                      static_cast<unsigned long long>(stats.partitions_done),
                      static_cast<unsigned long long>(stats.partitions));
        return text;
    }
    const std::uint64_t fragments = fragments_before + stats.fragments_rebuilt;
    const std::uint64_t bytes = bytes_before + stats.bytes_rebuilt;
    const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
    std::snprintf(text, sizeof text, "%llu of %llu fragments  %s of %s  %.1f MB/s",
                  static_cast<unsigned long long>(fragments),
                  static_cast<unsigned long long>(expected.fragments), human_bytes(bytes).c_str(),
                  human_bytes(expected.bytes).c_str(), rate / 1e6);
    std::string line = text;
    if (rate > 0 && bytes < expected.bytes)
        line += "  left " + human_seconds(static_cast<double>(expected.bytes - bytes) / rate);
    return line;
}

EmbeddedReconstructor::EmbeddedReconstructor(swift::ReconstructorOptions options,
                                             const Clock& clock, Logger log, StderrSink* screen,
                                             const std::atomic<bool>& stop)
    : options_(std::move(options)),
      clock_(clock),
      log_(std::move(log)),
      screen_(screen),
      stop_(stop),
      activities_(clock) {}

EmbeddedReconstructor::~EmbeddedReconstructor() {
    if (engine_) drive(engine_->stop());
}

Result<std::unique_ptr<EmbeddedReconstructor>> EmbeddedReconstructor::make(
    const demo::Cluster& cluster, Backend backend, const Clock& clock, const Logger& log,
    StderrSink* screen, const std::atomic<bool>& stop) {
    auto options = swift::load_reconstructor_options(cluster.conf_path());
    if (options.has_error()) return options.error();
    std::unique_ptr<EmbeddedReconstructor> made(
        new EmbeddedReconstructor(std::move(options.value()), clock, log, screen, stop));
    auto policies = load_policy_states(made->options_, cluster.conf(), log, clock);
    if (policies.has_error()) return policies.error();
    made->policies_ = std::move(policies.value());
    std::unique_ptr<scheduler::Codec> codec;
    if (backend != Backend::automatic) {
        auto handle = make_backend(backend, clock, log);
        if (handle.has_error()) return handle.error();
        codec = std::move(handle->codec);
    }
    made->engine_ = std::make_unique<Engine>(
        made->options_, throttle_settings(made->options_.fragmend.throttle, Share{}), clock, log,
        std::move(codec));
    auto usable = made->engine_->codec().check(cluster.spec().scheme);
    if (usable.has_error()) return usable.error();
    made->sleeper_ = std::make_unique<Sleeper>(made->engine_->io().get_executor());
    return made;
}

void EmbeddedReconstructor::drive(Awaitable<void> work) {
    auto& io = engine_->io();
    // Connections that are kept for the next rebuild may still have work; it waits until then.
    io.restart();
    TaskGroup main(io.get_executor());
    main.spawn(std::move(work));
    while (main.running() > 0 && io.run_one() > 0) {
    }
}

RebuildRun EmbeddedReconstructor::run(const ExpectedRebuild& expected) {
    RebuildRun run;
    drive(run_passes(run, expected));
    return run;
}

Awaitable<void> EmbeddedReconstructor::run_passes(RebuildRun& run,
                                                  const ExpectedRebuild& expected) {
    while (static_cast<int>(run.passes.size()) < passes_max) {
        run.passes.emplace_back();
        sync::PassStats& stats = run.passes.back().stats;
        sync::Suspects suspects;
        auto targets = engine_->target_slots();
        auto services = engine_->services(stats, suspects, targets, activities_, metrics_);
        const auto read_before = engine_->rebuild_stats().survivor_bytes;
        const double cpu_before = cpu_seconds();

        Pass pass(services, policies_, {}, {});
        pass_runs_ = true;
        TaskGroup watchers(engine_->io().get_executor());
        watchers.spawn(watch(pass, run, stats, expected));
        co_await pass.run();
        run.passes.back().seconds = pass.seconds();
        run.cpu_seconds += cpu_seconds() - cpu_before;
        stats.survivor_bytes_read = engine_->rebuild_stats().survivor_bytes - read_before;
        pass_runs_ = false;
        sleeper_->wake_all();
        co_await watchers.join();
        run.stopped = stats.stopped;
        if (!stats.work_remains() || run.stopped) break;
    }
    run.memory_peak_bytes = engine_->snapshot().memory_peak_bytes;
}

Awaitable<void> EmbeddedReconstructor::watch(Pass& pass, const RebuildRun& run,
                                             const sync::PassStats& stats,
                                             const ExpectedRebuild& expected) {
    bool cancelled = false;
    while (pass_runs_) {
        if (stop_ && !cancelled) {
            cancelled = true;
            pass.cancel(sync::Ending::now);
        }
        if (screen_ != nullptr) {
            screen_->set_status(rebuild_progress_line(
                stats, run.fragments() - stats.fragments_rebuilt, run.bytes() - stats.bytes_rebuilt,
                expected, run.seconds() + pass.seconds()));
        }
        co_await sleeper_->sleep(look_interval);
    }
    if (screen_ != nullptr) screen_->set_status("");
}

}  // namespace fragmend::app
