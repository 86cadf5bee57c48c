// Monitoring of a node.
#include "host/server/recon.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fcntl.h>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <sstream>

#include "host/base/md5.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/file_bytes.hpp"
#include "host/swift/mount_check.hpp"

namespace fragmend::server {
namespace {

namespace json = boost::json;

constexpr std::size_t file_bytes_max = 64 * 1024 * 1024;
/// The Swift whose answers these are.
constexpr std::string_view swift_version = "2.30.1";

/// Items of one of the cache files that Swift's daemons write.
struct CachedItems {
    std::string_view path;
    std::string_view file;
    std::vector<std::string_view> keys;
};

const std::vector<CachedItems>& cached_items() {
    static const std::vector<CachedItems> items{
        {"async", "object.recon", {"async_pending", "async_pending_last"}},
        {"replication/account",
         "account.recon",
         {"replication_time", "replication_stats", "replication_last"}},
        {"replication/container",
         "container.recon",
         {"replication_time", "replication_stats", "replication_last"}},
        {"replication/object",
         "object.recon",
         {"replication_time", "replication_stats", "replication_last", "object_replication_time",
          "object_replication_last"}},
        {"replication",
         "object.recon",
         {"replication_time", "replication_stats", "replication_last", "object_replication_time",
          "object_replication_last"}},
        {"reconstruction/object",
         "object.recon",
         {"object_reconstruction_last", "object_reconstruction_time"}},
        {"updater/container", "container.recon", {"container_updater_sweep"}},
        {"updater/object", "object.recon", {"object_updater_sweep"}},
        {"auditor/account",
         "account.recon",
         {"account_audits_passed", "account_auditor_pass_completed", "account_audits_since",
          "account_audits_failed"}},
        {"auditor/container",
         "container.recon",
         {"container_audits_passed", "container_auditor_pass_completed", "container_audits_since",
          "container_audits_failed"}},
        {"auditor/object",
         "object.recon",
         {"object_auditor_stats_ALL", "object_auditor_stats_ZBF"}},
        {"expirer/object", "object.recon", {"object_expiration_pass", "expired_last_pass"}},
        {"driveaudit", "drive.recon", {"drive_audit_errors"}},
        {"sharding", "container.recon", {"sharding_stats", "sharding_time", "sharding_last"}},
        {"relinker", "relinker.recon", {"devices", "workers"}},
    };
    return items;
}

json::value from_cache(const ServerOptions& options, const CachedItems& wanted) {
    json::object found;
    for (const auto key : wanted.keys)
        found[key] = nullptr;
    const auto file =
        swift::read_file(options.recon_cache_path + "/" + std::string(wanted.file), file_bytes_max);
    if (!file) return found;
    boost::system::error_code code;
    const auto cache = json::parse(file->bytes, code);
    if (code || !cache.is_object()) return found;
    for (auto& item : found) {
        if (const auto* value = cache.as_object().if_contains(item.key())) item.value() = *value;
    }
    return found;
}

std::vector<std::string> entries_of(const std::string& path) {
    auto directory = swift::read_directory(AT_FDCWD, path);
    return directory ? std::move(directory->names) : std::vector<std::string>();
}

json::value md5_of(const std::string& path) {
    const auto file = swift::read_file(path, file_bytes_max);
    return file ? json::value(md5_hex(file->bytes)) : json::value(nullptr);
}

json::value ring_sums(const ServerOptions& options, const PolicyStores& stores) {
    std::vector<std::string> names{"account.ring.gz", "container.ring.gz"};
    for (const auto& store : stores)
        names.push_back(store.policy.ring_file_name());
    json::object sums;
    for (const auto& name : names) {
        const std::string path = options.swift_dir + "/" + name;
        if (::access(path.c_str(), F_OK) == 0) sums[path] = md5_of(path);
    }
    return sums;
}

json::value disk_usage(const ServerOptions& options, bool only_unmounted) {
    json::array list;
    for (const auto& name : entries_of(options.devices)) {
        const std::string path = options.devices + "/" + name;
        if (!swift::is_directory(path)) continue;
        const bool mounted = swift::is_mount_point(path);
        if (only_unmounted) {
            if (!mounted) list.push_back(json::object{{"device", name}, {"mounted", false}});
            continue;
        }
        struct statvfs disk {};
        if (!mounted || ::statvfs(path.c_str(), &disk) != 0) {
            list.push_back(json::object{
                {"device", name}, {"mounted", false}, {"size", ""}, {"used", ""}, {"avail", ""}});
            continue;
        }
        list.push_back(json::object{{"device", name},
                                    {"mounted", true},
                                    {"size", disk.f_bsize * disk.f_blocks},
                                    {"used", disk.f_bsize * (disk.f_blocks - disk.f_bavail)},
                                    {"avail", disk.f_bsize * disk.f_bavail}});
    }
    return list;
}

json::value quarantine_counts(const ServerOptions& options) {
    std::int64_t objects = 0, containers = 0, accounts = 0;
    json::object policies;
    for (const auto& device : entries_of(options.devices)) {
        const std::string folder = options.devices + "/" + device + "/quarantined";
        for (const auto& kind : entries_of(folder)) {
            struct stat status {};
            if (::lstat((folder + "/" + kind).c_str(), &status) != 0 || status.st_nlink <= 2) {
                continue;
            }
            const auto count = static_cast<std::int64_t>(status.st_nlink) - 2;
            if (kind == "containers") containers += count;
            if (kind == "accounts") accounts += count;
            if (!kind.starts_with("objects")) continue;
            objects += count;
            const auto dash = kind.find('-');
            const std::string index = dash == kind.npos ? "0" : kind.substr(dash + 1);
            auto& policy = policies[index];
            if (!policy.is_object()) policy = json::object{{"objects", 0}};
            policy.as_object()["objects"] = policy.as_object()["objects"].as_int64() + count;
        }
    }
    return json::object{{"objects", objects},
                        {"containers", containers},
                        {"accounts", accounts},
                        {"policies", std::move(policies)}};
}

json::value mounts() {
    json::array list;
    const auto file = swift::read_file("/proc/mounts", file_bytes_max);
    std::istringstream lines(file ? file->bytes : std::string());
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string device, path;
        if (words >> device >> path) {
            list.push_back(json::object{{"device", device}, {"path", path}});
        }
    }
    return list;
}

json::value load_average() {
    const auto file = swift::read_file("/proc/loadavg", file_bytes_max);
    std::istringstream words(file ? file->bytes : std::string());
    double one = 0, five = 0, fifteen = 0;
    std::string tasks;
    std::int64_t processes = 0;
    words >> one >> five >> fifteen >> tasks >> processes;
    return json::object{
        {"1m", one}, {"5m", five}, {"15m", fifteen}, {"tasks", tasks}, {"processes", processes}};
}

json::value memory() {
    json::object items;
    const auto file = swift::read_file("/proc/meminfo", file_bytes_max);
    std::istringstream lines(file ? file->bytes : std::string());
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(':');
        if (colon == line.npos) continue;
        const auto value = line.find_first_not_of(' ', colon + 1);
        items[line.substr(0, colon)] = value == line.npos ? "" : line.substr(value);
    }
    return items;
}

