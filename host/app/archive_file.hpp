// A file on disk as an archive to rebuild from.
#pragma once

#include <string>

#include "host/codec/archive_rebuild.hpp"

namespace fragmend::app {

/// Opens `path` and reads Swift's attributes, if it has any: a copy made without them is as
/// welcome. What is wrong with the file is in the source's `unusable`; `n` is the policy's number
/// of fragments.
codec::ArchiveSource open_archive(const std::string& path, int n);

}  // namespace fragmend::app
