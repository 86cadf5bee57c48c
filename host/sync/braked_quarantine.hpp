// Quarantines of a session, each of them under the device's brake.
#pragma once

#include <string>

#include "host/sync/services.hpp"
#include "host/sync/survivor_source.hpp"

namespace fragmend::sync {

/// Quarantines the object of `file_path` with Swift's `reason`, unless too many went before it.
/// Returns whether it was. References outlive the call. Runs on the network thread.
Awaitable<bool> quarantine_braked(Services& services, const PolicyContext& policy,
                                  std::string device, std::string file_path, std::string reason);

/// Takes a second look at an archive that was caught with wrong bytes; when it is damaged on the
/// disk, and not only was in memory, its object is quarantined as Swift's object server does when
/// it serves such a file. Returns whether it was. Source:
/// swift.obj.diskfile.BaseDiskFileReader._handle_close_quarantine.
Awaitable<bool> quarantine_if_damaged(Services& services, const PolicyContext& policy,
                                      std::string device, LocalArchive archive);

}  // namespace fragmend::sync
