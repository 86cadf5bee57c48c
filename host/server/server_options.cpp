// Reading of object-server.conf.
#include "host/server/server_options.hpp"

#include <array>
#include <string_view>

#include "host/swift/option_reader.hpp"
#include "host/swift/paste_conf.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

using swift::OptionReader;

constexpr std::int64_t chunk_bytes_max = 1 << 24;
constexpr std::int64_t count_max = 1'000'000;
constexpr std::string_view allowed_headers_default =
    "content-disposition,content-encoding,x-delete-at,x-object-manifest,x-static-large-object,"
    "cache-control,content-language,expires,x-robots-tag";

/// Options of Swift's object server that have nothing to act on here, each with the reason.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> not_applied{{
    {"workers", "one process serves all devices"},
    {"servers_per_port", "one process serves all devices at bind_port"},
    {"splice", "archives go out by sendfile to readers that verify"},
    {"cert_file", "TLS is not served"},
    {"key_file", "TLS is not served"},
    {"slow", "answers are never delayed"},
    {"eventlet_debug", "there is no eventlet"},
    {"conn_timeout", "container updates are left for the object-updater"},
    {"node_timeout", "container updates are left for the object-updater"},
    {"container_update_timeout", "container updates are left for the object-updater"},
    {"expiring_objects_container_divisor", "the expirer's queue is kept with 86400"},
    {"expiring_objects_account_name", "the expirer's queue is .expiring_objects"},
    {"require_proxy_protocol", "the PROXY protocol is not spoken"},
    {"nice_priority", "the service manager sets it (Nice=)"},
    {"ionice_class", "the service manager sets it (IOSchedulingClass=)"},
}};

void read_place(OptionReader& options, ServerOptions& out) {
    out.bind_ip = options.text("bind_ip", out.bind_ip);
    if (const auto* port = options.find("bind_port"); port != nullptr) {
        out.bind_port = static_cast<std::uint16_t>(options.whole("bind_port", 0, 0, 65535));
    } else {
        options.fail({errc::bad_config, out.conf_path + ": bind_port wasn't properly set in the "
                                                        "config file. It must be explicitly set "
                                                        "to a valid port number."});
    }
    out.bind_timeout_s = options.number("bind_timeout", out.bind_timeout_s, 0);
    out.backlog = options.whole("backlog", out.backlog, 1, count_max);
    out.keep_idle_s = options.whole("keep_idle", out.keep_idle_s, 1, 32767);
    out.max_clients = options.whole("max_clients", out.max_clients, 1, count_max);
    out.user = options.text("user", out.user);
    out.swift_dir = options.path("swift_dir", out.swift_dir);
    out.devices = options.path("devices", out.devices);
    out.mount_check = options.flag("mount_check", out.mount_check);
    out.recon_cache_path = options.path("recon_cache_path", out.recon_cache_path);
    out.log_requests = options.flag("log_requests", out.log_requests);
}

void read_disk(OptionReader& options, ServerOptions& out) {
    out.client_timeout_s = options.positive_number("client_timeout", out.client_timeout_s);
    out.network_chunk_bytes =
        options.whole("network_chunk_size", out.network_chunk_bytes, 1024, chunk_bytes_max);
    out.disk_chunk_bytes =
        options.whole("disk_chunk_size", out.disk_chunk_bytes, 1024, chunk_bytes_max);
    out.max_upload_time_s = options.whole("max_upload_time", out.max_upload_time_s, 1);
    out.keep_cache_bytes = options.whole("keep_cache_size", out.keep_cache_bytes, 0);
    out.keep_cache_private = options.flag("keep_cache_private", out.keep_cache_private);
    out.sync_bytes = options.whole("mb_per_sync", 512, 0, 1 << 20) << 20;
    out.reclaim_age_s = options.whole("reclaim_age", out.reclaim_age_s, 0);
    out.commit_window_s = options.number("commit_window", out.commit_window_s, 0);
    out.disable_fallocate = options.flag("disable_fallocate", out.disable_fallocate);
    out.fallocate_reserve = swift::read_fallocate_reserve(options);
    const auto allowed = options.text("allowed_headers", allowed_headers_default);
    for (const auto& name : swift::list_from_csv(allowed)) {
        const auto lower = swift::lower_ascii(name);
        if (lower != "content-length" && lower != "deleted" && lower != "etag") {
            out.allowed_headers.insert(lower);
        }
    }
}

