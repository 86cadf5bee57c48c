// The closing summary and the progress line.
#include "host/app/summary.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "host/swift/python_text.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;
using Counts = std::map<std::string, std::uint64_t>;

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    return text;
}

double rate(std::uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
}

std::uint64_t total(const Counts& counts) {
    std::uint64_t sum = 0;
    for (const auto& [name, count] : counts)
        sum += count;
    return sum;
}

std::string by_class(const Counts& counts) {
    std::string text;
    for (const auto& [name, count] : counts) {
        text += text.empty() ? " (" : ", ";
        text += name + " " + std::to_string(count);
    }
    return text.empty() ? text : text + ")";
}

json::object json_counts(const Counts& counts) {
    json::object object;
    for (const auto& [name, count] : counts)
        object[name] = count;
    return object;
}

/// JSON has no other text than UTF-8: of what is none, only the ASCII is shown.
std::string utf8_of(std::string text) {
    if (swift::is_valid_utf8(text)) return text;
    for (char& c : text)
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    return text;
}

void merge_value(std::string_view name, json::value& into, const json::value& from);

void merge_object(json::object& into, const json::object& from) {
    for (const auto& [name, value] : from) {
        if (auto* known = into.if_contains(name))
            merge_value(name, *known, value);
        else
            into.emplace(name, value);
    }
}

void merge_value(std::string_view name, json::value& into, const json::value& from) {
    if (into.is_object() && from.is_object()) {
        merge_object(into.get_object(), from.get_object());
    } else if (into.is_array() && from.is_array()) {
        for (const auto& item : from.get_array())
            into.get_array().push_back(item);
    } else if (into.is_bool() && from.is_bool()) {
        into = into.get_bool() || from.get_bool();
    } else if (name == "seconds") {
        into = std::max(into.to_number<double>(), from.to_number<double>());
    } else if (into.is_number() && from.is_number()) {
        into = into.to_number<std::uint64_t>() + from.to_number<std::uint64_t>();
    }
}

constexpr std::array<std::pair<const char*, std::chrono::nanoseconds scheduler::Waits::*>, 8>
    wait_names = {{{"decode", &scheduler::Waits::decode},
                   {"disk", &scheduler::Waits::disk},
                   {"memory", &scheduler::Waits::memory},
                   {"network", &scheduler::Waits::network},
                   {"source", &scheduler::Waits::source},
                   {"starving", &scheduler::Waits::starving},
                   {"target", &scheduler::Waits::target},
                   {"throttle", &scheduler::Waits::throttle}}};

std::string limit_of(const scheduler::Waits& waits) {
    return std::string(scheduler::to_string(scheduler::limited_by(waits)));
}

json::object waits_ms(const scheduler::Waits& waits) {
    json::object object;
    for (const auto& [name, wait] : wait_names)
        object[name] = std::chrono::duration_cast<std::chrono::milliseconds>(waits.*wait).count();
    return object;
}

json::object codec_ms(const scheduler::CodecTimes& times) {
    const auto ms = [](std::chrono::nanoseconds time) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    };
    return {{"decode", ms(times.decode)}, {"verify", ms(times.verify)}};
}

/// What limited several processes together.
void merge_limit(json::object& merged) {
    const auto* const known = merged.if_contains("waits_ms");
    if (known == nullptr || !known->is_object()) return;
    scheduler::Waits waits;
    for (const auto& [name, wait] : wait_names) {
        const auto* const ms = known->get_object().if_contains(name);
        if (ms != nullptr && ms->is_number())
            waits.*wait = std::chrono::milliseconds(ms->to_number<std::int64_t>());
    }
    merged["limited_by"] = limit_of(waits);
}

std::string outcome(const sync::PassStats& stats) {
    if (stats.work_remains()) return "work remains: run again, see the log for what failed";
    return stats.anything_unrecoverable()
               ? "done, but some objects have too few good fragments (see the log)"
               : "done";
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
    static constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) return std::to_string(bytes) + " bytes";
    auto value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < std::size(units)) {
        value /= 1024;
        ++unit;
    }
    return format("%.1f %s", value, units[unit]);
}

