// One survivor's fragment archive over the network, at its first byte.
#pragma once

#include <cstdint>
#include <string>

#include "host/base/async.hpp"
#include "host/base/bytes.hpp"
#include "host/base/node.hpp"
#include "transport/http/client.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::fragments {

/// A chosen answer, to be read from front to end. Owned by the object's rebuild; runs on the
/// client's executor. Read to its end, its connection goes back to the client, which outlives it;
/// destroyed earlier, the connection is dropped. Does not check the bytes against `announced_md5`:
/// its reader does.
class Survivor {
  public:
    /// `opened` is at the first of `archive_bytes` body bytes.
    Survivor(http::Client& client, http::Opened opened, Node node, std::uint8_t index,
             std::string announced_md5, std::uint64_t archive_bytes, TimeLimit read_limit);

    std::uint8_t index() const { return index_; }
    /// MD5 of the archive as its server announced it, 32 hex digits.
    const std::string& announced_md5() const { return announced_md5_; }
    const Node& node() const { return node_; }
    /// `ip:port/device`.
    const std::string& name() const { return name_; }

    /// Fills `into` completely, or returns fewer bytes at the end of the archive only. One limit
    /// (node_timeout) for the whole call, as for Swift's round of reads. After an error every
    /// further read fails. Errors: timeout, disconnected (a body that ends early included),
    /// cancelled.
    Awaitable<Result<std::size_t>> read(ByteSpan into);
    /// Ends a read that is under way, from elsewhere on the same executor.
    void cancel() { opened_.connection.close(); }

  private:
    http::Client& client_;
    http::Opened opened_;
    Node node_;
    std::uint8_t index_;
    std::string announced_md5_;
    std::string name_;
    std::uint64_t left_;
    TimeLimit read_limit_;
    bool returned_ = false;
};

}  // namespace fragmend::transport::fragments
