// Everything of object-server.conf that this server acts on.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/swift/disk_options.hpp"
#include "host/swift/ini_file.hpp"
#include "host/swift/log_options.hpp"

namespace fragmend::server {

/// The application section as paste merges it, with Swift's defaults. Durations are in seconds.
/// Source: swift.obj.server.ObjectController.__init__, swift.common.wsgi.run_wsgi,
/// swift.obj.diskfile.BaseDiskFileManager.__init__.
struct ServerOptions {
    std::string conf_path;
    /// Of the process, not of the file: which swift.conf it was started with.
    std::string swift_conf_path = "/etc/swift/swift.conf";

    std::string bind_ip = "0.0.0.0";
    std::uint16_t bind_port = 0;
    double bind_timeout_s = 30;
    std::int64_t backlog = 4096;
    std::int64_t keep_idle_s = 600;
    std::int64_t max_clients = 1024;
    std::string user = "swift";
    std::string swift_dir = "/etc/swift";
    std::string devices = "/srv/node";
    bool mount_check = true;

    double client_timeout_s = 60;
    std::int64_t network_chunk_bytes = 65536;
    std::int64_t disk_chunk_bytes = 65536;
    std::int64_t max_upload_time_s = 86400;
    std::int64_t keep_cache_bytes = 5242880;
    bool keep_cache_private = false;
    std::int64_t sync_bytes = 512ll << 20;  ///< mb_per_sync.
    std::int64_t reclaim_age_s = 604800;
    double commit_window_s = 60;
    bool disable_fallocate = false;
    swift::FallocateReserve fallocate_reserve;
    /// Lower-case names of further metadata that is stored and answered.
    std::set<std::string, std::less<>> allowed_headers;

    bool replication_server = true;
    /// SSYNC sessions at a time, 0: three quarters of max_clients. Swift's forked workers, which
    /// every real cluster has, do not enforce its default of 4, so only an explicit number does
    /// here (or `workers = 0`).
    std::int64_t replication_concurrency = 0;
    swift::ReplicationLocks replication_locks;
    std::int64_t replication_failure_threshold = 100;
    double replication_failure_ratio = 1.0;

    std::string recon_cache_path = "/var/cache/swift";
    std::string healthcheck_disable_path;
    bool log_requests = true;
    swift::LogOptions log;

    /// fragmend_disk_threads: threads for blocking file work.
    std::int64_t disk_threads = 16;
    /// fragmend_memory_limit: bytes of bodies that sessions bring to the disks (K, M, G).
    std::uint64_t memory_limit_bytes = 128u << 20;
    /// fragmend_fsync: off only for benches and throw-away clusters.
    bool fsync = true;

    /// What start-up logs at WARNING: options that do not apply here, and paste's silent ones.
    std::vector<std::string> warnings;
};

/// Errors: bad_config with the detail `<file>: [<section>] <option> = <value>: <why>`; not_found.
Result<ServerOptions> load_server_options(const std::string& conf_path);

}  // namespace fragmend::server
