// Places and locks of incoming SSYNC sessions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/base/async.hpp"
#include "host/server/lock_lines.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/disk_options.hpp"
#include "host/swift/locks.hpp"

namespace fragmend::server {

/// How many sessions there may be at a time; one a server, network thread only.
class SessionPlaces {
  public:
    explicit SessionPlaces(std::int64_t most) : most_(most) {}
    class Place {
      public:
        explicit Place(SessionPlaces& owner) : owner_(&owner) { ++owner.taken_; }
        Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (owner_ != nullptr) --owner_->taken_;
        }

      private:
        SessionPlaces* owner_;
    };
    /// Nothing when all are taken: nobody waits for one.
    std::optional<Place> take() {
        if (taken_ >= most_) return std::nullopt;
        return Place(*this);
    }
    std::int64_t taken() const { return taken_; }

  private:
    std::int64_t most_;
    std::int64_t taken_ = 0;
};

/// The locks of one session, and its turns at them, which go to the next one after them.
struct SessionLock {
    LockLines::Turn partition_turn;
    std::optional<LockLines::Turn> device_turn;
    swift::ReplicationLock files;
};

/// The partition's replication lock, then one of the device's, on one budget. Waits without holding
/// a disk thread, and in line: however many sessions queue for a device, the others' work goes on.
/// Errors: lock_timeout (`15 seconds: <path>`), io, no_space. Source:
/// swift.obj.diskfile.BaseDiskFileManager.replication_lock, swift.common.utils.lock_path.
Awaitable<Result<SessionLock>> lock_session(asio::any_io_executor network,
                                            asio::any_io_executor disks, LockLines& lines,
                                            swift::PartitionPath partition,
                                            swift::ReplicationLocks limits);

}  // namespace fragmend::server
