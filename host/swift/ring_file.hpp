// The ring of one policy on disk, loaded again when the file changes.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "host/base/error.hpp"
#include "host/base/log.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/ring.hpp"

namespace fragmend::swift {

/// Keeps the newest good ring of a policy. A new file that is malformed or does not fit its policy
/// is reported once and the old ring stays; so it does beside one that cannot be read, which is
/// tried again at every look. Whoever asks gets a snapshot; take one per job.
/// Reads the file on the caller's thread, so not on a network thread. Safe from any thread.
/// Source: swift.common.ring.Ring._reload, has_changed.
class RingFile {
  public:
    using Instant = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds check_interval{15};

    /// `swift_dir` holds the file that the policy's index names.
    RingFile(const std::string& swift_dir, Policy policy, Logger logger);

    /// Loads the ring at start. Errors: bad_ring naming the file; not_found; io.
    Result<RingPtr> load(Instant now);

    /// The ring in use; looks at the file's mtime when the last look is longer than the interval
    /// ago. `load` must have succeeded.
    RingPtr current(Instant now);
    /// The same, and looks at the file whenever the last look was: for rare moments such as the
    /// start of a pass.
    RingPtr newest(Instant now);
    /// The ring that was loaded last; neither looks at the file nor waits for somebody who does.
    RingPtr known() const;

    /// Whether the file on disk is another one than was loaded or refused last.
    /// Errors: not_found, io.
    Result<bool> has_changed() const;

    const std::string& path() const { return path_; }
    const Policy& policy() const { return policy_; }

  private:
    Result<RingPtr> read();
    RingPtr look(Instant now);
    void keep(RingPtr ring);

    std::string path_;
    Policy policy_;
    Logger logger_;
    mutable std::mutex mutex_;       // Held over looks and loads.
    mutable std::mutex ring_mutex_;  // Of `ring_` alone, taken inside the other one.
    RingPtr ring_;
    std::int64_t mtime_ns_ = 0;  // Of the file that was read last, good or not.
    std::optional<std::int64_t> unreadable_mtime_ns_;  // Of one that could not be read since.
    Instant next_check_{};
    bool missing_reported_ = false;
};

}  // namespace fragmend::swift
