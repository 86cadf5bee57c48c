// A second look at a local archive that was caught with wrong bytes.
#pragma once

#include <optional>
#include <string>

#include "host/sync/survivor_source.hpp"

namespace fragmend::sync {

/// Reads the archive again from its beginning and says, in Swift's words, what is wrong with it on
/// the disk; nothing when it is whole, or cannot be read for another reason than EIO. Blocks: runs
/// on a disk thread. Source: swift.obj.diskfile.BaseDiskFileReader.__iter__,
/// _handle_close_quarantine.
std::optional<std::string> damage_of(const LocalArchive& archive);

}  // namespace fragmend::sync
