// Work that disk threads would do one after the other for the same place, done once for all of
// them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "host/base/error.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {

/// Groups what concurrent writers need of one directory. Whoever comes while another one is at work
/// on the same place waits, and one of those who waited does it for all of them: always in a round
/// that begins after the last of them has come, so nobody is told of work that had begun before his
/// own. A round that fails has failed for everybody in it and is not tried again; but one that did
/// not get its lock in time has failed only for who led it, since the others have time left.
/// Thread-safe; blocks; runs on disk threads. Owned by the copies of a DiskContext.
class DiskGroups {
  public:
    explicit DiskGroups(double lock_time_s = hash_lock_timeout_s) : lock_time_s_(lock_time_s) {}
    /// `invalidate_suffix`, with one visit to the lock for all who wait; it and the wait for an
    /// earlier visit take one lock time at most. Errors: as there.
    Result<void> note(const std::string& partition_path, const std::string& suffix);
    /// fsync of a directory. Errors: not_found, io, no_space.
    Result<void> sync(const std::string& directory_path);

  private:
    struct Round {
        std::set<std::string> items;
        std::optional<Result<void>> result;
    };
    struct Place {
        std::shared_ptr<Round> next;  ///< Owned by those who wait for it.
        bool busy = false;
        std::size_t present = 0;
        std::condition_variable changed;
    };
    using Moment = std::chrono::steady_clock::time_point;
    using Act = std::function<Result<void>(const std::set<std::string>& items)>;
    /// Nothing when `give_up` came before a result.
    std::optional<Result<void>> join(const std::string& place, const std::string& item,
                                     Moment give_up, const Act& act);

    double lock_time_s_;
    std::mutex mutex_;
    std::map<std::string, Place> places_;  ///< Only those where somebody is.
};

}  // namespace fragmend::swift
