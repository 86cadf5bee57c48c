// Options about disks that daemons and servers share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/swift/option_reader.hpp"

namespace fragmend::swift {

/// Space that writers leave free. Source: swift.common.utils.config_fallocate_value.
struct FallocateReserve {
    double value = 1;  ///< Bytes, or percent of the device.
    bool is_percent = true;
};
FallocateReserve read_fallocate_reserve(OptionReader& options);

/// Source: swift.obj.diskfile.BaseDiskFileManager.__init__.
struct ReplicationLocks {
    std::int64_t sessions_per_device = 1;  ///< replication_concurrency_per_device; 0: no lock.
    std::int64_t timeout_s = 15;           ///< replication_lock_timeout.
};
ReplicationLocks read_replication_locks(OptionReader& options, std::vector<std::string>& warnings);

}  // namespace fragmend::swift
