// One storage policy as this server keeps it: its rules, its disks, its ring.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/ring_file.hpp"

namespace fragmend::server {

/// Looks at whole fragments while their archive is being read, as Swift's object server does.
/// Owned by host/app, which knows the codec; called from disk threads.
class FragmentAudit {
  public:
    virtual ~FragmentAudit() = default;
    /// Length of a full fragment of `policy`, header included; 0 when nothing is to be checked.
    virtual std::size_t fragment_bytes(const swift::Policy& policy) const = 0;
    virtual bool is_good(ByteView fragment) const = 0;
};

/// Values for the life of the process; read by all disk threads.
struct PolicyStore {
    swift::Policy policy;
    swift::DiskContext disk;
    /// Absent where no ring could be loaded: partitions are then taken at their word, as by Swift.
    std::shared_ptr<swift::RingFile> ring_file;  ///< Owned by this store's copies.
    std::size_t fragment_bytes = 0;              ///< Of `FragmentAudit`.

    /// Loads the ring if its file has changed. Blocks.
    void refresh_ring() const;
    /// Whether an object may lie in this partition, now or during a change of the part power, by
    /// the ring that was loaded last: asked on the network thread, too.
    bool belongs(std::string_view object_hash, std::string_view partition) const;
};

using PolicyStores = std::vector<PolicyStore>;

}  // namespace fragmend::server
