// The log_* options that every Swift daemon shares.
#include "host/swift/log_options.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 24> facilities = {{
    {"LOG_KERN", 0},    {"LOG_USER", 1},      {"LOG_MAIL", 2},      {"LOG_DAEMON", 3},
    {"LOG_AUTH", 4},    {"LOG_SYSLOG", 5},    {"LOG_LPR", 6},       {"LOG_NEWS", 7},
    {"LOG_UUCP", 8},    {"LOG_CRON", 9},      {"LOG_AUTHPRIV", 10}, {"LOG_FTP", 11},
    {"LOG_NTP", 12},    {"LOG_SECURITY", 13}, {"LOG_CONSOLE", 14},  {"LOG_SOLCRON", 15},
    {"LOG_LOCAL0", 16}, {"LOG_LOCAL1", 17},   {"LOG_LOCAL2", 18},   {"LOG_LOCAL3", 19},
    {"LOG_LOCAL4", 20}, {"LOG_LOCAL5", 21},   {"LOG_LOCAL6", 22},   {"LOG_LOCAL7", 23},
}};

// NOTICE is no name of Python's logging module, so Swift takes it for INFO like any other word.
constexpr std::array<std::pair<std::string_view, LogLevel>, 7> levels = {{
    {"debug", LogLevel::debug},
    {"info", LogLevel::info},
    {"warn", LogLevel::warning},
    {"warning", LogLevel::warning},
    {"error", LogLevel::error},
    {"critical", LogLevel::critical},
    {"fatal", LogLevel::critical},
}};

template <typename Table, typename Value>
Value look_up(const Table& table, std::string_view name, Value otherwise) {
    const auto found = std::ranges::find(table, name, [](const auto& row) { return row.first; });
    return found == table.end() ? otherwise : found->second;
}

}  // namespace

LogOptions read_log_options(OptionReader& options, std::string_view name_default,
                            std::vector<std::string>& warnings) {
    LogOptions log;
    log.name = options.text("log_name", name_default);
    log.facility = look_up(facilities, options.text("log_facility", "LOG_LOCAL0"), 16);
    log.level = look_up(levels, lower_ascii(options.text("log_level", "INFO")), LogLevel::info);
    log.address = options.text("log_address", log.address);
    log.max_line_length = options.whole("log_max_line_length", 0);
    log.udp_host = options.text("log_udp_host", "");
    if (!log.udp_host.empty()) {
        log.udp_port = static_cast<std::uint16_t>(options.whole("log_udp_port", 514, 0, 65535));
    }
    log.statsd_host = options.text("log_statsd_host", "");
    if (!log.statsd_host.empty()) {
        log.statsd_port =
            static_cast<std::uint16_t>(options.whole("log_statsd_port", 8125, 0, 65535));
        log.statsd_metric_prefix = options.text("log_statsd_metric_prefix", "");
        log.statsd_default_sample_rate = options.number("log_statsd_default_sample_rate", 1, 0);
        log.statsd_sample_rate_factor = options.number("log_statsd_sample_rate_factor", 1, 0);
    }
    if (!options.text("log_custom_handlers", "").empty()) {
        warnings.push_back("Option log_custom_handlers is ignored: Python hooks can not be called");
    }
    return log;
}

}  // namespace fragmend::swift
