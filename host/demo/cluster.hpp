// A whole cluster in one process: devices that are folders, servers on loopback, Swift's own files.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "host/codec/ec_scheme.hpp"
#include "host/demo/embedded_server.hpp"
#include "host/swift/ring.hpp"
#include "host/swift/swift_conf.hpp"

namespace fragmend::demo {

struct ClusterSpec {
    codec::EcScheme scheme{"isa_l_rs_cauchy", 4, 2};
    std::uint64_t segment_bytes = 1 << 20;
    int devices = 8;
    int servers = 4;  ///< At most one a device; devices are dealt out to them in turn.
    int part_power = 5;
    bool fsync = true;                         ///< Of the servers.
    std::chrono::microseconds answer_delay{};  ///< Before each of the servers' answers.
    std::int64_t disk_threads = 16;            ///< Of each server.
    std::uint64_t seed = 1;                    ///< Of the ring.
};

/// Below its folder: `etc` with swift.conf, a ring and object-server.conf, as a node of a real
/// cluster has them; `srv` with the devices; `lost` with what was wiped. Every server may be asked
/// while it lives. Made and destroyed on one thread, read from any.
class Cluster {
  public:
    /// `root` is an empty folder. All references outlive the cluster.
    /// Errors: bad_config, io, no_space.
    static Result<std::unique_ptr<Cluster>> make(const ClusterSpec& spec, const std::string& root,
                                                 const server::FragmentAudit& audit,
                                                 const Clock& clock, const Logger& logger);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    const ClusterSpec& spec() const { return spec_; }
    /// What `fragmend reconstructor` is started with.
    std::string conf_path() const { return root_ + "/etc/object-server.conf"; }
    std::string swift_conf_path() const { return root_ + "/etc/swift.conf"; }
    std::string device_path(const std::string& device) const { return root_ + "/srv/" + device; }
    /// Where the first wipe of a device puts what was on it.
    std::string lost_path(const std::string& device) const { return root_ + "/lost/" + device; }
    const std::string& root() const { return root_; }
    /// `d1` and so on.
    const std::vector<std::string>& devices() const { return devices_; }
    const swift::SwiftConf& conf() const { return conf_; }
    const swift::Policy& policy() const { return stores_.front().policy; }
    const swift::DiskContext& disk() const { return stores_.front().disk; }
    const swift::RingPtr& ring() const { return ring_; }

    /// Replaces the device by an empty one. What the first wipe finds is kept in `lost_path`; what
    /// later ones find is gone. Errors: io.
    Result<void> wipe(const std::string& device) const;

  private:
    Cluster(const ClusterSpec& spec, std::string root) : spec_(spec), root_(std::move(root)) {}
    Result<void> make_folders();
    Result<void> write_configuration();
    Result<void> start_servers(const server::FragmentAudit& audit, const Clock& clock,
                               const Logger& logger);
    Result<void> write_ring();
    Result<void> load_store(const server::FragmentAudit& audit, const Clock& clock,
                            const Logger& logger);

    ClusterSpec spec_;
    std::string root_;
    std::vector<std::string> devices_;
    swift::SwiftConf conf_;
    swift::RingPtr ring_;
    server::ServerOptions options_;
    server::PolicyStores stores_;
    std::vector<std::unique_ptr<EmbeddedServer>> servers_;
};

}  // namespace fragmend::demo
