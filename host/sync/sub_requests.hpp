// What a wanted object becomes on the wire: the headers of its sub-requests. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/base/timestamp.hpp"
#include "host/swift/metadata.hpp"

namespace fragmend::sync {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Headers of a PUT that carries a rebuilt fragment: the data file's own metadata, without the
/// name, the lengths and the MD5 of this node's archive, and with the wanted index. Source:
/// swift.obj.reconstructor.RebuildingECDiskFileStream; ssync_sender.Sender.send_put.
Headers rebuilt_put_headers(const swift::Metadata& data, int wanted_index);

/// Headers of a PUT that carries the fragment archive of this disk: the data file's own metadata
/// with its MD5, which the receiver checks. `X-Backend-No-Commit` unless it is durable. A data file
/// whose metadata names no index gets that of its file name. Source:
/// swift.obj.ssync_sender.Sender.send_put.
Headers reverted_put_headers(const swift::Metadata& data, int fragment_index, bool durable);

/// Headers of a POST: all that the .meta file holds, except the name.
/// Source: swift.obj.ssync_sender.Sender.send_post.
Headers post_headers(const swift::Metadata& meta);

/// Headers of a DELETE. Source: swift.obj.ssync_sender.Sender.send_delete.
Headers delete_headers(const Timestamp& tombstone);

}  // namespace fragmend::sync
