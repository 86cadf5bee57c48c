// MD5s of whole archives, read side by side.
#pragma once

#include <span>
#include <vector>

#include "host/base/md5.hpp"
#include "host/codec/archive_bytes.hpp"

namespace fragmend::codec {

/// Reads each archive once, all of them in pieces that together take at most `memory_bytes`. In
/// the place of one that cannot be read to its end: what reading said.
std::vector<Result<Md5Digest>> digests_of(std::span<const ArchiveBytes> archives,
                                          std::size_t memory_bytes);

}  // namespace fragmend::codec
