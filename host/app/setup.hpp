// What a reconstructor process knows before it starts any thread: configuration, log, rings.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/app/command_line.hpp"
#include "host/app/log_sinks.hpp"
#include "host/app/order_memory.hpp"
#include "host/app/pass.hpp"
#include "host/app/statsd.hpp"
#include "host/base/metrics.hpp"
#include "host/swift/recon_cache.hpp"
#include "host/swift/reconstructor_options.hpp"
#include "host/swift/swift_conf.hpp"

namespace fragmend::app {

/// The erasure-coded policies of `conf` with their rings. Blocks. Errors: bad_ring, not_found, io.
Result<std::vector<PolicyState>> load_policy_states(const swift::ReconstructorOptions& options,
                                                    const swift::SwiftConf& conf, const Logger& log,
                                                    const Clock& clock);

/// Made once at start; workers get it by fork. Lives in `main`, outlives everything that runs.
class Setup {
  public:
    /// Reads the configuration and the rings, and becomes the daemon's user unless the command line
    /// only asks for a check. Errors: bad_config, bad_ring, not_found, io.
    static Result<std::unique_ptr<Setup>> make(const CommandLine& line);

    const CommandLine& line() const { return line_; }
    const Clock& clock() const { return clock_; }
    const swift::ReconstructorOptions& options() const { return options_; }
    const Logger& log() const { return log_; }
    StderrSink& screen() { return stderr_; }
    std::vector<PolicyState>& policies() { return policies_; }
    Metrics& metrics() { return statsd_ ? static_cast<Metrics&>(*statsd_) : no_metrics_; }
    /// Blocks on the resolver.
    void resolve_statsd() {
        if (statsd_) statsd_->resolve();
    }

    /// The limits that the configuration has now, if they are all that it changed since it was
    /// read. Blocks.
    std::optional<swift::ThrottleOptions> changed_limits() const;
    void take_limits(const swift::ThrottleOptions& limits) { options_.fragmend.throttle = limits; }
    /// What this and former processes of the service were told; nothing for a check.
    OrderMemory& orders() { return orders_; }
    /// Those of the configuration hold again, for workers that are started from now on.
    void forget_ordered_limits();

    /// True for one pass, by the command line or by the configuration.
    bool is_once() const { return line_.once || !options_.daemonize; }
    /// Names of this node's devices in all rings as they are loaded. Blocks on the resolver.
    std::set<std::string> local_devices() const;
    /// Loads rings whose files changed; a bad one is logged and the old one stays. True when any
    /// ring is another one now. Blocks.
    bool refresh_rings();
    /// Merges into the recon cache; what fails is logged in Swift's words. Blocks.
    void tell_recon(const swift::ReconUpdate& update, const Logger& log) const;

  private:
    Setup(const CommandLine& line, swift::ReconstructorOptions options, swift::SwiftConf conf);
    Result<void> become_daemon();
    Result<void> load_policies();

    CommandLine line_;
    /// As it was read; empty if it could not be read again: then nothing is ever equal to it.
    std::string lasting_configuration_;
    SystemClock clock_;
    swift::ReconstructorOptions options_;
    swift::SwiftConf conf_;
    OrderMemory orders_;
    SyslogSink syslog_;
    StderrSink stderr_;
    TeeSink tee_;
    Logger log_;
    NoMetrics no_metrics_;
    std::optional<Statsd> statsd_;
    std::vector<PolicyState> policies_;
};

}  // namespace fragmend::app
