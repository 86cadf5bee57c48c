// Snapshots as JSON and for people.
#include "host/app/status_view.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdarg>
#include <cstdio>
#include <map>

#include "host/app/summary.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

/// Waits of less than this share of the time, summed over all objects, are none.
constexpr double wait_share_min = 0.05;

double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

struct Wait {
    const char* name;
    const char* words;
    std::chrono::nanoseconds scheduler::RebuildStats::*of;
};
constexpr std::array<Wait, 5> waits = {
    {{"memory", "memory (fragmend_memory_limit)", &scheduler::RebuildStats::wait_for_budget},
     {"open", "survivors: peers take long to answer", &scheduler::RebuildStats::wait_for_open},
     {"survivors", "survivors: the network or the peers' disks",
      &scheduler::RebuildStats::wait_for_survivors},
     {"decode", "decoding: this machine's compute", &scheduler::RebuildStats::wait_for_decode},
     {"session", "receivers: they take the bytes no faster",
      &scheduler::RebuildStats::wait_for_session}}};

/// `asks 10.0.0.1:6200/d3 for suffix hashes` without the peer.
std::string without_peer(const std::string& doing) {
    std::string text;
    std::size_t begin = 0;
    while (begin < doing.size()) {
        const auto end = std::min(doing.find(' ', begin), doing.size());
        const auto word = doing.substr(begin, end - begin);
        if (word.find('/') == word.npos) text += (text.empty() ? "" : " ") + word;
        begin = end + 1;
    }
    return text;
}

json::object occupancy(const Occupancy& one) {
    return {{"in_use", one.in_use}, {"capacity", one.capacity}};
}

json::object bytes_by_stage(const scheduler::RebuildStats& stats) {
    return {{"survivors_read", stats.survivor_bytes},
            {"rebuilt", stats.rebuilt_bytes},
            {"handed_to_sessions", stats.released_bytes}};
}

json::object objects_of(const scheduler::RebuildStats& stats) {
    return {{"started", stats.objects_started},
            {"verified", stats.objects_verified},
            {"failed", stats.objects_failed},
            {"cancelled", stats.objects_cancelled},
            {"attempts", stats.attempts},
            {"survivors_left_out", stats.survivors_left_out},
            {"compute_faults", stats.compute_faults}};
}

json::object decode_of(const scheduler::DispatcherStats& stats) {
    const double fill = stats.batches == 0
                            ? 0.0
                            : static_cast<double>(stats.items) / static_cast<double>(stats.batches);
    return {{"batches", stats.batches},
            {"rounds", stats.items},
            {"rounds_per_batch", fill},
            {"survivor_bytes", stats.survivor_bytes},
            {"queue_rounds_peak", stats.queue_items_peak},
            {"batch_rounds_peak", stats.batch_items_peak}};
}

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    return text;
}

/// Reading of JSON that somebody else made.
const json::object& object_at(const json::object& parent, std::string_view name) {
    static const json::object none;
    const auto* const value = parent.if_contains(name);
    return value != nullptr && value->is_object() ? value->get_object() : none;
}

