// Swift's metrics as statsd datagrams.
#include "host/app/statsd.hpp"

#include <netdb.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <system_error>
#include <utility>

#include "host/swift/json_members.hpp"

namespace fragmend::app {
namespace {

/// Statsd takes milliseconds; four decimals are what Swift sends since 2.36.
double milliseconds(std::chrono::duration<double> length) {
    return std::round(length.count() * 1000 * 1e4) / 1e4;
}

}  // namespace

StatsdSettings statsd_settings(const swift::LogOptions& log) {
    return {log.statsd_host,
            log.statsd_port,
            log.statsd_metric_prefix,
            log.name,
            log.statsd_default_sample_rate,
            log.statsd_sample_rate_factor};
}

std::string statsd_prefix(const std::string& metric_prefix, const std::string& log_name) {
    std::string prefix;
    for (const std::string& part : {metric_prefix, log_name}) {
        if (!part.empty()) prefix += part + ".";
    }
    return prefix;
}

std::string statsd_datagram(std::string_view prefix, std::string_view name, std::string_view value,
                            const char* kind, double sample_rate) {
    std::string text(prefix);
    text.append(name).append(":").append(value).append("|").append(kind);
    if (sample_rate < 1) text += "|@" + swift::json_number(sample_rate);
    return text;
}

Statsd::Statsd(StatsdSettings settings, Logger log, std::uint64_t seed)
    : settings_(std::move(settings)),
      log_(std::move(log)),
      sample_rate_(settings_.default_sample_rate * settings_.sample_rate_factor),
      prefix_(statsd_prefix(settings_.metric_prefix, settings_.log_name)),
      random_(seed) {}

void Statsd::resolve() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    for (const int family : {AF_INET, AF_INET6}) {
        hints.ai_family = family;
        if (::getaddrinfo(settings_.host.c_str(), std::to_string(settings_.port).c_str(), &hints,
                          &found) == 0)
            break;
        found = nullptr;
    }
    const std::lock_guard lock(mutex_);
    if (found == nullptr) {
        if (!std::exchange(failure_reported_, true))
            log_.warning("Error sending UDP message to '" + settings_.host +
                         "': it has no address");
        return;
    }
    std::memcpy(&address_, found->ai_addr, found->ai_addrlen);
    address_bytes_ = found->ai_addrlen;
    socket_.reset(::socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::freeaddrinfo(found);
}

void Statsd::count(std::string_view name, std::int64_t amount) {
    send(name, std::to_string(amount), "c");
}

void Statsd::timing(std::string_view name, std::chrono::duration<double> length) {
    send(name, swift::json_number(milliseconds(length)), "ms");
}

void Statsd::send(std::string_view name, const std::string& value, const char* kind) {
    const std::lock_guard lock(mutex_);
    if (!socket_.valid()) return;
    if (sample_rate_ < 1 && std::uniform_real_distribution<double>(0, 1)(random_) >= sample_rate_)
        return;
    const auto datagram = statsd_datagram(prefix_, name, value, kind, sample_rate_);
    const auto sent =
        ::sendto(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address_), address_bytes_);
    if (sent >= 0) {
        failure_reported_ = false;
    } else if (errno != EAGAIN && !std::exchange(failure_reported_, true)) {
        log_.warning("Error sending UDP message to '" + settings_.host +
                     "': " + std::generic_category().message(errno));
    }
}

}  // namespace fragmend::app
