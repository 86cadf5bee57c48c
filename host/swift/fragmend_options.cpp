// Reading of the options that begin with `fragmend_`.
#include "host/swift/fragmend_options.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "host/swift/python_text.hpp"
#include "host/swift/throttle_options.hpp"

namespace fragmend::swift {
namespace {

constexpr std::array<std::string_view, 10> known_options = {
    "fragmend_codec",         "fragmend_decode_threads",   "fragmend_disk_sessions",
    "fragmend_disk_threads",  "fragmend_hedge_delay",      "fragmend_memory_limit",
    "fragmend_node_sessions", "fragmend_quarantine_brake", "fragmend_read_ahead",
    "fragmend_sessions"};

constexpr std::string_view prefix = "fragmend_";
constexpr std::int64_t memory_limit_min = 8 << 20;

void refuse_unknown(OptionReader& options, const IniSection& values) {
    for (const auto& [option, value] : values) {
        if (!option.starts_with(prefix)) continue;
        if (std::ranges::find(known_options, option) != known_options.end()) continue;
        const auto name = std::string_view(option).substr(prefix.size());
        if (std::ranges::find(throttle_option_names, name) != throttle_option_names.end()) continue;
        options.fail(bad_value(option, value, "there is no such option"));
    }
}

void read_memory_limit(OptionReader& options, FragmendOptions& out) {
    const IniValue* value = options.find("fragmend_memory_limit");
    if (value == nullptr) return;
    const auto bytes = size_in_bytes(value->text);
    if (!bytes || *bytes < memory_limit_min) {
        options.fail(bad_value("fragmend_memory_limit", *value,
                               "must be a size of at least 8M, such as 512M or 2G"));
        return;
    }
    out.memory_limit_bytes = *bytes;
}

void read_throttle(OptionReader& options, FragmendOptions& out) {
    for (const std::string_view name : throttle_option_names) {
        const std::string option = std::string(prefix) + std::string(name);
        const IniValue* value = options.find(option);
        if (value == nullptr) continue;
        const auto set = set_throttle_option(out.throttle, name, value->text);
        if (set.has_error()) options.fail(bad_value(option, *value, set.error().detail));
    }
}

void read_codec(OptionReader& options, FragmendOptions& out) {
    const IniValue* value = options.find("fragmend_codec");
    if (value == nullptr) return;
    const std::string name = lower_ascii(value->text);
    if (name == "auto")
        out.codec = CodecChoice::automatic;
    else if (name == "cpu")
        out.codec = CodecChoice::cpu;
    else if (name == "reference")
        out.codec = CodecChoice::reference;
    else
        options.fail(bad_value("fragmend_codec", *value, "must be auto, cpu or reference"));
}

}  // namespace

FragmendOptions read_fragmend_options(OptionReader& options, const IniSection& values,
                                      std::int64_t concurrency) {
    FragmendOptions out;
    refuse_unknown(options, values);
    read_memory_limit(options, out);
    read_codec(options, out);
    read_throttle(options, out);
    out.hedge_delay_s = options.number("fragmend_hedge_delay", out.hedge_delay_s, 0);
    out.sessions = options.whole("fragmend_sessions", std::max(concurrency, out.sessions), 1, 4096);
    out.node_sessions = options.whole("fragmend_node_sessions", out.node_sessions, 1, 4096);
    out.disk_sessions = options.whole("fragmend_disk_sessions", out.disk_sessions, 1, 4096);
    out.read_ahead = options.whole("fragmend_read_ahead", out.read_ahead, 1, 1024);
    out.disk_threads = options.whole("fragmend_disk_threads", out.disk_threads, 0, 1024);
    out.decode_threads = options.whole("fragmend_decode_threads", out.decode_threads, 0, 1024);
    out.quarantine_brake =
        options.whole("fragmend_quarantine_brake", out.quarantine_brake, 0, 1'000'000);
    return out;
}

}  // namespace fragmend::swift