double number_at(const json::object& parent, std::string_view name) {
    const auto* const value = parent.if_contains(name);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::string printable(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

std::string text_at(const json::object& parent, std::string_view name) {
    const auto* const value = parent.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return printable(std::string(value->get_string()));
}

std::uint64_t count_at(const json::object& parent, std::string_view name) {
    const double value = number_at(parent, name);
    return value > 0 && value < 1e18 ? static_cast<std::uint64_t>(value) : 0;
}

unsigned long long wide(std::uint64_t number) {
    return number;
}

std::string pass_lines(const json::object& pass) {
    const auto done = count_at(pass, "partitions_done"), all = count_at(pass, "partitions");
    const double passed_s = number_at(pass, "seconds");
    std::string text = format("  pass      %llu of %llu partitions in %s", wide(done), wide(all),
                              human_seconds(passed_s).c_str());
    if (done > 0 && done < all) {
        text +=
            ", about " +
            human_seconds(passed_s * static_cast<double>(all - done) / static_cast<double>(done)) +
            " left";
    }
    text += format("\n  rebuilt   %llu fragments, %s (%.1f MB/s)\n",
                   wide(count_at(pass, "fragments_rebuilt")),
                   human_bytes(count_at(pass, "bytes_rebuilt")).c_str(),
                   passed_s > 0 ? number_at(pass, "bytes_rebuilt") / passed_s / 1e6 : 0.0);
    if (const auto reverted = count_at(pass, "fragments_reverted"); reverted > 0) {
        text += format("  reverted  %llu fragments, %s\n", wide(reverted),
                       human_bytes(count_at(pass, "bytes_reverted")).c_str());
    }
    for (const char* kind : {"failed_objects", "failed_sessions", "failed_partitions"}) {
        for (const auto& [name, count] : object_at(pass, kind)) {
            if (!count.is_number()) continue;
            text += format("  %-17s %.0f ", kind, count.to_number<double>()) +
                    printable(std::string(name.substr(0, 40))) + "\n";
        }
    }
    return text;
}

}  // namespace

std::string limited_by(const StatusSource& source) {
    if (source.pass == nullptr) return "nothing: no pass runs";
    const Wait* most = nullptr;
    std::chrono::nanoseconds longest{0};
    for (const Wait& wait : waits) {
        const auto spent = source.rebuilds.*wait.of - source.rebuilds_before.*wait.of;
        if (spent <= longest) continue;
        longest = spent;
        most = &wait;
    }
    if (most != nullptr && seconds(longest) >= wait_share_min * source.recent_s) return most->words;
    // Nothing is being rebuilt: what do most jobs do?
    std::map<std::string, std::size_t> doing;
    for (const auto& job : source.jobs)
        ++doing[without_peer(job.doing)];
    const auto common =
        std::ranges::max_element(doing, {}, [](const auto& one) { return one.second; });
    if (common == doing.end()) return "nothing: no job runs";
    return std::to_string(common->second) + " of " + std::to_string(source.jobs.size()) +
           " jobs: " + common->first;
}

json::object status_json(const StatusSource& source) {
    json::object waited;
    for (const Wait& wait : waits)
        waited[wait.name] = seconds(source.rebuilds.*wait.of);
    json::array jobs;
    for (std::size_t i = 0; i < std::min(source.jobs.size(), status_jobs_max); ++i) {
        const auto& job = source.jobs[i];
        jobs.push_back({{"job", job.job},
                        {"doing", job.doing},
                        {"unchanged_s", job.unchanged_for.count()},
                        {"running_s", job.running_for.count()}});
    }
    json::array devices;
    for (const auto& device : source.share.devices)
        devices.emplace_back(device);
    json::object memory = occupancy(source.memory);
    memory["peak"] = source.memory_peak_bytes;
    json::object status{{"bytes", bytes_by_stage(source.rebuilds)},
                        {"decode", decode_of(source.decode)},
                        {"devices", std::move(devices)},
                        {"jobs", std::move(jobs)},
                        {"jobs_total", source.jobs.size()},
                        {"limited_by", limited_by(source)},
                        {"memory_bytes", std::move(memory)},
                        {"objects", objects_of(source.rebuilds)},
                        {"passes", source.passes},
                        {"pid", source.pid},
                        {"replicate_calls", occupancy(source.replicate_calls)},
                        {"sessions", occupancy(source.sessions)},
                        {"state", source.state},
                        {"uptime_s", source.uptime_s},
                        {"waits_s", std::move(waited)}};
    if (source.share.is_worker()) {
        status["worker"] = {{"index", source.share.worker_index + 1},
                            {"count", source.share.worker_count}};
    }
    if (source.pass != nullptr)
        status["pass"] = json::parse(summary_json(*source.pass, source.pass_s));
    return status;
}

std::string status_text(const json::object& status) {
    std::string text = format("process %.0f", number_at(status, "pid"));
    if (status.contains("worker")) {
        const auto& worker = object_at(status, "worker");
        text += format(" (worker %.0f of %.0f)", number_at(worker, "index"),
                       number_at(worker, "count"));
    }
    text += ": " + text_at(status, "state") + ", up " +
            human_seconds(number_at(status, "uptime_s")) +
            format(", %llu passes done\n", wide(count_at(status, "passes")));
    if (status.contains("pass")) text += pass_lines(object_at(status, "pass"));
    text += "  limited   by " + text_at(status, "limited_by") + "\n";
    const auto& memory = object_at(status, "memory_bytes");
    const auto& sessions = object_at(status, "sessions");
    const auto& decode = object_at(status, "decode");
    text += format("  in use    %s of %s memory, %llu of %llu sessions; %.1f rounds a batch\n",
                   human_bytes(count_at(memory, "in_use")).c_str(),
                   human_bytes(count_at(memory, "capacity")).c_str(),
                   wide(count_at(sessions, "in_use")), wide(count_at(sessions, "capacity")),
                   number_at(decode, "rounds_per_batch"));
    const auto* const jobs = status.if_contains("jobs");
    if (jobs == nullptr || !jobs->is_array()) return text;
    constexpr std::size_t shown_max = 5;
    std::size_t shown = 0;
    for (const auto& job : jobs->get_array()) {
        if (!job.is_object() || shown++ == shown_max) break;
        text += "  " + text_at(job.get_object(), "job") + ": " +
                text_at(job.get_object(), "doing") + " for " +
                human_seconds(number_at(job.get_object(), "unchanged_s")) + "\n";
    }
    return text;
}

}  // namespace fragmend::app
