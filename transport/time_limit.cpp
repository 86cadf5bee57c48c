// Limits and their wording.
#include "transport/time_limit.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fragmend::transport {
namespace {

/// Far enough to mean "no limit", near enough not to overflow a clock.
constexpr double seconds_max = 1e8;

std::string python_float(double value) {
    char text[64];
    const auto printed = std::to_chars(text, text + sizeof text, value);
    std::string number(text, printed.ptr);
    if (number.find_first_not_of("-0123456789") == std::string::npos) number += ".0";
    return number;
}

}  // namespace

TimeLimit::TimeLimit(double seconds, std::string text)
    : duration_(std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::duration<double>(std::clamp(seconds, 0.0, seconds_max)))),
      text_(std::move(text)) {}

TimeLimit TimeLimit::from_float(double seconds) {
    return {seconds, python_float(seconds)};
}

TimeLimit TimeLimit::from_int(std::int64_t seconds) {
    return {static_cast<double>(seconds), std::to_string(seconds)};
}

std::string TimeLimit::words() const {
    return text_ + (duration_ == std::chrono::seconds(1) ? " second" : " seconds");
}

Deadline::Deadline(const TimeLimit& limit, std::string_view words, bool is_stage)
    : at_(std::chrono::steady_clock::now() +
          std::chrono::duration_cast<std::chrono::steady_clock::duration>(limit.duration())),
      limit_(&limit),
      words_(words),
      is_stage_(is_stage) {}

Deadline Deadline::stage(const TimeLimit& limit, std::string_view stage) {
    return {limit, stage, true};
}

Deadline Deadline::exception(const TimeLimit& limit, std::string_view class_name) {
    return {limit, class_name, false};
}

Error Deadline::error() const {
    FRAGMEND_ASSERT(limit_ != nullptr);
    if (is_stage_) return {errc::timeout, limit_->words() + ": " + std::string(words_)};
    return {errc::timeout, std::string(words_) + " (" + limit_->text() + "s)"};
}

}  // namespace fragmend::transport
