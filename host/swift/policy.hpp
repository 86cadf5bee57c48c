// One storage policy of swift.conf and the names that follow from its index.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fragmend::swift {

enum class PolicyType { replication, erasure_coding };

/// A policy as swift.conf declares it. The erasure-code members are 0 for replication.
/// Source: swift.common.storage_policy.BaseStoragePolicy, ECStoragePolicy.
struct Policy {
    int index = 0;
    std::string name;
    std::vector<std::string> aliases;  ///< Further names, without `name`.
    PolicyType type = PolicyType::replication;
    bool is_default = false;
    bool is_deprecated = false;

    std::string ec_type;
    int k = 0;                      ///< ec_num_data_fragments.
    int m = 0;                      ///< ec_num_parity_fragments.
    std::size_t segment_bytes = 0;  ///< Payload bytes of one encode call.
    int duplication_factor = 1;

    bool is_erasure_coding() const { return type == PolicyType::erasure_coding; }
    int unique_fragments() const { return k + m; }
    /// Replicas that the ring must have; only erasure coding fixes this number.
    int ring_replicas() const { return unique_fragments() * duplication_factor; }
    /// The fragment index of a primary's or handoff's position.
    int backend_index(std::size_t node_index) const {
        return static_cast<int>(node_index % static_cast<std::size_t>(unique_fragments()));
    }
    /// `<ec_type> <k>+<m>`, as stored in X-Object-Sysmeta-Ec-Scheme.
    std::string scheme_description() const {
        return ec_type + " " + std::to_string(k) + "+" + std::to_string(m);
    }

    std::string data_dir() const { return "objects" + suffix(); }
    std::string tmp_dir() const { return "tmp" + suffix(); }
    std::string async_dir() const { return "async_pending" + suffix(); }
    /// Below the device: where damaged objects of this policy are moved.
    std::string quarantine_dir() const { return "quarantined/" + data_dir(); }
    std::string ring_file_name() const { return "object" + suffix() + ".ring.gz"; }

    bool operator==(const Policy&) const = default;

  private:
    std::string suffix() const { return index == 0 ? "" : "-" + std::to_string(index); }
};

}  // namespace fragmend::swift