/// The TCP lines of the kernel's socket statistics.
json::value sockets() {
    json::object found;
    const auto word_of = [](const std::string& path, std::string_view start,
                            std::size_t position) -> std::optional<std::int64_t> {
        const auto file = swift::read_file(path, file_bytes_max);
        std::istringstream lines(file ? file->bytes : std::string());
        for (std::string line; std::getline(lines, line);) {
            if (!line.starts_with(start)) continue;
            std::istringstream words(line);
            std::string word;
            for (std::size_t i = 0; i <= position; ++i)
                words >> word;
            const auto number = parse_digits(word);
            if (number) return static_cast<std::int64_t>(*number);
        }
        return std::nullopt;
    };
    const std::array<std::pair<std::string_view, std::size_t>, 4> words{
        {{"tcp_in_use", 2}, {"orphan", 4}, {"time_wait", 6}, {"tcp_mem_allocated_bytes", 10}}};
    for (const auto& [name, position] : words) {
        auto value = word_of("/proc/net/sockstat", "TCP: inuse", position);
        if (!value) continue;
        found[name] = position == 10 ? *value * ::sysconf(_SC_PAGESIZE) : *value;
    }
    if (const auto six = word_of("/proc/net/sockstat6", "TCP6: inuse", 2)) {
        found["tcp6_in_use"] = *six;
    }
    return found;
}

std::optional<json::value> content_of(std::string_view what, const ServerOptions& options,
                                      const PolicyStores& stores, const Clock& clock) {
    for (const auto& items : cached_items()) {
        if (items.path == what) return from_cache(options, items);
    }
    if (what == "version") return json::object{{"version", swift_version}};
    if (what == "time") return json::value(clock.now().seconds());
    if (what == "mem") return memory();
    if (what == "load") return load_average();
    if (what == "mounted") return mounts();
    if (what == "unmounted") return disk_usage(options, true);
    if (what == "diskusage") return disk_usage(options, false);
    if (what == "quarantined") return quarantine_counts(options);
    if (what == "sockstat") return sockets();
    if (what == "ringmd5") return ring_sums(options, stores);
    if (what == "swiftconfmd5") {
        return json::object{{options.swift_conf_path, md5_of(options.swift_conf_path)}};
    }
    if (what == "devices") {
        json::array names;
        for (const auto& name : entries_of(options.devices))
            names.push_back(json::string(name));
        return json::object{{options.devices, std::move(names)}};
    }
    return std::nullopt;
}

}  // namespace

Reply answer_healthcheck(const ServerOptions& options) {
    const std::string& path = options.healthcheck_disable_path;
    if (!path.empty() && ::access(path.c_str(), F_OK) == 0) {
        return text_reply(503, "DISABLED BY FILE");
    }
    return text_reply(200, "OK");
}

Reply answer_recon(const std::string& path, const ServerOptions& options,
                   const PolicyStores& stores, const Clock& clock) {
    constexpr std::string_view prefix = "/recon/";
    const auto content =
        content_of(std::string_view(path).substr(prefix.size()), options, stores, clock);
    if (!content) return text_reply(404, "Invalid path: " + percent_quote(path));
    Reply reply;
    reply.fields.emplace_back("Content-Type", "application/json");
    reply.body = json::serialize(*content);
    return reply;
}

}  // namespace fragmend::server
