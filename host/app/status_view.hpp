// One snapshot of a running process: how far, how fast, and what it waits for.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "host/app/worker_plan.hpp"
#include "host/sync/activity.hpp"
#include "host/sync/pass_stats.hpp"
#include "scheduler/snapshot.hpp"
#include "scheduler/throttle.hpp"

namespace fragmend::app {

/// How much of something is in use.
struct Occupancy {
    std::uint64_t in_use = 0;
    std::uint64_t capacity = 0;
};

/// Everything that a snapshot is made of, copied on the network thread.
struct StatusSource {
    int pid = 0;
    Share share;
    std::string state;                  ///< `pass`, `sleeping`, `paused` or `stopping`.
    std::vector<std::string> paused{};  ///< Parts of the work, see `to_string(WorkChoice)`.
    double uptime_s = 0;
    std::uint64_t passes = 0;               ///< That ended.
    const sync::PassStats* pass = nullptr;  ///< Of the pass that runs.
    double pass_s = 0;
    Occupancy sessions;
    Occupancy replicate_calls;
    scheduler::Snapshot now;
    /// Of the last `recent_s`: what limits the work is a question about now.
    scheduler::Waits recent_waits;
    double recent_s = 0;
    scheduler::ThrottleSettings throttle;
    double pace = 1;  ///< Of the profile: the part of the time in which we work.
    std::vector<sync::ActivityView> jobs;  ///< Longest silence first.
};

/// Jobs that a snapshot names.
inline constexpr std::size_t status_jobs_max = 20;

boost::json::object status_json(const StatusSource& source);

/// What the work waits for most, of late: scheduler::limited_by and some words about it; while
/// nothing is rebuilt, what most jobs do; `nothing` while nothing is to be done.
std::string limited_by(const StatusSource& source);
/// The same numbers as a line of the log.
std::string heartbeat_line(const StatusSource& source);

/// `reading 50.0 MiB/s (20.0 MiB/s a node), sending without limit; polite`.
std::string throttle_text(const scheduler::ThrottleSettings& settings);
/// One line with the limits of a process that told status_json.
std::string limits_line(const boost::json::object& status);
/// What an answer that is an error says.
std::string error_text(const boost::json::object& answer);

/// Some lines about one process for a person, from what status_json made (perhaps elsewhere: what
/// is missing or strange is left out, and nothing reaches the terminal but printable text).
std::string status_text(const boost::json::object& status);

}  // namespace fragmend::app
