// One TCP connection to a peer: connect, write, read, each with a moment at which it ends.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "host/base/async.hpp"
#include "host/base/bytes.hpp"
#include "host/base/unique_fd.hpp"
#include "transport/http/request.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::http {

/// One end of a connection, with a receive buffer for heads and small bodies.
/// Owned by one exchange at a time; move-only. Runs on the executor that it was made with; one read
/// and one write may be under way at the same time. An error or an expired deadline ends it for
/// good: after any doubt no further byte is sent. Only what a peer said before it hung up on a
/// write can still be read. `close` from elsewhere on the same executor ends what is under way with
/// `cancelled`.
class Connection {
  public:
    explicit Connection(const asio::any_io_executor& executor);
    ~Connection();
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;

    /// The server's end: takes over an accepted socket. A read whose deadline has passed does not
    /// end it: the answer can still say so.
    static Connection adopt(const asio::any_io_executor& executor, int fd, bool is_v6);

    /// Connects with TCP_NODELAY; a host name is resolved within the deadline, each of its
    /// addresses is tried. Errors: connect_failed (in Swift's words), timeout, cancelled.
    Awaitable<Result<void>> connect(Peer peer, Deadline deadline);

    /// Writes all pieces in order, in as few system calls as the socket takes them; empty ones are
    /// nothing. The bytes live until it returns. Errors: disconnected, timeout, cancelled.
    Awaitable<Result<void>> write(std::array<ByteView, 3> pieces, Deadline deadline);

    /// Another descriptor of the socket, non-blocking, for who sends from another thread while no
    /// write is under way: closing the connection does not take it away. Errors: cancelled, io.
    Result<UniqueFd> duplicate() const;
    /// Waits until the socket takes bytes. Errors as `write`.
    Awaitable<Result<void>> await_writable(Deadline deadline);

    /// Fills `into` completely, or returns fewer bytes when the peer has ended its side. Takes what
    /// is buffered first and reads the rest straight into `into`. Errors: disconnected, timeout,
    /// cancelled.
    Awaitable<Result<std::size_t>> read(ByteSpan into, Deadline deadline);

    /// Adds at most `bytes_max` to the buffer from one read; 0 when the peer has ended its side.
    /// Invalidates what `buffered` returned. Errors as `read`.
    Awaitable<Result<std::size_t>> fill(std::size_t bytes_max, Deadline deadline);
    /// Received and not yet consumed.
    ByteView buffered() const;
    void consume(std::size_t bytes);
    /// Gives the receive buffer back, if nothing is in it; else most of what nothing is in, if that
    /// is much.
    void trim();

    void close();
    bool is_open() const;
    /// Open, nothing buffered, and the peer neither spoke nor closed: fit for another request.
    bool is_quiet() const;

    struct State;
    /// Closes the connection from elsewhere, also while its owner waits on it, and across moves.
    class Closer {
      public:
        Closer() = default;
        explicit Closer(std::weak_ptr<State> state) : state_(std::move(state)) {}
        void close() const;

      private:
        std::weak_ptr<State> state_;
    };
    Closer closer() const { return Closer(state_); }

  private:
    /// Shared with the operations under way and with the timers, which may outlive this handle.
    std::shared_ptr<State> state_;
};

}  // namespace fragmend::transport::http
