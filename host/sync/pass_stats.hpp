// What one pass did and what it could not do: plain counters, written on the network thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "scheduler/snapshot.hpp"

namespace fragmend::sync {

/// Work towards one target device.
struct TargetStats {
    std::uint64_t sessions = 0;
    std::uint64_t sessions_failed = 0;
    std::uint64_t offered = 0;             ///< Objects named in missing checks.
    std::uint64_t fragments_rebuilt = 0;   ///< PUT sub-requests in acknowledged sessions.
    std::uint64_t bytes_rebuilt = 0;       ///< Their bodies.
    std::uint64_t fragments_reverted = 0;  ///< Sent from handoffs, in acknowledged sessions.
    std::uint64_t bytes_reverted = 0;
    std::uint64_t metas_sent = 0;
    std::uint64_t tombstones_sent = 0;
    std::uint64_t objects_failed = 0;
};

/// A survivor that was left out because its bytes or headers were wrong.
struct BadSurvivor {
    std::string name;    ///< `ip:port/device`, or the path of the local file.
    std::string object;  ///< `/account/container/object`.
    std::string reason;
};

inline constexpr std::size_t bad_survivors_kept_max = 1000;

struct PassStats {
    std::uint64_t devices = 0;
    std::uint64_t devices_unmounted = 0;
    std::uint64_t partitions = 0;  ///< Found on the local devices.
    std::uint64_t partitions_done = 0;
    std::uint64_t answers = 0;     ///< Of peers asked for suffix hashes, errors included.
    std::uint64_t suffixes_checked = 0;
    std::uint64_t suffixes_hashed = 0;
    std::uint64_t suffixes_synced = 0;
    std::uint64_t handoffs_remaining = 0;  ///< Revert jobs that a later pass has to go on with.
    std::uint64_t reverts_locked = 0;      ///< Of these: somebody else held the partition's lock.
    bool stopped = false;                  ///< Somebody ended the pass before its time.

    std::map<std::string, TargetStats> targets;              ///< By `ip:port/device`.
    std::map<std::string, std::uint64_t> failed_objects;     ///< By class, see errc names.
    std::map<std::string, std::uint64_t> failed_sessions;    ///< By class.
    std::map<std::string, std::uint64_t> failed_partitions;  ///< By class.
    std::vector<BadSurvivor> bad_survivors;                  ///< First `bad_survivors_kept_max`.
    std::uint64_t bad_survivors_total = 0;

    std::uint64_t fragments_rebuilt = 0;
    std::uint64_t bytes_rebuilt = 0;
    std::uint64_t fragments_reverted = 0;
    std::uint64_t bytes_reverted = 0;
    std::uint64_t objects_purged = 0;       ///< Delivered, and removed here.
    scheduler::Waits waits;                 ///< Of this pass.
    scheduler::CodecTimes codec_times;      ///< The same.
    std::uint64_t survivor_bytes_read = 0;  ///< All of them fed to the MD5s that decide.

    std::vector<std::chrono::duration<double>>
        partition_times;  ///< For Swift's max, min, med line.

    void object_failed(errc code, std::uint64_t count = 1) {
        failed_objects[std::string(to_string(code))] += count;
    }
    void session_failed(errc code) { ++failed_sessions[std::string(to_string(code))]; }
    void partition_failed(errc code) { ++failed_partitions[std::string(to_string(code))]; }
    void bad_survivor(BadSurvivor survivor) {
        ++bad_survivors_total;
        if (bad_survivors.size() < bad_survivors_kept_max)
            bad_survivors.push_back(std::move(survivor));
    }
    bool anything_unrecoverable() const {
        return failed_objects.contains(std::string(to_string(errc::too_few_fragments)));
    }
    /// True when a later pass may do what this one could not.
    bool work_remains() const {
        return stopped || !failed_sessions.empty() || !failed_partitions.empty() ||
               handoffs_remaining > 0 ||
               failed_objects.size() > (anything_unrecoverable() ? 1u : 0u);
    }
};

}  // namespace fragmend::sync
