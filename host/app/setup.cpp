// Reading everything and becoming a daemon.
#include "host/app/setup.hpp"

#include <unistd.h>

#include <filesystem>
#include <random>

#include "host/app/limit_reload.hpp"
#include "host/app/process_life.hpp"
#include "host/swift/local_devices.hpp"
#include "host/swift/policy_disk.hpp"

namespace fragmend::app {
namespace {

SyslogSettings syslog_settings(const swift::LogOptions& log) {
    return {log.name,     log.facility, log.address,
            log.udp_host, log.udp_port, static_cast<std::size_t>(log.max_line_length)};
}

}  // namespace

Result<std::vector<PolicyState>> load_policy_states(const swift::ReconstructorOptions& options,
                                                    const swift::SwiftConf& conf, const Logger& log,
                                                    const Clock& clock) {
    std::vector<PolicyState> states;
    for (const swift::Policy& policy : conf.erasure_coded_policies()) {
        PolicyState state;
        state.policy = policy;
        state.disk = swift::policy_disk(options, conf, policy, log, clock);
        state.ring_file = std::make_unique<swift::RingFile>(options.swift_dir, policy, log);
        auto ring = state.ring_file->load(clock.steady());
        if (ring.has_error()) return ring.error();
        state.ring = std::move(ring.value());
        states.push_back(std::move(state));
    }
    return states;
}

Setup::Setup(const CommandLine& line, swift::ReconstructorOptions options, swift::SwiftConf conf)
    : line_(line),
      options_(std::move(options)),
      conf_(std::move(conf)),
      syslog_(syslog_settings(options_.log)),
      stderr_(options_.log.name, clock_),
      tee_(syslog_, stderr_),
      log_(line.check     ? static_cast<LogSink*>(&stderr_)
           : line.verbose ? static_cast<LogSink*>(&tee_)
                          : &syslog_,
           options_.log.level) {
    if (!options_.log.statsd_host.empty()) {
        statsd_.emplace(statsd_settings(options_.log), log_, std::random_device{}());
        statsd_->resolve();
    }
}

Result<std::unique_ptr<Setup>> Setup::make(const CommandLine& line) {
    auto options = swift::load_reconstructor_options(line.conf_path);
    if (options.has_error()) return options.error();
    auto conf = swift::load_swift_conf(line.swift_conf);
    if (conf.has_error()) return conf.error();
    std::unique_ptr<Setup> made(
        new Setup(line, std::move(options.value()), std::move(conf.value())));
    if (auto lasting = lasting_configuration(line); lasting.has_value())
        made->lasting_configuration_ = std::move(*lasting);
    if (auto done = made->become_daemon(); done.has_error()) return done.error();
    if (auto done = made->load_policies(); done.has_error()) return done.error();
    return made;
}

Result<void> Setup::become_daemon() {
    for (const auto& warning : conf_.warnings)
        log_.warning(warning);
    for (const auto& warning : options_.warnings)
        log_.warning(warning);
    if (!line_.check) apply_priorities(options_, log_);
    // Root checks for somebody else; anybody else can only start as who he is.
    if (!line_.check || ::geteuid() != 0) {
        if (auto dropped = drop_privileges(options_.user); dropped.has_error()) {
            return Error{errc::bad_config, options_.conf_path + ": [object-reconstructor] user = " +
                                               options_.user + ": " + dropped.error().detail};
        }
    }
    // Relative paths of the configuration mean the folder in which the process was started.
    options_.devices = std::filesystem::absolute(options_.devices).string();
    options_.swift_dir = std::filesystem::absolute(options_.swift_dir).string();
    options_.recon_cache_path = std::filesystem::absolute(options_.recon_cache_path).string();
    if (line_.check) return {};
    raise_file_limit();
    settle_process();
    orders_ = OrderMemory::take_over();
    forget_ordered_limits();
    return {};
}

void Setup::forget_ordered_limits() {
    const auto forgotten = orders_.edit([](Orders& orders) { orders.limits.clear(); });
    if (forgotten.has_error()) log_.warning(forgotten.error().detail);
}

Result<void> Setup::load_policies() {
    auto states = load_policy_states(options_, conf_, log_, clock_);
    if (states.has_error()) return states.error();
    policies_ = std::move(states.value());
    return {};
}

std::optional<swift::ThrottleOptions> Setup::changed_limits() const {
    const auto lasting = lasting_configuration(line_);
    if (lasting.has_error() || *lasting != lasting_configuration_) return std::nullopt;
    const auto path = std::filesystem::path(line_.start_directory) / line_.conf_path;
    const auto options = swift::load_reconstructor_options(path.string());
    if (options.has_error() || options->fragmend.throttle == options_.fragmend.throttle)
        return std::nullopt;
    return options->fragmend.throttle;
}

std::set<std::string> Setup::local_devices() const {
    const auto addresses = swift::my_addresses(options_.ring_ip, swift::interface_addresses());
    std::set<std::string> names;
    for (const PolicyState& state : policies_) {
        for (const Node& node : swift::local_devices(*state.ring, addresses, options_.port))
            names.insert(node.device);
    }
    return names;
}

bool Setup::refresh_rings() {
    bool changed = false;
    for (PolicyState& state : policies_) {
        auto newest = state.ring_file->newest(clock_.steady());
        changed = changed || newest != state.ring;
        state.ring = std::move(newest);
    }
    return changed;
}

void Setup::tell_recon(const swift::ReconUpdate& update, const Logger& log) const {
    const auto told = swift::update_recon_cache(options_.recon_cache_file(), update);
    if (told.has_error()) log.error("Exception dumping recon cache: " + told.error().detail);
}

}  // namespace fragmend::app