/// An empty text counts as unset, as with Swift's `or`.
bool is_given(const OptionReader& options, std::string_view option) {
    return !options.text(option, "").empty();
}

void read_replication(OptionReader& options, ServerOptions& out) {
    out.replication_server = options.flag("replication_server", out.replication_server);
    constexpr std::int64_t swifts_default = 4;
    if (is_given(options, "replication_concurrency")) {
        out.replication_concurrency = options.whole("replication_concurrency", 0, 0, count_max);
    } else if (swift::strip(options.text("workers", "auto")) == "0") {
        out.replication_concurrency = swifts_default;
    }
    out.replication_locks = swift::read_replication_locks(options, out.warnings);
    if (is_given(options, "replication_failure_threshold")) {
        out.replication_failure_threshold = options.whole("replication_failure_threshold", 100, 1);
    }
    if (is_given(options, "replication_failure_ratio")) {
        out.replication_failure_ratio = options.number("replication_failure_ratio", 1.0, 0);
    }
}

void read_own(OptionReader& options, ServerOptions& out) {
    out.disk_threads = options.whole("fragmend_disk_threads", out.disk_threads, 1, 1024);
    out.fsync = options.flag("fragmend_fsync", out.fsync);
    const auto* limit = options.find("fragmend_memory_limit");
    if (limit == nullptr) return;
    constexpr std::uint64_t least = 8 << 20;
    const auto bytes = swift::size_in_bytes(limit->text);
    if (bytes && *bytes >= least) {
        out.memory_limit_bytes = *bytes;
    } else {
        options.fail(bad_value("fragmend_memory_limit", *limit,
                               "must be a size of at least 8M, such as 512M or 2G"));
    }
}

void name_what_does_not_apply(const OptionReader& options, const swift::PasteSection& section,
                              ServerOptions& out) {
    for (const auto& option : section.shadowed) {
        out.warnings.push_back(out.conf_path + ": [" + section.name + "] " + option +
                               " is ignored because [DEFAULT] has it, too; `set " + option +
                               "` would count");
    }
    for (const auto& [option, reason] : not_applied) {
        if (options.has(option)) {
            out.warnings.push_back("Option " + std::string(option) +
                                   " does not apply: " + std::string(reason));
        }
    }
}

}  // namespace

Result<ServerOptions> load_server_options(const std::string& conf_path) {
    const auto file = swift::IniFile::read(conf_path);
    if (!file) return file.error();
    const auto pipeline = swift::paste_pipeline(*file, conf_path);
    if (!pipeline) return pipeline.error();
    const auto section = swift::paste_section(*file, conf_path, "app:" + pipeline->back());
    if (!section) return section.error();
    ServerOptions out;
    out.conf_path = conf_path;
    OptionReader options(section->options);
    read_place(options, out);
    read_disk(options, out);
    read_replication(options, out);
    read_own(options, out);
    for (std::size_t i = 0; i + 1 < pipeline->size(); ++i) {
        const std::string& filter = (*pipeline)[i];
        if (filter != "healthcheck" && filter != "recon") {
            out.warnings.push_back("Filter " + filter + " of the pipeline is not served");
        }
    }
    const auto disable =
        file->get("filter:healthcheck", "disable_path", swift::Interpolation::relaxed);
    if (disable && *disable) out.healthcheck_disable_path = (**disable).text;
    out.log = swift::read_log_options(options, pipeline->back(), out.warnings);
    name_what_does_not_apply(options, *section, out);
    if (options.error()) return *options.error();
    return out;
}

}  // namespace fragmend::server
