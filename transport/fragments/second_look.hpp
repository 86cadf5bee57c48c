// Makes the owner of a damaged archive look at it himself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/base/async.hpp"
#include "host/base/node.hpp"
#include "host/base/timestamp.hpp"
#include "transport/http/client.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::fragments {

/// An archive that turned out damaged at its reader.
struct DamagedArchive {
    Node node;
    std::string partition;    ///< Decimal.
    std::string object_path;  ///< `/account/container/object`, plain bytes.
    int policy_index = 0;
    Timestamp data_timestamp;
    std::uint64_t archive_bytes = 0;  ///< No more than this is read.
};

/// Returns when so many bytes may be read; an error ends the look.
using MayRead = std::function<Awaitable<Result<void>>(std::size_t bytes)>;

/// A server that was told that its reader verifies has not hashed what it sent, so it does not know
/// of the damage. Asks for the archive once more, without that promise, and drops what comes: the
/// server hashes, and quarantines as Swift's own would. What it answers is of no account. One
/// node_timeout for the head and for each piece, and a minute for all of it but the last wait for
/// `may_read`, which is asked before each piece; `abort` ends it at once.
Awaitable<void> second_look(http::Client& client, DamagedArchive archive, Timeouts timeouts,
                            MayRead may_read, http::Abort& abort);

}  // namespace fragmend::transport::fragments
