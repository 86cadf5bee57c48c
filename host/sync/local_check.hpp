// A second look at a local archive that was caught with wrong bytes.
#pragma once

#include <string>

#include "host/swift/disk_context.hpp"
#include "host/sync/survivor_source.hpp"

namespace fragmend::sync {

/// Reads the archive again from its beginning; when it is damaged on the disk, and not only was in
/// memory, its object is quarantined as Swift's object server does when it serves such a file.
/// Returns whether it was. Blocks: runs on a disk thread.
/// Source: swift.obj.diskfile.BaseDiskFileReader._handle_close_quarantine.
bool quarantine_if_damaged(const swift::DiskContext& disk, const std::string& device,
                           const LocalArchive& archive);

}  // namespace fragmend::sync
