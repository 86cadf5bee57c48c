// Passes, signals, and what is told around them.
#include "host/app/reconstructor.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <thread>

#include "host/app/answer_gathering.hpp"
#include "host/app/device_report.hpp"
#include "host/app/process_life.hpp"
#include "host/app/recon_report.hpp"
#include "host/app/reload.hpp"
#include "host/app/summary.hpp"
#include "host/app/throttle_choice.hpp"
#include "host/swift/json_members.hpp"

namespace fragmend::app {
namespace {

constexpr std::chrono::milliseconds progress_interval{500};
constexpr std::chrono::seconds sample_interval{5};
/// Lock-ups are looked for this often, or four times in `lockup_timeout`.
constexpr double lockup_look_s_max = 60;
/// Lines about stuck jobs in one go.
constexpr std::size_t activities_logged_max = 20;

std::string minutes_text(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.02f minutes", seconds / 60);
    return text;
}

/// Of the terminal behind standard error; one less, so that the cursor stays in the line. 0 where
/// there is no terminal.
std::size_t window_columns() {
    winsize window{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return 0;
    return window.ws_col - 1u;
}

}  // namespace

std::string sleeping_line(double interval_s) {
    return "reconstruction sleeping for " + swift::json_number(interval_s) + " seconds.";
}

Reconstructor::Reconstructor(Setup& setup, Share share, int summary_fd,
                             std::function<void(RunEnd)> leave)
    : setup_(setup),
      options_(setup.options()),
      limits_(options_.fragmend.throttle),
      share_(std::move(share)),
      once_(setup.is_once()),
      summary_fd_(summary_fd),
      leave_(std::move(leave)),
      log_(setup.log().with_prefix(share_.log_prefix(::getpid()))),
      activities_(setup.clock()) {
    for (PolicyState& state : setup_.policies()) {
        state.disk.logger = log_;
        state.disk.quarantine_count = &quarantines_;
    }
}

Result<void> Reconstructor::prepare() {
    engine_ = std::make_unique<Engine>(
        options_, throttle_settings(options_.fragmend.throttle, share_), setup_.clock(), log_);
    for (const PolicyState& state : setup_.policies()) {
        const auto& policy = state.policy;
        auto usable = engine_->codec().check({policy.ec_type, policy.k, policy.m});
        if (usable.has_value()) continue;
        return Error{errc::bad_config, setup_.line().swift_conf +
                                           ": [storage-policy:" + std::to_string(policy.index) +
                                           "] ec_type = " + policy.ec_type + ": " +
                                           usable.error().detail};
    }
    return {};
}

RunEnd Reconstructor::run() {
    auto executor = engine_->io().get_executor();
    sleeper_ = std::make_unique<Sleeper>(executor);
    signals_ = std::make_unique<asio::signal_set>(engine_->io(), SIGTERM, SIGINT, SIGHUP);
    accept_hangups();
    overdue_ =
        std::make_unique<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
    sample_timer_ = std::make_unique<asio::steady_timer>(executor);
    began_ = setup_.clock().steady();
    sample_ = sample_before_ = {began_, {}};
    listen();
    recall_orders();
    TaskGroup main(executor);
    main.spawn(once_ ? run_once() : run_forever());
    run_loop();
    hold_hangups();
    return end_;
}

void Reconstructor::run_loop() {
    auto& io = engine_->io();
    const auto& asks = engine_->replicate_calls();
    AnswerGathering gathering;
    while (io.run_one() > 0) {
        io.poll();
        const bool only_asks =
            engine_->sessions().in_use() == 0 && asks.in_use() * 2 > asks.capacity();
        if (only_asks && stats_ != nullptr)
            std::this_thread::sleep_for(gathering.next(asks.in_use(), stats_->answers));
    }
}

void Reconstructor::listen() {
    control_ = std::make_unique<ControlSocket>(
        engine_->io().get_executor(), log_,
        [this](const ControlRequest& request) { return answer(request); });
    if (auto listening = control_->listen(options_.recon_cache_path); listening.has_error())
        log_.warning("`fragmend status` will not reach this process: " + listening.error().detail);
}

void Reconstructor::start_helpers(TaskGroup& helpers) {
    helpers.spawn(serve_signals());
    helpers.spawn(leave_when_overdue());
    helpers.spawn(control_->serve());
    helpers.spawn(sample_rebuilds());
}

Awaitable<void> Reconstructor::end_helpers(TaskGroup& helpers) {
    co_await engine_->stop();
    co_await serve_last_signals();
    ended_ = true;
    signals_->cancel();
    overdue_->cancel();
    sample_timer_->cancel();
    control_->stop();
    co_await helpers.join();
}

Awaitable<void> Reconstructor::run_once() {
    TaskGroup helpers(engine_->io().get_executor());
    start_helpers(helpers);
    log_.info("Running object reconstructor in script mode.");
    co_await run_pass();
    co_await end_helpers(helpers);
}

Awaitable<void> Reconstructor::run_forever() {
    TaskGroup helpers(engine_->io().get_executor());
    start_helpers(helpers);
    log_.info("Starting object reconstructor in daemon mode.");
    while (!stopping_) {
        log_.info("Starting object reconstruction pass.");
        co_await run_pass();
        if (stopping_) break;
        log_.debug(sleeping_line(options_.interval_s));
        co_await sleeper_->sleep(std::chrono::duration<double>(options_.interval_s));
    }
    co_await end_helpers(helpers);
}

Awaitable<void> Reconstructor::run_pass() {
    sync::PassStats stats;
    sync::Suspects suspects;
    auto targets = engine_->target_slots();
    auto services = engine_->services(stats, suspects, targets, activities_, setup_.metrics());
    const auto read_before = engine_->rebuild_stats().survivor_bytes;
    const auto waits_before = engine_->snapshot().waits;
    const auto times_before = times_of(engine_->codec());

    Pass pass(services, setup_.policies(), share_.devices, share_.partitions);
    pass_ = &pass;
    for (const WorkChoice& choice : paused_)
        static_cast<void>(pass.cancel(choice, sync::Ending::after_session));
    stats_ = &stats;
    TaskGroup watchers(engine_->io().get_executor());
    watchers.spawn(log_heartbeat(pass));
    watchers.spawn(watch_for_lockups());
    if (shows_progress()) watchers.spawn(show_progress(pass, stats));
    co_await pass.run();
    pass_ = nullptr;
    stats_ = nullptr;
    ++passes_;
    sleeper_->wake_all();
    co_await watchers.join();
    setup_.screen().set_status("");

    stats.survivor_bytes_read = engine_->rebuild_stats().survivor_bytes - read_before;
    stats.waits = engine_->snapshot().waits - waits_before;
    stats.codec_times = times_of(engine_->codec()) - times_before;
    co_await after_pass(pass, stats);
}

Awaitable<void> Reconstructor::after_pass(const Pass& pass, sync::PassStats& stats) {
    const double seconds = pass.seconds();
    count_quarantines();
    pass.log_stats();
    if (options_.handoffs_only && stats.handoffs_remaining > 0) {
        log_.info(
            "Handoffs only mode still has handoffs remaining. "
            "Next pass will continue to revert handoffs.");
    } else if (options_.handoffs_only && !stats.stopped) {  // Else it has not seen all of them.
        log_.warning(
            "Handoffs only mode found no handoffs remaining. You should disable "
            "handoffs_only once all nodes are reporting no handoffs remaining.");
    }
    log_.info(
        (once_ ? "Object reconstruction complete (once). (" : "Object reconstruction complete. (") +
        minutes_text(seconds) + ")");
    // A pass that was broken off says nothing about how long one takes.
    if (!stats.stopped) co_await tell_recon(seconds);
    if (once_) conclude(stats, seconds);
}

Awaitable<void> Reconstructor::tell_recon(double seconds) {
    // Only what is meaningful: all partitions, and all devices or numbers by device.
    if (once_ && (!share_.partitions.empty() || (!share_.is_worker() && !share_.devices.empty())))
        co_return;
    const PassReport report{seconds / 60, setup_.clock().now().seconds(), share_.devices};
    auto update = share_.is_worker() ? report_of_worker(report, ::getpid())
                                     : report_of_single_process(report);
    auto tell = [this, update = std::move(update)] {
        setup_.tell_recon(update, log_);
        setup_.resolve_statsd();
        return true;
    };
    co_await offload(engine_->disk(), std::move(tell));
}

void Reconstructor::conclude(const sync::PassStats& stats, double seconds) {
    const auto& line = setup_.line();
    if (line.json && summary_fd_ >= 0) {
        const auto text = summary_json(stats, seconds);
        if (::write(summary_fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            log_.error("The summary of this worker is lost");
    } else if (line.json) {
        std::cout << summary_json(stats, seconds) << std::endl;
    } else if (!line.drop_in) {
        std::cout << share_.log_prefix(::getpid()) << summary_text(stats, seconds) << std::flush;
    }
    if (line.drop_in) return;
    // Who runs us again as long as work remains shall not stop at the first object that is lost.
    if (stats.work_remains()) {
        end_.exit_code = static_cast<int>(ExitCode::work_remains);
    } else if (stats.anything_unrecoverable()) {
        end_.exit_code = static_cast<int>(ExitCode::unrecoverable_objects);
    }
}

void Reconstructor::count_quarantines() {
    const auto total = quarantines_.load();
    if (total > quarantines_counted_) {
        setup_.metrics().count("quarantines",
                               static_cast<std::int64_t>(total - quarantines_counted_));
    }
    quarantines_counted_ = total;
}

bool Reconstructor::shows_progress() const {
    if (share_.is_worker()) return false;
    const auto mode = setup_.line().progress;
    if (mode == ProgressMode::automatic) return ::isatty(STDERR_FILENO) != 0;
    return mode == ProgressMode::always;
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
        setup_.screen().set_status(
            fit_to_columns(progress_line(stats, now, recent), window_columns()));
        co_await sleeper_->sleep(progress_interval);
    }
}

Awaitable<void> Reconstructor::log_heartbeat(const Pass& pass) {
    while (true) {
        co_await sleeper_->sleep(std::chrono::duration<double>(options_.stats_interval_s));
        if (pass_ == nullptr) co_return;
        count_quarantines();
        pass.log_stats();
        const StatusSource source = status_source();
        // A node with nothing to send logs what Swift logs.
        if (source.sessions.in_use > 0) log_.info(heartbeat_line(source));
    }
}

Awaitable<void> Reconstructor::watch_for_lockups() {
    const auto limit = std::chrono::duration<double>(options_.lockup_timeout_s);
    const auto look = std::min(limit / 4, std::chrono::duration<double>(lockup_look_s_max));
    while (true) {
        co_await sleeper_->sleep(look);
        if (pass_ == nullptr) co_return;
        if (engine_->gate().is_closed()) continue;
        const auto ended = activities_.end_stuck(limit);
        if (ended.empty()) continue;
        log_.error("Lockup detected.. killing live coros.");
        log_activities(ended);
    }
}

void Reconstructor::log_activities(const std::vector<sync::ActivityView>& activities) const {
    const auto shown = std::min(activities.size(), activities_logged_max);
    for (std::size_t i = 0; i < shown; ++i) {
        const auto& one = activities[i];
        log_.error("stuck: " + one.job + ": " + one.doing + " for " +
                   human_seconds(one.unchanged_for.count()));
    }
    if (activities.size() > shown)
        log_.error("stuck: " + std::to_string(activities.size() - shown) + " more jobs");
}

Awaitable<void> Reconstructor::sample_rebuilds() {
    boost::system::error_code error;
    while (!ended_) {
        sample_before_ =
            std::exchange(sample_, {setup_.clock().steady(), engine_->snapshot().waits});
        sample_timer_->expires_after(sample_interval);
        co_await sample_timer_->async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

Awaitable<void> Reconstructor::serve_signals() {
    TaskGroup looks(engine_->io().get_executor());
    boost::system::error_code error;
    while (!ended_) {
        const int number =
            co_await signals_->async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        if (number == SIGHUP && !once_) {
            looks_again_ = true;
            if (!is_looking_ && !stopping_) looks.spawn(look_at_configuration());
            continue;
        }
        log_.notice(end_line(number));
        // A second signal finds the default action: nobody has to wait for a disk that does not
        // answer. SIGHUP stays ours, and is no longer heard.
        boost::system::error_code ignored;
        signals_->remove(SIGTERM, ignored);
        signals_->remove(SIGINT, ignored);
        end_.start_anew = false;
        if (!stopping_) stop();
        break;
    }
    co_await looks.join();
}

Awaitable<void> Reconstructor::serve_last_signals() {
    for (const int number : {SIGTERM, SIGINT})
        static_cast<void>(std::signal(number, SIG_DFL));
    // One turn of the loop takes what the handler left, and one more serves it.
    asio::steady_timer turn(engine_->io().get_executor(), std::chrono::seconds(0));
    boost::system::error_code ignored;
    co_await turn.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_await asio::post(engine_->io().get_executor(), asio::use_awaitable);
}

Awaitable<void> Reconstructor::look_at_configuration() {
    is_looking_ = true;
    while (std::exchange(looks_again_, false) && !stopping_) {
        const bool took = co_await took_new_limits();
        // A worker has taken them already when two signals came as one; the rest is its parent's.
        if (took || stopping_ || share_.is_worker()) continue;
        log_.notice("SIGHUP received (" + std::to_string(::getpid()) +
                    "): looking at the configuration");
        auto check = [this] {
            return check_configuration_again(setup_.line(), log_,
                                             [this] { return stopping_.load(); });
        };
        const bool may = co_await offload(engine_->disk(), std::move(check));
        if (!may || stopping_ || looks_again_) continue;
        end_.start_anew = true;
        stop();
    }
    is_looking_ = false;
}

Awaitable<bool> Reconstructor::took_new_limits() {
    auto look = [this] { return setup_.changed_limits(); };
    const auto changed = co_await offload(engine_->configuration(), std::move(look));
    if (!changed) co_return false;
    setup_.take_limits(*changed);
    // A worker's parent has done it; by now they may be new ones.
    if (!share_.is_worker()) setup_.forget_ordered_limits();
    log_.notice("SIGHUP received (" + std::to_string(::getpid()) + "): only limits have changed");
    set_limits(*changed);
    co_return true;
}

void Reconstructor::stop() {
    stopping_ = true;
    if (once_ && !setup_.line().drop_in) end_.exit_code = static_cast<int>(ExitCode::work_remains);
    overdue_->expires_after(stop_limit);
    if (pass_ != nullptr) pass_->cancel(sync::Ending::now);
    sleeper_->wake_all();
}

Awaitable<void> Reconstructor::leave_when_overdue() {
    boost::system::error_code error = asio::error::operation_aborted;
    while (error) {
        // `stop` gives the timer its limit, which ends the wait that is under way.
        co_await overdue_->async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (ended_) co_return;
    }
    co_await serve_last_signals();
    if (ended_) co_return;
    const auto left = activities_.snapshot();
    log_.error(std::to_string(left.size()) + " jobs do not end; leaving without them");
    log_activities(left);
    leave_(end_);
}

}  // namespace fragmend::app