std::string human_seconds(double seconds) {
    const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
    if (whole < 60) return format("%lld s", whole);
    if (whole < 3600) return format("%lld min %02lld s", whole / 60, whole % 60);
    return format("%lld h %02lld min", whole / 3600, whole % 3600 / 60);
}

std::string summary_text(const sync::PassStats& stats, double seconds) {
    std::string text = "fragmend: " + outcome(stats) + "\n";
    text +=
        format("  fragments rebuilt  %llu (%s) in %.1f s: %.1f fragments/s, %.1f MB/s\n",
               static_cast<unsigned long long>(stats.fragments_rebuilt),
               human_bytes(stats.bytes_rebuilt).c_str(), seconds,
               rate(stats.fragments_rebuilt, seconds), rate(stats.bytes_rebuilt, seconds) / 1e6);
    text += format("  survivors          %s read and checked against their MD5\n",
                   human_bytes(stats.survivor_bytes_read).c_str());
    text += "  limited by         " + limit_of(stats.waits) + "\n";
    text += format(
        "  reverted           %llu fragments (%s), %llu objects removed here, %llu "
        "handoffs remain\n",
        static_cast<unsigned long long>(stats.fragments_reverted),
        human_bytes(stats.bytes_reverted).c_str(),
        static_cast<unsigned long long>(stats.objects_purged),
        static_cast<unsigned long long>(stats.handoffs_remaining));
    text += format("  partitions         %llu of %llu on %llu devices (%llu not mounted)\n",
                   static_cast<unsigned long long>(stats.partitions_done),
                   static_cast<unsigned long long>(stats.partitions),
                   static_cast<unsigned long long>(stats.devices),
                   static_cast<unsigned long long>(stats.devices_unmounted));
    text += format("  failed objects     %llu",
                   static_cast<unsigned long long>(total(stats.failed_objects))) +
            by_class(stats.failed_objects) + "\n";
    text += format("  failed sessions    %llu",
                   static_cast<unsigned long long>(total(stats.failed_sessions))) +
            by_class(stats.failed_sessions) + "\n";
    if (!stats.failed_partitions.empty()) {
        text += format("  failed partitions  %llu",
                       static_cast<unsigned long long>(total(stats.failed_partitions))) +
                by_class(stats.failed_partitions) + "\n";
    }
    if (stats.bad_survivors_total > 0) {
        text += format("  bad survivors      %llu left out, the first:\n",
                       static_cast<unsigned long long>(stats.bad_survivors_total));
        for (std::size_t i = 0; i < std::min<std::size_t>(5, stats.bad_survivors.size()); ++i) {
            const auto& bad = stats.bad_survivors[i];
            text += "    " + bad.name + " " + bad.object + ": " + bad.reason + "\n";
        }
    }
    for (const auto& [name, target] : stats.targets) {
        if (target.offered == 0 && target.sessions_failed == 0) continue;
        text += format(
            "  to %s: %llu fragments (%s), %llu reverted (%s), %llu metadata, %llu tombstones, "
            "%llu objects failed, %llu of %llu sessions failed\n",
            name.c_str(), static_cast<unsigned long long>(target.fragments_rebuilt),
            human_bytes(target.bytes_rebuilt).c_str(),
            static_cast<unsigned long long>(target.fragments_reverted),
            human_bytes(target.bytes_reverted).c_str(),
            static_cast<unsigned long long>(target.metas_sent),
            static_cast<unsigned long long>(target.tombstones_sent),
            static_cast<unsigned long long>(target.objects_failed),
            static_cast<unsigned long long>(target.sessions_failed),
            static_cast<unsigned long long>(target.sessions));
    }
    return text;
}

