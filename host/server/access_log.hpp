// The line that is logged for each request, in the form of Swift's.
#pragma once

#include <string>

#include "host/base/clock.hpp"
#include "host/base/log.hpp"

namespace fragmend::server {

/// What a line tells; `path` as it came after decoding, a dash for what was not said.
struct AccessEntry {
    std::string peer = "-";
    std::string method;
    std::string path;
    int status = 0;
    std::string content_length = "-";
    std::string referer = "-";
    std::string trans_id = "-";
    std::string user_agent = "-";
    double seconds = 0;
    std::string policy_index = "-";
};

/// Writes such lines. Source: swift.common.utils.get_log_line.
class AccessLog {
  public:
    /// `is_on` is Swift's option log_requests. `clock` outlives this.
    AccessLog(const Clock& clock, Logger logger, bool is_on);

    /// Whether a line of this level would be seen; there is no need to make it otherwise.
    bool wants(LogLevel level) const { return is_on_ && logger_.enabled(level); }
    void write(LogLevel level, const AccessEntry& entry) const;

  private:
    const Clock& clock_;
    Logger logger_;
    bool is_on_;
};

}  // namespace fragmend::server
