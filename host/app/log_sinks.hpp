// Where log lines go: syslog as Swift's daemons write to it, standard error, or both.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "host/base/unique_fd.hpp"

namespace fragmend::app {

/// Swift's log_* options that decide about the sink.
struct SyslogSettings {
    std::string log_name;
    int facility = 16;  ///< LOG_LOCAL0.
    std::string address = "/dev/log";
    std::string udp_host;
    std::uint16_t udp_port = 514;
    std::size_t line_length_max = 0;  ///< 0: unlimited.
};

/// One datagram a line: `<PRI>NAME: MESSAGE\0`. A missing syslog loses lines, never time; one that
/// was started again is found by the next line, which says how many were lost. Source:
/// swift.common.utils.get_logger, SwiftLogFormatter, logging.handlers.SysLogHandler.
class SyslogSink final : public LogSink {
  public:
    explicit SyslogSink(SyslogSettings settings);
    void write(LogLevel level, std::string_view message) override;

  private:
    void connect();
    bool send(LogLevel level, std::string_view message);

    SyslogSettings settings_;
    std::mutex mutex_;  ///< Guards what follows.
    UniqueFd socket_;
    bool is_unix_ = false;
    std::uint64_t lost_ = 0;  ///< Lines since the last one that was taken.
};

/// `<ISO-8601 UTC> <LEVEL> <log name>: <message>` on standard error. A progress display may hold
/// the last screen line: it is asked to clear it before a line and to draw it again after.
class StderrSink final : public LogSink {
  public:
    StderrSink(std::string log_name, const Clock& clock)
        : log_name_(std::move(log_name)), clock_(clock) {}
    void write(LogLevel level, std::string_view message) override;
    /// The text that stays below all log lines; empty for none.
    void set_status(std::string status);

  private:
    std::string log_name_;
    const Clock& clock_;
    std::mutex mutex_;
    std::string status_;
};

/// Both of two sinks.
class TeeSink final : public LogSink {
  public:
    TeeSink(LogSink& first, LogSink& second) : first_(first), second_(second) {}
    void write(LogLevel level, std::string_view message) override {
        first_.write(level, message);
        second_.write(level, message);
    }

  private:
    LogSink& first_;
    LogSink& second_;
};

/// The bytes of one datagram, the closing NUL included.
std::string syslog_datagram(int facility, LogLevel level, std::string_view log_name,
                            std::string_view message, std::size_t line_length_max);

}  // namespace fragmend::app
