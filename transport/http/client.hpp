// Requests without a body over pooled connections: send a head, read a head, leave the body.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "transport/http/connection.hpp"
#include "transport/http/pool.hpp"
#include "transport/http/response_head.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::http {

/// An answered request: the head is parsed, the body starts at the connection's next byte.
struct Opened {
    Connection connection;
    ResponseHead head;
};

/// Lets somebody else on the same executor end a request that is under way.
class Abort {
  public:
    void abort() {
        aborted_ = true;
        closer_.close();
    }
    bool aborted() const { return aborted_; }
    void watch(const Connection& connection, bool connected) {
        closer_ = connection.closer();
        connected_ = connected;
    }
    /// The peer has taken the connection: what keeps its answer away is not that it is gone.
    void connected() { connected_ = true; }
    bool is_connected() const { return connected_; }
    /// The request is over; its connection may serve another one from here on.
    void forget() { closer_ = {}; }

  private:
    bool aborted_ = false;
    bool connected_ = false;
    Connection::Closer closer_;
};

/// Reads and parses a response head; what follows it stays buffered. `body_bytes_hint` small bytes
/// of body are worth having from the same read. Errors: protocol, limit, disconnected, timeout,
/// cancelled.
Awaitable<Result<ResponseHead>> read_head(Connection& connection, std::size_t body_bytes_hint,
                                          Deadline deadline);

/// Reads a whole body of at most `bytes_max`, whatever its framing.
/// Errors: limit, protocol, disconnected, timeout, cancelled.
Awaitable<Result<std::string>> read_body(Connection& connection, const ResponseHead& head,
                                         std::size_t bytes_max, Deadline deadline);

/// GET and REPLICATE: the requests that may be sent twice without harm.
/// Owned by host/app, one a network thread; outlives every request.
class Client {
  public:
    /// `clock` outlives the client. `user_agent`: `obj-reconstructor <pid>`.
    Client(asio::any_io_executor executor, std::string user_agent, const Clock& clock,
           PoolLimits limits = {})
        : executor_(std::move(executor)),
          user_agent_(std::move(user_agent)),
          pool_(limits, clock) {}

    /// Sends `head` over an idle connection or a fresh one, and reads the answer's head. A reused
    /// connection that ends before its first answer byte is replaced once by a fresh one: the
    /// server had closed it. `head_words` names the limit of the answer, as in
    /// `Deadline::exception`. `abort` outlives the call. Errors: connect_failed, disconnected,
    /// protocol, limit, timeout, cancelled.
    Awaitable<Result<Opened>> open(Peer peer, std::string head, TimeLimit connect_and_send,
                                   TimeLimit answer, std::size_t body_bytes_hint, Abort& abort);

    /// Ends an exchange: the connection is kept when its body is complete and it may carry another.
    /// With `body_bytes` not yet consumed it is kept only when they are all buffered; they are
    /// skipped.
    void finish(const Peer& peer, Opened opened, std::uint64_t body_bytes);

    const asio::any_io_executor& executor() const { return executor_; }
    const std::string& user_agent() const { return user_agent_; }
    Pool& pool() { return pool_; }

  private:
    Awaitable<Result<ResponseHead>> exchange(Connection& connection, const std::string& head,
                                             Deadline send, const TimeLimit& answer,
                                             std::size_t body_bytes_hint);

    asio::any_io_executor executor_;
    std::string user_agent_;
    Pool pool_;
};

}  // namespace fragmend::transport::http