std::string summary_json(const sync::PassStats& stats, double seconds) {
    json::object targets;
    for (const auto& [name, target] : stats.targets) {
        targets[name] = {{"fragments_rebuilt", target.fragments_rebuilt},
                         {"bytes_rebuilt", target.bytes_rebuilt},
                         {"fragments_reverted", target.fragments_reverted},
                         {"bytes_reverted", target.bytes_reverted},
                         {"metas_sent", target.metas_sent},
                         {"tombstones_sent", target.tombstones_sent},
                         {"objects_failed", target.objects_failed},
                         {"objects_offered", target.offered},
                         {"sessions", target.sessions},
                         {"sessions_failed", target.sessions_failed}};
    }
    json::array bad;
    for (const auto& survivor : stats.bad_survivors) {
        bad.push_back({{"name", utf8_of(survivor.name)},
                       {"object", utf8_of(survivor.object)},
                       {"reason", utf8_of(survivor.reason)}});
    }
    const json::object summary{{"bad_survivors", std::move(bad)},
                               {"bad_survivors_total", stats.bad_survivors_total},
                               {"bytes_rebuilt", stats.bytes_rebuilt},
                               {"bytes_reverted", stats.bytes_reverted},
                               {"codec_ms", codec_ms(stats.codec_times)},
                               {"devices", stats.devices},
                               {"devices_unmounted", stats.devices_unmounted},
                               {"failed_objects", json_counts(stats.failed_objects)},
                               {"failed_partitions", json_counts(stats.failed_partitions)},
                               {"failed_sessions", json_counts(stats.failed_sessions)},
                               {"fragments_rebuilt", stats.fragments_rebuilt},
                               {"fragments_reverted", stats.fragments_reverted},
                               {"handoffs_remaining", stats.handoffs_remaining},
                               {"limited_by", limit_of(stats.waits)},
                               {"objects_purged", stats.objects_purged},
                               {"partitions", stats.partitions},
                               {"partitions_done", stats.partitions_done},
                               {"seconds", seconds},
                               {"suffixes_checked", stats.suffixes_checked},
                               {"suffixes_synced", stats.suffixes_synced},
                               {"survivor_bytes_read", stats.survivor_bytes_read},
                               {"targets", std::move(targets)},
                               {"unrecoverable", stats.anything_unrecoverable()},
                               {"waits_ms", waits_ms(stats.waits)},
                               {"work_remains", stats.work_remains()}};
    return json::serialize(summary);
}

std::string merge_summaries(const std::vector<std::string>& summaries) {
    json::object merged;
    for (const std::string& summary : summaries) {
        boost::system::error_code error;
        const auto value = json::parse(summary, error);
        if (!error && value.is_object()) merge_object(merged, value.get_object());
    }
    merge_limit(merged);
    return json::serialize(merged);
}

std::string fit_to_columns(std::string text, std::size_t columns) {
    if (columns == 0 || text.size() <= columns) return text;
    std::size_t end = columns;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    text.resize(end);
    return text;
}

std::string progress_line(const sync::PassStats& stats, double seconds,
                          double recent_partitions_per_s) {
    std::string text =
        format("%llu devices  %llu/%llu partitions  %llu fragments  %s  %.1f MB/s",
               static_cast<unsigned long long>(stats.devices),
               static_cast<unsigned long long>(stats.partitions_done),
               static_cast<unsigned long long>(stats.partitions),
               static_cast<unsigned long long>(stats.fragments_rebuilt),
               human_bytes(stats.bytes_rebuilt).c_str(), rate(stats.bytes_rebuilt, seconds) / 1e6);
    const double overall = rate(stats.partitions_done, seconds);
    if (overall <= 0 || recent_partitions_per_s <= 0 || stats.partitions_done >= stats.partitions) {
        return text;
    }
    const auto left = static_cast<double>(stats.partitions - stats.partitions_done);
    const double one = left / overall;
    const double other = left / recent_partitions_per_s;
    return text + "  left " + human_seconds(std::min(one, other)) + " to " +
           human_seconds(std::max(one, other));
}

}  // namespace fragmend::app
