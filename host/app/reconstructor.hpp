// `fragmend reconstructor`: from the configuration files to the exit code.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <memory>
#include <vector>

#include "host/app/command_line.hpp"
#include "host/app/engine.hpp"
#include "host/app/log_sinks.hpp"
#include "host/app/pass.hpp"
#include "host/app/sleeper.hpp"
#include "host/swift/reconstructor_options.hpp"
#include "host/swift/swift_conf.hpp"

namespace fragmend::app {

/// The daemon, or one pass of it. Lives in `main`.
/// Source: swift.common.daemon.run_daemon; swift.obj.reconstructor.ObjectReconstructor.run_once,
/// run_forever.
class Reconstructor {
  public:
    /// Reads the configuration and loads all rings; says what is wrong and nothing else happens.
    /// Errors: bad_config, bad_ring, not_found, io, unsupported_scheme.
    static Result<std::unique_ptr<Reconstructor>> make(const CommandLine& line);
    /// Runs until the pass, or the daemon, ends. Returns the exit code.
    int run();

  private:
    Reconstructor(const CommandLine& line, swift::ReconstructorOptions options,
                  swift::SwiftConf conf);
    Result<void> load_policies();
    Result<void> become_daemon();
    Awaitable<void> run_once();
    Awaitable<void> run_forever();
    /// One pass with its own counters, and what is shown while and after it runs.
    Awaitable<void> run_pass(bool is_once);
    Awaitable<void> wait_for_signal();
    Awaitable<void> show_progress(const Pass& pass, const sync::PassStats& stats);
    Awaitable<void> log_heartbeat(const Pass& pass);
    bool shows_progress() const;

    CommandLine line_;
    SystemClock clock_;
    swift::ReconstructorOptions options_;
    swift::SwiftConf conf_;
    SyslogSink syslog_;
    StderrSink stderr_;
    TeeSink tee_;
    Logger log_;
    std::unique_ptr<Engine> engine_;
    std::vector<PolicyState> policies_;
    Pass* pass_ = nullptr;  ///< The one that runs, in the frame of `run_pass`.
    bool stopping_ = false;
    std::unique_ptr<Sleeper> sleeper_;
    std::unique_ptr<asio::signal_set> signals_;
    int exit_code_ = static_cast<int>(ExitCode::done);
};

}  // namespace fragmend::app
