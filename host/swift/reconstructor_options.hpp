// Everything that [object-reconstructor] of object-server.conf configures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/swift/disk_options.hpp"
#include "host/swift/ini_file.hpp"
#include "host/swift/log_options.hpp"

namespace fragmend::swift {

/// `N` or `N * replicas`. Source: swift.common.utils.config_request_node_count_value.
struct RequestNodeCount {
    std::int64_t number = 2;
    bool times_replicas = true;

    std::int64_t nodes(std::int64_t replicas) const {
        return times_replicas ? number * replicas : number;
    }
};

/// What ioprio_set takes.
struct IoPriority {
    int io_class = 0;  ///< 1 real time, 2 best effort, 3 idle.
    int level = 0;     ///< 0-7 by convention; the kernel checks it.
};

enum class CodecChoice { automatic, cpu, reference };
enum class ProfileChoice { polite, balanced, urgent };

/// Bytes per second, 0 for no limit.
struct RateOptions {
    std::uint64_t total = 0;
    std::uint64_t per_node = 0;
    std::uint64_t per_device = 0;
    bool operator==(const RateOptions&) const = default;
};

/// What may be changed while the reconstructor runs; the limits are those of the whole node.
struct ThrottleOptions {
    /// fragmend_read_limit, fragmend_node_read_limit, fragmend_device_read_limit: survivors, read
    /// in all, from each node, from each device. Below 1M a body may take longer than servers wait.
    RateOptions read;
    /// fragmend_send_limit, fragmend_node_send_limit, fragmend_device_send_limit: bodies, rebuilt
    /// ones and those of reverts.
    RateOptions send;
    /// fragmend_profile: how we give way when peers' answers get slow.
    ProfileChoice profile = ProfileChoice::urgent;
    bool operator==(const ThrottleOptions&) const = default;
};

/// Fragmend's own options of the section; each has a working default.
struct FragmendOptions {
    /// fragmend_memory_limit: bytes of fragments in flight per process, suffixes K, M, G.
    std::uint64_t memory_limit_bytes = 128u << 20;
    /// fragmend_hedge_delay: after how long a slow survivor is asked for elsewhere, too.
    double hedge_delay_s = 2.0;
    /// fragmend_sessions: SSYNC sessions at a time per process. The default is the larger of
    /// `concurrency` and 8: a session waits on its peer most of the time, and peers let one
    /// session at a time into a device, so a few more than Swift's jobs keep the decoder fed.
    std::int64_t sessions = 8;
    /// fragmend_node_sessions, fragmend_disk_sessions: of those, towards one node and from one disk
    /// of ours. A server of Swift's refuses more than `replication_concurrency` (4) a worker.
    std::int64_t node_sessions = 4;
    std::int64_t disk_sessions = 4;
    /// fragmend_read_ahead: objects gathered ahead of the one being sent, per session.
    std::int64_t read_ahead = 8;
    /// fragmend_disk_threads: threads for blocking file work; 0 is chosen at start.
    std::int64_t disk_threads = 0;
    /// fragmend_decode_threads: threads that verify and decode; 0 is one a core, and some a device.
    std::int64_t decode_threads = 0;
    /// fragmend_quarantine_brake: objects of a device that may be quarantined within an hour; one
    /// more, and quarantining stops there until the process is started again. 0: no brake.
    std::int64_t quarantine_brake = 100;
    /// fragmend_codec: auto, cpu or reference.
    CodecChoice codec = CodecChoice::automatic;
    ThrottleOptions throttle;
};

/// The merged section with Swift's defaults. Durations are in seconds.
/// Source: swift.obj.reconstructor.ObjectReconstructor.__init__;
/// swift.obj.diskfile.BaseDiskFileManager.__init__; swift.common.daemon.run_daemon.
struct ReconstructorOptions {
    std::string conf_path;

    std::string devices = "/srv/node";
    bool mount_check = true;
    std::string swift_dir = "/etc/swift";
    std::string ring_ip = "0.0.0.0";  ///< `ring_ip`, else `bind_ip`.
    std::int64_t servers_per_port = 0;
    std::optional<std::uint16_t> port = 6200;  ///< Nothing with servers_per_port: any is ours.
    std::string user = "swift";

    std::int64_t concurrency = 1;
    std::int64_t reconstructor_workers = 0;  ///< 0 or less: no fork.
    double interval_s = 30;
    double stats_interval_s = 300;
    double ring_check_interval_s = 15;
    std::int64_t http_timeout_s = 60;
    std::int64_t lockup_timeout_s = 1800;
    double conn_timeout_s = 0.5;
    double node_timeout_s = 10;
    std::int64_t network_chunk_bytes = 65536;
    std::int64_t disk_chunk_bytes = 65536;
    std::string recon_cache_path = "/var/cache/swift";

    bool handoffs_only = false;
    std::int64_t rebuild_handoff_node_count = 2;  ///< Negative: no limit; 0: none.
    std::int64_t quarantine_threshold = 0;        ///< 0: never.
    std::int64_t quarantine_age_s = 604800;
    RequestNodeCount request_node_count;
    std::int64_t max_objects_per_revert = 0;  ///< 0: no limit.
    /// Nothing: LIBERASURECODE_WRITE_LEGACY_CRC of the environment decides.
    std::optional<bool> write_legacy_ec_crc;

    std::int64_t reclaim_age_s = 604800;
    double commit_window_s = 60;
    std::int64_t keep_cache_bytes = 5242880;
    std::int64_t sync_bytes = 512ll << 20;                ///< mb_per_sync.
    std::int64_t replication_concurrency_per_device = 1;  ///< 0: no device lock.
    std::int64_t replication_lock_timeout_s = 15;
    bool disable_fallocate = false;
    FallocateReserve fallocate_reserve;

    bool daemonize = true;
    std::optional<int> nice_priority;
    std::optional<IoPriority> io_priority;

    LogOptions log;
    FragmendOptions fragmend;

    /// What start-up logs at WARNING, in Swift's words.
    std::vector<std::string> warnings;

    /// The file that recon data are merged into.
    std::string recon_cache_file() const { return recon_cache_path + "/object.recon"; }
};

/// Reads a file or a directory of `*.conf`. Options that nobody knows are ignored, but not those
/// that begin with `fragmend_`. Beyond Swift's checks, limits of time have to be finite and above
/// 0, and sizes and counts have to be usable.
/// Errors: bad_config with the detail `<file>: [<section>] <option> = <value>: <why>`; not_found.
Result<ReconstructorOptions> load_reconstructor_options(const std::string& conf_path);

/// The same for what was read from `conf_path` already.
Result<ReconstructorOptions> read_reconstructor_options(const IniFile& file,
                                                        const std::string& conf_path);

}  // namespace fragmend::swift
