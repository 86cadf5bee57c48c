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
    scheduler::LimitedBy cause;
    const char* words;
    std::chrono::nanoseconds scheduler::Waits::*of;
};
constexpr std::array<Wait, 6> waits = {
    {{scheduler::LimitedBy::source, "peers take long to answer", &scheduler::Waits::source},
     {scheduler::LimitedBy::network, "survivors' bytes are on their way",
      &scheduler::Waits::network},
     {scheduler::LimitedBy::target, "receivers take the bytes no faster",
      &scheduler::Waits::target},
     {scheduler::LimitedBy::decode, "this machine's compute", &scheduler::Waits::decode},
     {scheduler::LimitedBy::memory, "fragmend_memory_limit", &scheduler::Waits::memory},
     {scheduler::LimitedBy::throttle, "fragmend_*_limit or fragmend_profile",
      &scheduler::Waits::throttle}}};

json::object rates_of(const scheduler::ByteRates& rates) {
    return {{"total", rates.total}, {"node", rates.per_node}, {"device", rates.per_device}};
}

json::object throttle_of(const StatusSource& source) {
    return {{"pace", source.pace},
            {"profile", std::string(to_string(source.throttle.profile))},
            {"read_bytes_per_s", rates_of(source.throttle.read)},
            {"send_bytes_per_s", rates_of(source.throttle.send)}};
}

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

json::object bytes_by_stage(const scheduler::Snapshot& now) {
    const auto& stats = now.rebuilds;
    return {{"survivors_read", stats.survivor_bytes},
            {"decoded", now.batches.survivor_bytes},
            {"rebuilt", stats.rebuilt_bytes},
            {"handed_to_sessions", stats.released_bytes}};
}

json::object objects_of(const scheduler::Snapshot& now) {
    const auto& stats = now.rebuilds;
    return {{"running", now.objects_running()},
            {"started", stats.objects_started},
            {"shared", stats.objects_shared},
            {"verified", stats.objects_verified},
            {"failed", stats.objects_failed},
            {"cancelled", stats.objects_cancelled},
            {"attempts", stats.attempts},
            {"survivors_left_out", stats.survivors_left_out},
            {"compute_faults", stats.compute_faults}};
}

json::object decode_of(const scheduler::Snapshot& now) {
    return {{"batches", now.batches.batches},
            {"rounds", now.batches.items},
            {"rounds_per_batch", now.batch_fill()},
            {"survivor_bytes", now.batches.survivor_bytes},
            {"queue_rounds", now.decode_queue_items},
            {"queue_rounds_peak", now.batches.queue_items_peak},
            {"batch_rounds_peak", now.batches.batch_items_peak},
            {"busy_workers", now.decode_busy_workers}};
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

std::string rates_text(std::uint64_t total, std::uint64_t node, std::uint64_t device) {
    std::string text = total > 0 ? human_bytes(total) + "/s" : "without limit";
    if (node > 0) text += ", " + human_bytes(node) + "/s a node";
    if (device > 0) text += ", " + human_bytes(device) + "/s a device";
    return text;
}

std::string rates_text(const json::object& rates) {
    return rates_text(count_at(rates, "total"), count_at(rates, "node"), count_at(rates, "device"));
}

std::string limits_text(const json::object& status) {
    const auto& throttle = object_at(status, "throttle");
    std::string text = "reading " + rates_text(object_at(throttle, "read_bytes_per_s")) +
                       "; sending " + rates_text(object_at(throttle, "send_bytes_per_s")) + "; " +
                       text_at(throttle, "profile");
    const double pace = number_at(throttle, "pace");
    if (pace > 0 && pace < 1) text += format(" at %.0f %% of its pace", 100 * pace);
    return text;
}

}  // namespace

std::string throttle_text(const scheduler::ThrottleSettings& settings) {
    const auto& [read, send, profile] = settings;
    return "reading " + rates_text(read.total, read.per_node, read.per_device) + "; sending " +
           rates_text(send.total, send.per_node, send.per_device) + "; " +
           std::string(to_string(profile));
}

std::string limits_line(const json::object& status) {
    return format("process %.0f: ", number_at(status, "pid")) + limits_text(status) + "\n";
}

std::string error_text(const json::object& answer) {
    return text_at(answer, "error");
}

std::string limited_by(const StatusSource& source) {
    if (source.pass == nullptr) return "nothing: no pass runs";
    const auto cause = scheduler::limited_by(source.recent_waits);
    for (const Wait& wait : waits) {
        if (wait.cause != cause ||
            seconds(source.recent_waits.*wait.of) < wait_share_min * source.recent_s)
            continue;
        return std::string(to_string(cause)) + ": " + wait.words;
    }
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

std::string heartbeat_line(const StatusSource& source) {
    const auto number = [](std::size_t value) { return static_cast<double>(value); };
    return format("%.0f of %.0f sessions, %.0f objects at work, ", number(source.sessions.in_use),
                  number(source.sessions.capacity), number(source.now.objects_running())) +
           format("%.1f pieces a batch, %.0f queued, ", source.now.batch_fill(),
                  number(source.now.decode_queue_items)) +
           human_bytes(source.now.memory_in_use_bytes) + " of " +
           human_bytes(source.now.memory_limit_bytes) + " memory; limited by " + limited_by(source);
}

json::object status_json(const StatusSource& source) {
    const auto& waited_for = source.now.waits;
    json::object waited;
    for (const Wait& wait : waits)
        waited[to_string(wait.cause)] = seconds(waited_for.*wait.of);
    waited["starving"] = seconds(waited_for.starving);
    waited["disk"] = seconds(waited_for.disk);
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
    json::array paused;
    for (const auto& part : source.paused)
        paused.emplace_back(part);
    json::object memory{{"in_use", source.now.memory_in_use_bytes},
                        {"capacity", source.now.memory_limit_bytes},
                        {"peak", source.now.memory_peak_bytes}};
    json::object status{{"bytes", bytes_by_stage(source.now)},
                        {"decode", decode_of(source.now)},
                        {"devices", std::move(devices)},
                        {"jobs", std::move(jobs)},
                        {"jobs_total", source.jobs.size()},
                        {"limited_by", limited_by(source)},
                        {"memory_bytes", std::move(memory)},
                        {"objects", objects_of(source.now)},
                        {"passes", source.passes},
                        {"paused", std::move(paused)},
                        {"pid", source.pid},
                        {"replicate_calls", occupancy(source.replicate_calls)},
                        {"sessions", occupancy(source.sessions)},
                        {"state", source.state},
                        {"throttle", throttle_of(source)},
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
    if (const auto* const paused = status.if_contains("paused"); paused && paused->is_array()) {
        for (const auto& part : paused->get_array()) {
            if (part.is_string())
                text += "  paused    " + printable(std::string(part.get_string())) + "\n";
        }
    }
    text += "  limited   by " + text_at(status, "limited_by") + "\n";
    text += "  limits    " + limits_text(status) + "\n";
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
