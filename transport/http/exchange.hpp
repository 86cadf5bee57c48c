// One request and its answer, from the server's side of a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/async.hpp"
#include "host/base/bytes.hpp"
#include "host/base/clock.hpp"
#include "transport/http/chunked.hpp"
#include "transport/http/connection.hpp"
#include "transport/http/reply.hpp"
#include "transport/http/request_head.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::http {

/// What a handler sees of a connection. The body may be read while the answer is written (SSYNC),
/// one reader and one writer at a time. After an error nothing more may be read or sent; the server
/// then drops the connection. Owned by the server; lives for one request.
class Exchange {
  public:
    /// `connection`, `clock` and `write_limit` outlive the exchange.
    Exchange(Connection& connection, RequestHead head, std::string peer, const Clock& clock,
             const TimeLimit& write_limit)
        : connection_(connection),
          head_(std::move(head)),
          peer_(std::move(peer)),
          clock_(clock),
          write_limit_(write_limit),
          left_(head_.content_length().value_or(0)) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    const RequestHead& head() const { return head_; }
    /// Numeric address of the client.
    const std::string& peer() const { return peer_; }

    /// The next bytes of the body without their framing, empty at its end; valid until the next
    /// call. Says `100 Continue` first where the client waits for that and nothing was answered.
    /// Errors: disconnected (the body ended early), protocol, timeout, cancelled.
    Awaitable<Result<ByteView>> read(Deadline deadline);
    bool body_finished() const { return head_.chunked() ? chunks_.finished() : left_ == 0; }
    /// `100 Continue` with fields of its own, once more for each call. Errors as `reply`.
    Awaitable<Result<void>> say_continue(const Fields& fields);
    /// A chunked body was read to its end, and another one follows: the second phase of a proxy's
    /// PUT.
    void expect_another_body();
    /// Fields that go with the `100 Continue` of the first read.
    void set_continue_fields(Fields fields) { continue_fields_ = std::move(fields); }

    /// A whole answer, without its body where there may be none.
    /// Errors: disconnected, timeout, cancelled.
    Awaitable<Result<void>> reply(Reply reply);
    /// The head of an answer whose body is streamed: counted if `head` has a content length, else
    /// chunked. `first` goes out with it; it is not empty when chunked.
    Awaitable<Result<void>> begin(Reply head, std::string_view first = {});
    /// The next bytes of a streamed body, not empty; `begin` said how they are framed.
    Awaitable<Result<void>> write(ByteView bytes);
    /// For who sends the next bytes of a counted body to the socket itself, from another thread:
    /// Connection::duplicate.
    Result<UniqueFd> lend_socket() const { return connection_.duplicate(); }
    /// So many were sent by them.
    void was_sent(std::uint64_t bytes);
    /// Waits until the socket takes more. Errors as `reply`.
    Awaitable<Result<void>> await_writable();
    /// Ends a streamed body. A counted one that is short ends the connection.
    Awaitable<Result<void>> finish();

    /// Closes the connection at once, from whichever coroutine of its executor.
    void drop();
    bool answered() const { return begun_; }
    /// Of the answer, 0 while there is none.
    int status() const { return status_; }
    /// Everything was read and written as announced, and the client goes on.
    bool reusable() const { return complete_ && keep_alive_ && body_finished(); }
    /// Reads a rest of the body that is not worth a new connection. Nothing else follows.
    Awaitable<void> settle(Deadline deadline);

  private:
    Awaitable<Result<void>> send(std::string_view head, ByteView body, std::string_view end);
    void end_read();

    Connection& connection_;
    RequestHead head_;
    std::string peer_;
    const Clock& clock_;
    const TimeLimit& write_limit_;
    Fields continue_fields_;
    ChunkDecoder chunks_;
    std::uint64_t left_;          ///< Of a counted body, not yet handed out.
    std::size_t handed_out_ = 0;  ///< Bytes of the connection's buffer behind the last view.
    std::uint64_t to_write_ = 0;  ///< Of a counted answer.
    Framing framing_ = Framing::counted;
    int status_ = 0;
    bool continued_ = false;
    bool begun_ = false;
    bool complete_ = false;
    bool keep_alive_ = true;
};

}  // namespace fragmend::transport::http
