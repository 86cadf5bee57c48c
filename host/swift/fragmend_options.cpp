// Reading of the options that begin with `fragmend_`.
#include "host/swift/fragmend_options.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::array<std::string_view, 14> known_options = {"fragmend_codec",
                                                            "fragmend_decode_threads",
                                                            "fragmend_device_read_limit",
                                                            "fragmend_device_send_limit",
                                                            "fragmend_disk_threads",
                                                            "fragmend_hedge_delay",
                                                            "fragmend_memory_limit",
                                                            "fragmend_node_read_limit",
                                                            "fragmend_node_send_limit",
                                                            "fragmend_profile",
                                                            "fragmend_read_ahead",
                                                            "fragmend_read_limit",
                                                            "fragmend_send_limit",
                                                            "fragmend_sessions"};

constexpr std::int64_t memory_limit_min = 8 << 20;
constexpr std::uint64_t rate_limit_min = 1 << 20;

void refuse_unknown(OptionReader& options, const IniSection& values) {
    for (const auto& [option, value] : values) {
        if (!option.starts_with("fragmend_")) continue;
        if (std::ranges::find(known_options, option) != known_options.end()) continue;
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

std::uint64_t read_rate(OptionReader& options, std::string_view name) {
    const IniValue* value = options.find(name);
    if (value == nullptr) return 0;
    const auto bytes = size_in_bytes(value->text);
    if (bytes && (*bytes == 0 || *bytes >= rate_limit_min)) return *bytes;
    options.fail(bad_value(name, *value,
                           "must be 0 for no limit, or at least 1M bytes a second, such as 50M"));
    return 0;
}

void read_profile(OptionReader& options, FragmendOptions& out) {
    const IniValue* value = options.find("fragmend_profile");
    if (value == nullptr) return;
    const std::string name = lower_ascii(value->text);
    if (name == "polite")
        out.profile = ProfileChoice::polite;
    else if (name == "balanced")
        out.profile = ProfileChoice::balanced;
    else if (name == "urgent")
        out.profile = ProfileChoice::urgent;
    else
        options.fail(bad_value("fragmend_profile", *value, "must be polite, balanced or urgent"));
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
    read_profile(options, out);
    out.read_limit = {read_rate(options, "fragmend_read_limit"),
                      read_rate(options, "fragmend_node_read_limit"),
                      read_rate(options, "fragmend_device_read_limit")};
    out.send_limit = {read_rate(options, "fragmend_send_limit"),
                      read_rate(options, "fragmend_node_send_limit"),
                      read_rate(options, "fragmend_device_send_limit")};
    out.hedge_delay_s = options.number("fragmend_hedge_delay", out.hedge_delay_s, 0);
    out.sessions = options.whole("fragmend_sessions", std::max(concurrency, out.sessions), 1, 4096);
    out.read_ahead = options.whole("fragmend_read_ahead", out.read_ahead, 1, 1024);
    out.disk_threads = options.whole("fragmend_disk_threads", out.disk_threads, 0, 1024);
    out.decode_threads = options.whole("fragmend_decode_threads", out.decode_threads, 0, 1024);
    return out;
}

}  // namespace fragmend::swift
