// Quarantines of a session, each of them under the device's brake.
#pragma once

#include <functional>
#include <string>

#include "host/sync/services.hpp"
#include "host/sync/survivor_source.hpp"

namespace fragmend::sync {

/// Quarantines the object of `file_path` with Swift's `reason`, unless too many went before it.
/// `is_still_due`, if there is one, has the last word: on a disk thread, just before the move.
/// Returns whether it was. References outlive the call. Runs on the network thread.
Awaitable<bool> quarantine_braked(Services& services, const PolicyContext& policy,
                                  std::string device, std::string file_path, std::string reason,
                                  std::function<bool()> is_still_due = nullptr);

/// Takes a second look at an archive that was caught with wrong bytes; when it is damaged on the
/// disk, and not only was in memory, its object is quarantined as Swift's object server does when
/// it serves such a file. Returns whether it was. Source:
/// swift.obj.diskfile.BaseDiskFileReader._handle_close_quarantine.
Awaitable<bool> quarantine_if_damaged(Services& services, const PolicyContext& policy,
                                      std::string device, LocalArchive archive);

}  // namespace fragmend::sync
