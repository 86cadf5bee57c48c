// Access lines.
#include "host/server/access_log.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "host/base/bytes.hpp"

namespace fragmend::server {
namespace {

std::string time_of_day(const Timestamp& time) {
    const auto seconds = static_cast<std::time_t>(time.seconds());
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    const auto length = std::strftime(text.data(), text.size(), "%d/%b/%Y:%H:%M:%S +0000", &parts);
    return {text.data(), length};
}

}  // namespace

AccessLog::AccessLog(const Clock& clock, Logger logger, bool is_on)
    : clock_(clock), logger_(std::move(logger)), is_on_(is_on) {}

void AccessLog::write(LogLevel level, const AccessEntry& entry) const {
    if (!wants(level)) return;
    std::array<char, 32> seconds{};
    std::snprintf(seconds.data(), seconds.size(), "%.4f", entry.seconds);
    logger_.log(level, entry.peer + " - - [" + time_of_day(clock_.now()) + "] \"" + entry.method +
                           " " + percent_quote(entry.path) + "\" " + std::to_string(entry.status) +
                           " " + entry.content_length + " \"" + entry.referer + "\" \"" +
                           entry.trans_id + "\" \"" + entry.user_agent + "\" " + seconds.data() +
                           " \"-\" " + std::to_string(::getpid()) + " " + entry.policy_index);
}

}  // namespace fragmend::server
