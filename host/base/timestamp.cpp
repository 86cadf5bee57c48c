// Parsing and printing of Swift's timestamps, in integers throughout.
#include "host/base/timestamp.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace fragmend {
namespace {

Error bad_timestamp(std::string_view text) {
    return {errc::bad_name, "not a timestamp: '" + std::string(text.substr(0, 64)) + "'"};
}

/// The common case, digits with at most five decimals, without a detour through a double.
bool parse_plain(std::string_view text, std::int64_t& raw) {
    const auto dot = text.find('.');
    const auto whole = text.substr(0, dot);
    const auto fraction = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
    if (whole.empty() || whole.size() > 10 || fraction.size() > 5) return false;
    std::int64_t value = 0;
    for (char c : whole) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    for (std::size_t i = 0; i < 5; ++i) {
        const char c = i < fraction.size() ? fraction[i] : '0';
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    raw = value;
    return true;
}

}  // namespace

Result<Timestamp> Timestamp::parse(std::string_view text) {
    Timestamp result;
    const auto mark = text.find('_');
    const auto seconds = text.substr(0, mark);
    if (!parse_plain(seconds, result.raw)) {
        double value = 0;
        const auto* end = seconds.data() + seconds.size();
        const auto parsed = std::from_chars(seconds.data(), end, value);
        if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value) || value < 0 ||
            value >= 1e10) {
            return bad_timestamp(text);
        }
        // Rounded as the text form is in Swift, where more than five decimals end in a tie.
        char rounded[40];
        const int length = std::snprintf(rounded, sizeof rounded, "%.5f", value);
        if (!parse_plain({rounded, static_cast<std::size_t>(length)}, result.raw)) {
            return bad_timestamp(text);
        }
    }
    if (mark != std::string_view::npos) {
        const auto hex = text.substr(mark + 1);
        const auto* end = hex.data() + hex.size();
        const auto parsed = std::from_chars(hex.data(), end, result.offset, 16);
        if (hex.empty() || parsed.ec != std::errc() || parsed.ptr != end)
            return bad_timestamp(text);
    }
    if (result.raw < 0 || result.raw >= timestamp_raw_end) return bad_timestamp(text);
    return result;
}

std::string Timestamp::normal() const {
    char text[32];
    const int length =
        std::snprintf(text, sizeof text, "%010lld.%05lld", static_cast<long long>(raw / 100000),
                      static_cast<long long>(raw % 100000));
    return std::string(text, static_cast<std::size_t>(length));
}

std::string Timestamp::internal() const {
    if (offset == 0) return normal();
    char text[24];
    std::snprintf(text, sizeof text, "_%016llx", static_cast<unsigned long long>(offset));
    return normal() + text;
}

std::string Timestamp::short_form() const {
    if (offset == 0) return normal();
    char text[24];
    std::snprintf(text, sizeof text, "_%llx", static_cast<unsigned long long>(offset));
    return normal() + text;
}

}  // namespace fragmend
