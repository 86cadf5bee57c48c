// Start, passes, signals and end of the reconstructor.
#include "host/app/reconstructor.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "host/app/process_life.hpp"
#include "host/app/summary.hpp"

namespace fragmend::app {
namespace {

constexpr std::chrono::milliseconds progress_interval{500};

SyslogSettings syslog_settings(const swift::ReconstructorOptions& options) {
    return {options.log.name,     options.log.facility,
            options.log.address,  options.log.udp_host,
            options.log.udp_port, static_cast<std::size_t>(options.log.max_line_length)};
}

}  // namespace

Reconstructor::Reconstructor(const CommandLine& line, swift::ReconstructorOptions options,
                             swift::SwiftConf conf)
    : line_(line),
      options_(std::move(options)),
      conf_(std::move(conf)),
      syslog_(syslog_settings(options_)),
      stderr_(options_.log.name, clock_),
      tee_(syslog_, stderr_),
      log_(line.verbose ? static_cast<LogSink*>(&tee_) : &syslog_, options_.log.level) {}

Result<std::unique_ptr<Reconstructor>> Reconstructor::make(const CommandLine& line) {
    auto options = swift::load_reconstructor_options(line.conf_path);
    if (options.has_error()) return options.error();
    auto conf = swift::load_swift_conf(line.swift_conf);
    if (conf.has_error()) return conf.error();
    std::unique_ptr<Reconstructor> made(
        new Reconstructor(line, std::move(options.value()), std::move(conf.value())));
    if (auto done = made->become_daemon(); done.has_error()) return done.error();
    if (auto done = made->load_policies(); done.has_error()) return done.error();
    return made;
}

Result<void> Reconstructor::become_daemon() {
    for (const auto& warning : conf_.warnings)
        log_.warning(warning);
    for (const auto& warning : options_.warnings)
        log_.warning(warning);
    if (options_.nice_priority) {
        if (auto set = set_nice(*options_.nice_priority); set.has_error()) {
            log_.warning(set.error().detail);
        }
    }
    if (options_.io_priority) {
        if (auto set = set_ionice(options_.io_priority->io_class, options_.io_priority->level);
            set.has_error()) {
            log_.warning(set.error().detail);
        }
    }
    if (auto dropped = drop_privileges(options_.user); dropped.has_error()) {
        return Error{errc::bad_config, options_.conf_path + ": [object-reconstructor] user = " +
                                           options_.user + ": " + dropped.error().detail};
    }
    raise_file_limit();
    // Relative paths of the configuration mean the folder in which the process was started.
    options_.devices = std::filesystem::absolute(options_.devices).string();
    options_.swift_dir = std::filesystem::absolute(options_.swift_dir).string();
    settle_process();
    return {};
}

Result<void> Reconstructor::load_policies() {
    engine_ = std::make_unique<Engine>(options_, clock_, log_);
    for (const swift::Policy& policy : conf_.erasure_coded_policies()) {
        if (auto usable = engine_->codec().check({policy.ec_type, policy.k, policy.m});
            usable.has_error()) {
            return Error{errc::bad_config,
                         line_.swift_conf + ": [storage-policy:" + std::to_string(policy.index) +
                             "] ec_type = " + policy.ec_type + ": " + usable.error().detail};
        }
        PolicyState state;
        state.policy = policy;
        state.disk.devices_root = options_.devices;
        state.disk.mount_check = options_.mount_check;
        state.disk.reclaim_age_s = options_.reclaim_age_s;
        state.disk.commit_window_s = options_.commit_window_s;
        state.disk.hash_path_prefix = conf_.hash_path_prefix;
        state.disk.hash_path_suffix = conf_.hash_path_suffix;
        state.disk.data_dir_name = policy.data_dir();
        state.disk.fragment_count = policy.unique_fragments();
        state.disk.logger = log_;
        state.disk.clock = &clock_;
        state.ring_file = std::make_unique<swift::RingFile>(options_.swift_dir, policy, log_);
        auto ring = state.ring_file->load(clock_.steady());
        if (ring.has_error()) return ring.error();
        state.ring = std::move(ring.value());
        policies_.push_back(std::move(state));
    }
    return {};
}

int Reconstructor::run() {
    log_.notice("Starting " + std::to_string(::getpid()));
    notify_service_manager("READY=1");
    sleeper_ = std::make_unique<Sleeper>(engine_->io().get_executor());
    signals_ = std::make_unique<asio::signal_set>(engine_->io(), SIGTERM, SIGINT);
    TaskGroup main(engine_->io().get_executor());
    const bool once = line_.once || !options_.daemonize;
    main.spawn(once ? run_once() : run_forever());
    engine_->io().run();
    log_.notice("Exited " + std::to_string(::getpid()));
    return exit_code_;
}

Awaitable<void> Reconstructor::run_once() {
    TaskGroup helpers(engine_->io().get_executor());
    helpers.spawn(wait_for_signal());
    log_.info("Running object reconstructor in script mode.");
    co_await run_pass(true);
    signals_->cancel();
    co_await helpers.join();
    co_await engine_->stop();
}

Awaitable<void> Reconstructor::run_forever() {
    TaskGroup helpers(engine_->io().get_executor());
    helpers.spawn(wait_for_signal());
    log_.info("Starting object reconstructor in daemon mode.");
    while (!stopping_) {
        log_.info("Starting object reconstruction pass.");
        co_await run_pass(false);
        if (stopping_) break;
        log_.debug("reconstruction sleeping for " + std::to_string(options_.interval_s) +
                   " seconds.");
        co_await sleeper_->sleep(std::chrono::duration<double>(options_.interval_s));
    }
    co_await helpers.join();
    co_await engine_->stop();
}

Awaitable<void> Reconstructor::run_pass(bool is_once) {
    sync::PassStats stats;
    sync::Suspects suspects;
    // With no device lock at the peers (0) as many sessions as we run may go to one device.
    const auto per_device = options_.replication_concurrency_per_device;
    sync::TargetSlots targets(
        engine_->io().get_executor(),
        static_cast<std::size_t>(per_device > 0 ? per_device : options_.fragmend.sessions));
    auto services = engine_->services(stats, suspects, targets);
    const auto read_before = engine_->rebuild_stats().survivor_bytes;

    Pass pass(services, policies_, line_.devices, line_.partitions);
    pass_ = &pass;
    TaskGroup watchers(engine_->io().get_executor());
    watchers.spawn(log_heartbeat(pass));
    if (shows_progress()) watchers.spawn(show_progress(pass, stats));
    co_await pass.run();
    pass_ = nullptr;
    sleeper_->wake_all();
    co_await watchers.join();
    stderr_.set_status("");

    const double seconds = pass.seconds();
    stats.survivor_bytes_read = engine_->rebuild_stats().survivor_bytes - read_before;
    pass.log_stats();
    if (options_.handoffs_only && stats.handoffs_remaining > 0) {
        log_.info("Handoffs only mode still has handoffs remaining. "
                  "Next pass will continue to revert handoffs.");
    } else if (options_.handoffs_only) {
        log_.warning("Handoffs only mode found no handoffs remaining. You should disable "
                     "handoffs_only once all nodes are reporting no handoffs remaining.");
    }
    char minutes[32];
    std::snprintf(minutes, sizeof minutes, "%.02f", seconds / 60);
    log_.info(std::string(is_once ? "Object reconstruction complete (once). ("
                                  : "Object reconstruction complete. (") +
              minutes + " minutes)");
    if (!is_once) co_return;
    if (line_.json)
        std::cout << summary_json(stats, seconds) << std::endl;
    else if (!line_.drop_in)
        std::cout << summary_text(stats, seconds) << std::flush;
    if (line_.drop_in) co_return;
    // Who runs us again as long as work remains shall not stop at the first object that is lost.
    if (stats.work_remains()) {
        exit_code_ = static_cast<int>(ExitCode::work_remains);
    } else if (stats.anything_unrecoverable()) {
        exit_code_ = static_cast<int>(ExitCode::unrecoverable_objects);
    }
}

bool Reconstructor::shows_progress() const {
    if (line_.progress == ProgressMode::automatic) return ::isatty(STDERR_FILENO) != 0;
    return line_.progress == ProgressMode::always;
}

Awaitable<void> Reconstructor::show_progress(const Pass& pass, const sync::PassStats& stats) {
    // The recent rate is that of the last half minute or so, the other end of the range is the
    // overall.
    constexpr double memory_s = 30;
    double recent = 0, last_seconds = 0;
    std::uint64_t last_done = 0;
    while (pass_ != nullptr) {
        const double now = pass.seconds();
        const double step = now - last_seconds;
        if (step > 0) {
            const double rate = static_cast<double>(stats.partitions_done - last_done) / step;
            const double weight = std::min(1.0, step / std::min(memory_s, std::max(now, 1e-3)));
            recent += (rate - recent) * weight;
        }
        last_seconds = now;
        last_done = stats.partitions_done;
        stderr_.set_status(progress_line(stats, now, recent));
        co_await sleeper_->sleep(progress_interval);
    }
}

Awaitable<void> Reconstructor::log_heartbeat(const Pass& pass) {
    while (true) {
        co_await sleeper_->sleep(std::chrono::duration<double>(options_.stats_interval_s));
        if (pass_ == nullptr) co_return;
        pass.log_stats();
    }
}

Awaitable<void> Reconstructor::wait_for_signal() {
    boost::system::error_code error;
    const int number =
        co_await signals_->async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    log_.notice(number == SIGTERM ? "SIGTERM received (" + std::to_string(::getpid()) + ")"
                                  : std::string("User quit"));
    // A second signal finds the default action: nobody has to wait for a disk that does not answer.
    signals_->clear(error);
    stopping_ = true;
    if (pass_ != nullptr) pass_->cancel();
    sleeper_->wake_all();
}

}  // namespace fragmend::app
