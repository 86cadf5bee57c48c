// Start and end of the server.
#include "host/app/server_process.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "host/app/process_life.hpp"
#include "host/swift/policy_disk.hpp"

namespace fragmend::app {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds bind_pause{100};

/// Blocks or lets in what asks for a graceful end.
void mask_reloads(int how) {
    sigset_t reloads;
    sigemptyset(&reloads);
    sigaddset(&reloads, SIGHUP);
    sigaddset(&reloads, SIGUSR1);
    static_cast<void>(::pthread_sigmask(how, &reloads, nullptr));
}

SyslogSettings syslog_settings(const server::ServerOptions& options) {
    return {options.log.name,     options.log.facility,
            options.log.address,  options.log.udp_host,
            options.log.udp_port, static_cast<std::size_t>(options.log.max_line_length)};
}

}  // namespace

ServerProcess::ServerProcess(const CommandLine& line, server::ServerOptions options,
                             swift::SwiftConf conf)
    : line_(line),
      options_(std::move(options)),
      conf_(std::move(conf)),
      syslog_(syslog_settings(options_)),
      stderr_(options_.log.name, clock_),
      tee_(syslog_, stderr_),
      log_(line.verbose ? static_cast<LogSink*>(&tee_) : &syslog_, options_.log.level),
      disks_(static_cast<std::size_t>(options_.disk_threads)) {
    if (options_.log.statsd_host.empty()) return;
    statsd_.emplace(statsd_settings(options_.log), log_, std::random_device{}());
    statsd_->resolve();
}

ServerProcess::~ServerProcess() {
    disks_.join();
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::make(const CommandLine& line) {
    mask_reloads(SIG_BLOCK);
    auto options = server::load_server_options(line.conf_path);
    if (options.has_error()) return options.error();
    options->swift_conf_path = line.swift_conf;
    auto conf = swift::load_swift_conf(line.swift_conf);
    if (conf.has_error()) return conf.error();
    std::unique_ptr<ServerProcess> made(
        new ServerProcess(line, std::move(options.value()), std::move(conf.value())));
    // Ports below 1024 are for root alone, so the port is taken before root is given up.
    made->objects_ = std::make_unique<server::ObjectServer>(server::ServerSetup{
        made->io_.get_executor(), made->disks_.get_executor(), made->options_, made->stores_,
        made->conf_.constraints, &made->audit_, made->clock_, made->log_, made->metrics()});
    if (auto done = made->listen(); done.has_error()) return done.error();
    if (auto done = made->settle(); done.has_error()) return done.error();
    made->load_stores();
    return made;
}

Result<void> ServerProcess::listen() {
    transport::http::ServerLimits limits;
    limits.connections_max = static_cast<std::size_t>(options_.max_clients);
    limits.backlog = static_cast<int>(options_.backlog);
    limits.keep_idle_s = static_cast<int>(options_.keep_idle_s);
    limits.client = transport::TimeLimit::from_float(options_.client_timeout_s);
    limits.header_line_bytes_max =
        static_cast<std::size_t>(std::max<std::int64_t>(0, conf_.constraints.max_header_size));
    const auto give_up =
        steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                  std::chrono::duration<double>(options_.bind_timeout_s));
    for (;;) {
        listener_ = std::make_unique<transport::http::Server>(io_.get_executor(), *objects_, limits,
                                                              clock_, log_);
        auto listening = listener_->listen(options_.bind_ip, options_.bind_port);
        if (listening.has_value()) return listening;
        if (steady_clock::now() >= give_up) {
            return Error{errc::bad_config, options_.conf_path + ": " + listening.error().detail};
        }
        std::this_thread::sleep_for(bind_pause);
    }
}

Result<void> ServerProcess::settle() {
    for (const auto& warning : conf_.warnings)
        log_.warning(warning);
    for (const auto& warning : options_.warnings)
        log_.warning(warning);
    if (auto dropped = drop_privileges(options_.user); dropped.has_error()) {
        return Error{errc::bad_config, options_.conf_path + ": user = " + options_.user + ": " +
                                           dropped.error().detail};
    }
    raise_file_limit();
    options_.devices = std::filesystem::absolute(options_.devices).string();
    options_.swift_dir = std::filesystem::absolute(options_.swift_dir).string();
    settle_process();
    return {};
}

void ServerProcess::load_stores() {
    for (const swift::Policy& policy : conf_.policies) {
        server::PolicyStore store;
        store.policy = policy;
        store.disk = swift::policy_disk(options_, conf_, policy, log_, clock_);
        store.fragment_bytes = audit_.fragment_bytes(policy);
        store.ring_file = std::make_shared<swift::RingFile>(options_.swift_dir, policy, log_);
        if (auto ring = store.ring_file->load(clock_.steady()); ring.has_error()) {
            log_.warning("No ring for policy " + policy.name + ": " + ring.error().detail +
                         "; partitions are taken at their word");
            store.ring_file = nullptr;
        } else if ((*ring)->next_part_power()) {
            log_.warning("The part power of policy " + policy.name +
                         " is being increased: writes that would have to be relinked are refused");
        }
        stores_.push_back(std::move(store));
    }
}

int ServerProcess::run() {
    log_.notice("Starting object server " + std::to_string(::getpid()));
    log_.notice("Listening at " + options_.bind_ip + ":" + std::to_string(listener_->port()));
    notify_service_manager("READY=1");
    signals_ = std::make_unique<asio::signal_set>(io_, SIGTERM, SIGINT);
    signals_->add(SIGHUP);
    signals_->add(SIGUSR1);
    mask_reloads(SIG_UNBLOCK);
    TaskGroup main(io_.get_executor());
    main.spawn(serve());
    main.spawn(heed_signals());
    io_.run();
    disks_.join();
    log_.notice("Exited " + std::to_string(::getpid()));
    return static_cast<int>(ExitCode::done);
}

Awaitable<void> ServerProcess::serve() {
    co_await listener_->run();
    signals_->cancel();
}

Awaitable<void> ServerProcess::heed_signals() {
    for (;;) {
        boost::system::error_code code;
        const int signal =
            co_await signals_->async_wait(asio::redirect_error(asio::use_awaitable, code));
        if (code) co_return;
        if (signal != SIGHUP && signal != SIGUSR1) co_return listener_->stop();
        log_.notice(std::string(signal == SIGHUP ? "SIGHUP" : "SIGUSR1") +
                    " received: ends when what has begun is answered");
        listener_->finish();
    }
}

}  // namespace fragmend::app
