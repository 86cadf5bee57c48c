// Log lines: five of Python's levels, Swift's wording, one sink chosen at start.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fragmend {

enum class LogLevel : std::uint8_t {
    debug = 10,
    info = 20,
    notice = 25,
    warning = 30,
    error = 40,
    critical = 50
};

std::string_view to_string(LogLevel level);

/// Takes whole lines. Implementations are called from any thread and do their own locking.
class LogSink {
  public:
    virtual ~LogSink() = default;
    virtual void write(LogLevel level, std::string_view message) = 0;
};

/// What code logs through: a sink, a threshold and a prefix. Cheap to copy, safe from any thread.
/// The sink is owned by host/app and outlives every copy.
class Logger {
  public:
    Logger(LogSink* sink, LogLevel threshold, std::string prefix = {})
        : sink_(sink), threshold_(threshold), prefix_(std::move(prefix)) {}

    bool enabled(LogLevel level) const { return sink_ != nullptr && level >= threshold_; }
    void log(LogLevel level, std::string_view message) const {
        if (!enabled(level)) return;
        if (prefix_.empty()) return sink_->write(level, message);
        sink_->write(level, prefix_ + std::string(message));
    }
    void debug(std::string_view message) const { log(LogLevel::debug, message); }
    void info(std::string_view message) const { log(LogLevel::info, message); }
    void notice(std::string_view message) const { log(LogLevel::notice, message); }
    void warning(std::string_view message) const { log(LogLevel::warning, message); }
    void error(std::string_view message) const { log(LogLevel::error, message); }

    Logger with_prefix(std::string prefix) const { return {sink_, threshold_, prefix_ + prefix}; }

  private:
    LogSink* sink_;
    LogLevel threshold_;
    std::string prefix_;
};

}  // namespace fragmend
