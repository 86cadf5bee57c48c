// What a wanted object becomes on the wire: its sub-requests and their headers. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"
#include "host/swift/diskfile.hpp"
#include "host/swift/metadata.hpp"
#include "transport/ssync/ports.hpp"

namespace fragmend::sync {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What goes to the receiver of an object as far as it wants it, in order: a DELETE, or a PUT with
/// `put_headers`, whose length and body are missing yet, and a POST. Checked as the sender checks
/// it, for whom one request that breaks its lines ends the session. Errors: bad_metadata.
/// Source: swift.obj.ssync_sender.Sender.updates.
Result<std::vector<transport::ssync::SubRequest>> sub_requests_of(
    const swift::OpenObject& object, const transport::ssync::Wanted& want, Headers put_headers);

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

/// What the headers take in memory, their strings' own size included.
std::size_t header_bytes_of(const std::vector<transport::ssync::SubRequest>& requests);

}  // namespace fragmend::sync
