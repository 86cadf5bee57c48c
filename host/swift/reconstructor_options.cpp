// Everything that [object-reconstructor] of object-server.conf configures.
#include "host/swift/reconstructor_options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "host/swift/disk_options.hpp"
#include "host/swift/fragmend_options.hpp"
#include "host/swift/ini_file.hpp"
#include "host/swift/option_reader.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::string_view section_name = "object-reconstructor";
constexpr std::int64_t bytes_max = 1 << 30;

void read_place(OptionReader& options, ReconstructorOptions& out) {
    out.devices = options.path("devices", out.devices);
    out.mount_check = options.flag("mount_check", out.mount_check);
    out.swift_dir = options.path("swift_dir", out.swift_dir);
    out.ring_ip = options.text("ring_ip", options.text("bind_ip", out.ring_ip));
    out.user = options.text("user", out.user);
    out.recon_cache_path = options.path("recon_cache_path", out.recon_cache_path);
    if (!options.text("servers_per_port", "").empty()) {
        out.servers_per_port = options.whole("servers_per_port", 0);
    }
    if (out.servers_per_port != 0) {
        out.port.reset();
    } else {
        out.port = static_cast<std::uint16_t>(options.whole("bind_port", 6200, 0, 65535));
    }
}

void read_interval(OptionReader& options, ReconstructorOptions& out) {
    // An empty text counts as unset, whichever of the two it is.
    for (const std::string_view option : {"interval", "run_pause"}) {
        if (options.text(option, "").empty()) continue;
        out.interval_s = options.number(option, out.interval_s, 0);
        break;
    }
    if (!options.has("run_pause")) return;
    if (options.has("interval")) {
        out.warnings.emplace_back(
            "Option object-reconstructor/run_pause is deprecated and object-reconstructor/interval "
            "is already configured. You can safely remove run_pause; it is now ignored and will be "
            "removed in a future version.");
    } else {
        out.warnings.emplace_back(
            "Option object-reconstructor/run_pause is deprecated and will be removed in a future "
            "version. Update your configuration to use option object-reconstructor/interval.");
    }
}

void read_pace(OptionReader& options, ReconstructorOptions& out) {
    out.concurrency = options.whole("concurrency", out.concurrency, 1, 65536);
    out.reconstructor_workers = options.whole("reconstructor_workers", out.reconstructor_workers);
    read_interval(options, out);
    out.stats_interval_s = options.positive_number("stats_interval", out.stats_interval_s);
    out.ring_check_interval_s = options.number("ring_check_interval", out.ring_check_interval_s, 0);
    out.http_timeout_s = options.whole("http_timeout", out.http_timeout_s, 1);
    out.lockup_timeout_s = options.whole("lockup_timeout", out.lockup_timeout_s, 1);
    out.conn_timeout_s = options.positive_number("conn_timeout", out.conn_timeout_s);
    out.node_timeout_s = options.positive_number("node_timeout", out.node_timeout_s);
    out.network_chunk_bytes =
        options.whole("network_chunk_size", out.network_chunk_bytes, 1, bytes_max);
    out.disk_chunk_bytes = options.whole("disk_chunk_size", out.disk_chunk_bytes, 1, bytes_max);
}

void read_handoff_mode(OptionReader& options, ReconstructorOptions& out) {
    const bool first = options.flag("handoffs_first", false);
    if (options.has("handoffs_first")) {
        out.warnings.emplace_back(
            "The handoffs_first option is deprecated in favor of handoffs_only. This option may be "
            "ignored in a future release.");
    }
    out.handoffs_only = options.flag("handoffs_only", first);
    if (out.handoffs_only) {
        out.warnings.emplace_back(
            "Handoff only mode is not intended for normal operation, use handoffs_only with care.");
    } else if (first) {
        out.warnings.emplace_back("Ignored handoffs_first option in favor of handoffs_only.");
    }
}

void read_request_node_count(OptionReader& options, RequestNodeCount& out) {
    const IniValue* value = options.find("request_node_count");
    if (value == nullptr) return;
    std::vector<std::string> words;
    std::string_view rest = lstrip(value->text);
    while (!rest.empty()) {
        std::size_t end = 0;
        while (end < rest.size() && indent_of(rest.substr(end)) == 0)
            ++end;
        words.push_back(lower_ascii(rest.substr(0, end)));
        rest = lstrip(rest.substr(end));
    }
    const std::int64_t number =
        words.empty() ? bytes_max + 1 : python_int(words[0]).value_or(bytes_max + 1);
    const bool times = words.size() == 3 && words[1] == "*" && words[2] == "replicas";
    if (std::abs(number) > bytes_max || !(words.size() == 1 || times)) {
        options.fail(bad_value("request_node_count", *value,
                               "must be a whole number or of the form '2 * replicas'"));
        return;
    }
    out = {number, times};
}

