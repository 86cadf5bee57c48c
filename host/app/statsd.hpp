// Swift's metrics as statsd datagrams.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "host/base/log.hpp"
#include "host/base/metrics.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/log_options.hpp"

namespace fragmend::app {

/// Swift's log_statsd_* options, and log_name.
struct StatsdSettings {
    std::string host;
    std::uint16_t port = 8125;
    std::string metric_prefix;
    std::string log_name;
    double default_sample_rate = 1;
    double sample_rate_factor = 1;
};

/// One datagram a metric: `[PREFIX.]LOG_NAME.METRIC:VALUE|c` or `|ms`, with `|@RATE` where samples
/// are taken. A server that is slow or gone costs lost metrics, never time. Safe from any thread.
/// Source: swift.common.utils.StatsdClient.
class Statsd final : public Metrics {
  public:
    Statsd(StatsdSettings settings, Logger log, std::uint64_t seed);

    void count(std::string_view name, std::int64_t amount) override;
    void timing(std::string_view name, std::chrono::duration<double> length) override;

    /// Looks the host's address up, again and again over the life of the process, since it may
    /// move; IPv4 first, as Swift does. Blocks on the resolver: not for a network thread.
    void resolve();

  private:
    void send(std::string_view name, const std::string& value, const char* kind);

    StatsdSettings settings_;
    Logger log_;
    double sample_rate_;
    std::string prefix_;
    std::mutex mutex_;  ///< Guards what follows.
    std::mt19937_64 random_;
    UniqueFd socket_;
    sockaddr_storage address_{};
    socklen_t address_bytes_ = 0;
    bool failure_reported_ = false;
};

StatsdSettings statsd_settings(const swift::LogOptions& log);
/// `[metric_prefix.][log_name.]`. Source: StatsdClient._set_prefix.
std::string statsd_prefix(const std::string& metric_prefix, const std::string& log_name);
/// The bytes of one datagram; `sample_rate` below 1 is told.
std::string statsd_datagram(std::string_view prefix, std::string_view name, std::string_view value,
                            const char* kind, double sample_rate);

}  // namespace fragmend::app
