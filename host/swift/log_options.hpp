// The log_* options that every Swift daemon shares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/base/log.hpp"
#include "host/swift/option_reader.hpp"

namespace fragmend::swift {

/// Source: swift.common.utils.get_logger.
struct LogOptions {
    std::string name;
    int facility = 16;  ///< Syslog code, LOG_LOCAL0; multiply by 8 for the priority.
    LogLevel level = LogLevel::info;
    std::string address = "/dev/log";
    std::string udp_host;  ///< Wins over `address` when not empty.
    std::uint16_t udp_port = 514;
    std::int64_t max_line_length = 0;  ///< 0 is unlimited.

    std::string statsd_host;  ///< Empty switches statsd off.
    std::uint16_t statsd_port = 8125;
    double statsd_default_sample_rate = 1.0;
    double statsd_sample_rate_factor = 1.0;
    std::string statsd_metric_prefix;
};

/// Reads the log options; unknown facilities and levels become Swift's defaults. What can not be
/// honoured is added to `warnings`, bad numbers are kept by `options`.
LogOptions read_log_options(OptionReader& options, std::string_view name_default,
                            std::vector<std::string>& warnings);

}  // namespace fragmend::swift
