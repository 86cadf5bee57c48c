// Object servers without a disk: every object has the same fragments, which lie in memory.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/node.hpp"
#include "host/base/timestamp.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::bench {

/// What all objects of a run look like.
struct ObjectShape {
    scheduler::EcScheme scheme{"isa_l_rs_cauchy", 4, 2};
    std::size_t segment_bytes = 0;
    std::size_t segments = 1;
};

/// How peers behave.
enum class Manner {
    quick,
    /// Of a survivor only the first half is sent; the connection stays open.
    stalls_when_sending,
    /// Of a session nothing is read once its first body began.
    stalls_when_receiving,
    /// Of the suffix hashes only the first half is sent.
    stalls_when_hashing,
};

/// What a client has to know of the peers, who may be in another process.
struct PeerView {
    std::vector<Node> nodes;
    std::uint64_t archive_bytes = 0;
    std::size_t fragment_bytes = 0;
};

/// One listener a fragment index, all on one thread of their own. A GET answers the archive of its
/// index with the headers of Swift's object server; an SSYNC session wants everything, compares
/// each body with the archive of its index while it comes, and says so at its end; a REPLICATE
/// answers `hashes`; a SINK takes bytes and counts them. Nothing is hashed here: what is measured
/// is the other side.
class MemoryPeers {
  public:
    /// `metadata`: lines of what a client said of its objects, in the head of each answer.
    explicit MemoryPeers(const ObjectShape& shape, Manner manner = Manner::quick,
                         std::string hashes = {}, const std::string& metadata = {});
    ~MemoryPeers();
    MemoryPeers(const MemoryPeers&) = delete;
    MemoryPeers& operator=(const MemoryPeers&) = delete;

    Node node(std::size_t index) const {
        return node_at(index, listeners_.at(index).local_endpoint().port());
    }
    static Node node_at(std::size_t index, std::uint16_t port);
    PeerView view() const;
    const std::string& archive(std::size_t index) const { return archives_.at(index); }
    std::size_t fragment_bytes() const { return fragment_bytes_; }
    /// Bodies that came whole and right, wrong ones; read them after a run.
    std::uint64_t good_bodies() const { return good_; }
    std::uint64_t wrong_bodies() const { return wrong_; }

    static inline const Timestamp time{170'000'000'000'000, 0};
    static constexpr const char* ec_etag = "0123456789abcdef0123456789abcdef";

  private:
    using tcp = asio::ip::tcp;
    struct Session;
    Awaitable<void> listen(std::size_t index);
    Awaitable<void> serve(tcp::socket socket, std::size_t index);
    Awaitable<void> receive(tcp::socket& socket, std::string rest, std::size_t index);
    Awaitable<void> sink(tcp::socket& socket);
    static Awaitable<void> hang(tcp::socket& socket);

    Manner manner_;
    std::string hashes_;  ///< The answer to a REPLICATE, with its head.
    asio::io_context io_{1};
    std::size_t fragment_bytes_ = 0;
    std::vector<std::string> archives_;
    std::vector<std::string> heads_;
    std::deque<tcp::acceptor> listeners_;
    std::uint64_t good_ = 0, wrong_ = 0;
    TaskGroup tasks_;
    std::thread thread_;
};

}  // namespace fragmend::bench
