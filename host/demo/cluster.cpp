// Building a cluster from nothing.
#include "host/demo/cluster.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "host/demo/ring_image.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/policy_disk.hpp"

namespace fragmend::demo {
namespace {

namespace fs = std::filesystem;

Result<void> write_file(const std::string& path, const std::string& bytes) {
    std::ofstream out(path, std::ios::binary);
    out << bytes;
    if (!out.flush()) return error_from_errno(errno, "write " + path);
    return {};
}

/// As whom the daemons of this cluster run: whoever started us.
std::string user_name() {
    const passwd* entry = ::getpwuid(::geteuid());
    return entry != nullptr ? entry->pw_name : std::to_string(::geteuid());
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::make(const ClusterSpec& spec, const std::string& root,
                                               const server::FragmentAudit& audit,
                                               const Clock& clock, const Logger& logger) {
    std::unique_ptr<Cluster> cluster(new Cluster(spec, root));
    auto done = cluster->make_folders();
    if (done.has_value()) done = cluster->write_configuration();
    if (done.has_value()) done = cluster->start_servers(audit, clock, logger);
    if (done.has_error()) return done.error();
    return cluster;
}

Cluster::~Cluster() {
    for (auto& server : servers_)
        server->stop();
}

Result<void> Cluster::make_folders() {
    for (int i = 1; i <= spec_.devices; ++i)
        devices_.push_back("d" + std::to_string(i));
    for (const char* name : {"etc", "lost", "recon"}) {
        auto made = swift::make_directories(root_ + "/" + name);
        if (made.has_error()) return made;
    }
    for (const std::string& device : devices_) {
        auto made = swift::make_directories(device_path(device));
        if (made.has_error()) return made;
    }
    return {};
}

Result<void> Cluster::write_configuration() {
    const std::string swift_conf =
        "[swift-hash]\nswift_hash_path_prefix = fragmend\nswift_hash_path_suffix = demo\n\n"
        "[storage-policy:0]\nname = embedded\ndefault = yes\npolicy_type = erasure_coding\n"
        "ec_type = " +
        spec_.scheme.ec_type + "\nec_num_data_fragments = " + std::to_string(spec_.scheme.k) +
        "\nec_num_parity_fragments = " + std::to_string(spec_.scheme.m) +
        "\nec_object_segment_size = " + std::to_string(spec_.segment_bytes) + "\n";
    auto written = write_file(swift_conf_path(), swift_conf);
    if (written.has_error()) return written;
    // The servers share one address, each with a port of its own: with servers_per_port a
    // reconstructor takes care of all of them, and they are one node to it.
    const std::string conf = "[DEFAULT]\nuser = " + user_name() + "\nswift_dir = " + root_ +
                             "/etc\ndevices = " + root_ +
                             "/srv\nmount_check = false\nbind_ip = 127.0.0.1\n"
                             "servers_per_port = 1\nrecon_cache_path = " +
                             root_ +
                             "/recon\n\n[pipeline:main]\npipeline = object-server\n\n"
                             "[app:object-server]\nuse = egg:swift#object\n\n"
                             "[object-reconstructor]\nfragmend_node_sessions = 64\n";
    written = write_file(conf_path(), conf);
    if (written.has_error()) return written;
    auto conf_read = swift::load_swift_conf(swift_conf_path());
    if (conf_read.has_error()) return conf_read.error();
    conf_ = std::move(conf_read.value());
    options_.conf_path = conf_path();
    options_.swift_conf_path = swift_conf_path();
    options_.user = user_name();
    options_.swift_dir = root_ + "/etc";
    options_.devices = root_ + "/srv";
    options_.recon_cache_path = root_ + "/recon";
    options_.mount_check = false;
    options_.fallocate_reserve.value = 0;
    options_.log_requests = false;
    options_.disk_threads = spec_.disk_threads;
    options_.fsync = spec_.fsync;
    return {};
}

Result<void> Cluster::start_servers(const server::FragmentAudit& audit, const Clock& clock,
                                    const Logger& logger) {
    for (int i = 0; i < spec_.servers; ++i) {
        servers_.push_back(std::make_unique<EmbeddedServer>(
            options_, stores_, conf_.constraints, &audit, clock, logger, spec_.answer_delay));
        auto listening = servers_.back()->listen();
        if (listening.has_error()) return listening;
    }
    // The ring names the ports, and the servers look at the ring.
    auto done = write_ring();
    if (done.has_value()) done = load_store(audit, clock, logger);
    if (done.has_error()) return done;
    for (auto& server : servers_)
        server->start();
    return {};
}

Result<void> Cluster::write_ring() {
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
        const std::size_t server = i % servers_.size();
        Node node;
        node.id = static_cast<std::uint32_t>(i);
        node.zone = static_cast<std::int64_t>(server) + 1;
        node.ip = node.replication_ip = "127.0.0.1";
        node.port = node.replication_port = servers_[server]->port();
        node.device = devices_[i];
        node.weight = 100;
        nodes.push_back(std::move(node));
    }
    const auto parts = deal_ring(nodes, spec_.scheme.n(), spec_.part_power, spec_.seed);
    return write_file(root_ + "/etc/" + conf_.policies.front().ring_file_name(),
                      ring_file_bytes(parts));
}

Result<void> Cluster::load_store(const server::FragmentAudit& audit, const Clock& clock,
                                 const Logger& logger) {
    server::PolicyStore store;
    store.policy = conf_.policies.front();
    store.disk = swift::policy_disk(options_, conf_, store.policy, logger, clock);
    store.fragment_bytes = audit.fragment_bytes(store.policy);
    store.ring_file = std::make_shared<swift::RingFile>(options_.swift_dir, store.policy, logger);
    auto ring = store.ring_file->load(clock.steady());
    if (ring.has_error()) return ring.error();
    ring_ = std::move(ring.value());
    stores_.push_back(std::move(store));
    return {};
}

Result<void> Cluster::wipe(const std::string& device) const {
    const std::string path = device_path(device);
    const std::string kept = lost_path(device);
    std::error_code failed;
    if (!swift::is_directory(kept)) {
        if (std::rename(path.c_str(), kept.c_str()) != 0)
            return error_from_errno(errno, "rename " + path);
    } else if (fs::remove_all(path, failed); failed) {
        return Error{errc::io, "remove " + path + ": " + failed.message()};
    }
    return swift::make_directories(path);
}

}  // namespace fragmend::demo