void read_repair(OptionReader& options, ReconstructorOptions& out) {
    read_handoff_mode(options, out);
    out.rebuild_handoff_node_count =
        options.whole("rebuild_handoff_node_count", out.rebuild_handoff_node_count);
    out.quarantine_threshold = options.whole("quarantine_threshold", 0, 0);
    out.reclaim_age_s = options.whole("reclaim_age", out.reclaim_age_s, 0);
    out.quarantine_age_s = options.whole("quarantine_age", out.reclaim_age_s);
    read_request_node_count(options, out.request_node_count);
    out.max_objects_per_revert = options.whole("max_objects_per_revert", 0, 0);
    if (options.has("write_legacy_ec_crc")) {
        out.write_legacy_ec_crc = options.flag("write_legacy_ec_crc", false);
    }
}

void read_disk(OptionReader& options, ReconstructorOptions& out) {
    out.commit_window_s = options.number("commit_window", out.commit_window_s, 0);
    out.keep_cache_bytes = options.whole("keep_cache_size", out.keep_cache_bytes);
    out.sync_bytes = options.whole("mb_per_sync", 512, 0, 1 << 20) << 20;
    const auto locks = read_replication_locks(options, out.warnings);
    out.replication_concurrency_per_device = locks.sessions_per_device;
    out.replication_lock_timeout_s = locks.timeout_s;
    out.disable_fallocate = options.flag("disable_fallocate", false);
    out.fallocate_reserve = read_fallocate_reserve(options);
}

// Swift starts whatever stands in these three, and logs what it could not do.
void read_priorities(const OptionReader& options, ReconstructorOptions& out) {
    if (const IniValue* nice = options.find("nice_priority")) {
        const auto number = python_int(nice->text);
        if (number && *number >= -1000 && *number <= 1000) {
            out.nice_priority = static_cast<int>(*number);
        } else {
            out.warnings.push_back("Unable to modify nice priority: " +
                                   bad_value("nice_priority", *nice, "not a number").detail);
        }
    }
    const IniValue* io_class = options.find("ionice_class");
    if (io_class == nullptr) return;
    constexpr std::array<std::string_view, 3> classes = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                                         "IOPRIO_CLASS_IDLE"};
    const auto found = std::ranges::find(classes, io_class->text);
    const auto level = python_int(options.text("ionice_priority", "0"));
    if (found != classes.end() && level && *level >= 0 && *level <= 7) {
        out.io_priority =
            IoPriority{static_cast<int>(found - classes.begin()) + 1, static_cast<int>(*level)};
        return;
    }
    out.warnings.push_back(
        "Unable to modify ionice priority: " +
        bad_value("ionice_class", *io_class, "unknown class, or ionice_priority is not 0-7")
            .detail);
}

}  // namespace

Result<ReconstructorOptions> load_reconstructor_options(const std::string& conf_path) {
    const auto file = IniFile::read(conf_path);
    if (!file) return file.error();
    return read_reconstructor_options(*file, conf_path);
}

Result<ReconstructorOptions> read_reconstructor_options(const IniFile& file,
                                                        const std::string& conf_path) {
    if (!file.has_section(section_name)) {
        return Error{errc::bad_config, "Unable to find " + std::string(section_name) +
                                           " config section in " + conf_path};
    }
    const auto values = file.section(section_name, Interpolation::relaxed);
    if (!values) return values.error();

    ReconstructorOptions out;
    out.conf_path = conf_path;
    OptionReader options(*values);
    read_place(options, out);
    read_pace(options, out);
    read_repair(options, out);
    read_disk(options, out);
    out.daemonize = options.flag("daemonize", true);
    read_priorities(options, out);
    out.log = read_log_options(options, section_name, out.warnings);
    out.fragmend = read_fragmend_options(options, *values, out.concurrency);
    if (options.error()) return *options.error();
    return out;
}

}  // namespace fragmend::swift
