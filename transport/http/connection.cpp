// One TCP connection over Asio.
#include "transport/http/connection.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <cerrno>
#include <utility>
#include <vector>

namespace fragmend::transport::http {
namespace {

namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using Moment = Deadline::Moment;

/// Of a receive buffer, beyond twice what is in it: not worth a copy.
constexpr std::size_t spare_bytes_max = 4096;

/// In the words of swift.common.utils.LogAdapter.exception.
Error network_error(const error_code& code, errc otherwise) {
    if (code == asio::error::operation_aborted) return {errc::cancelled, "closed"};
    switch (code.value()) {
        case ECONNREFUSED:
            return {errc::connect_failed, "Connection refused"};
        case ECONNRESET:
            return {errc::disconnected, "Connection reset"};
        case EHOSTUNREACH:
            return {errc::connect_failed, "Host unreachable"};
        case ENETUNREACH:
            return {errc::connect_failed, "Network unreachable"};
        case ETIMEDOUT:
            return {otherwise, "Connection timeout"};
        case EPIPE:
            return {errc::disconnected, "Broken pipe"};
        default:
            return {otherwise, code.message()};
    }
}

}  // namespace

/// Shared by the handle, the operations under way and the timers.
struct Connection::State : std::enable_shared_from_this<State> {
    /// A timer that is set anew only when an earlier deadline than the one it waits for comes:
    /// limits of one connection are mostly alike, so the steady state never touches the timer
    /// queue. `beast::tcp_stream` sets and cancels one for each operation, which is why the socket
    /// is a plain one.
    struct Watch {
        explicit Watch(const asio::any_io_executor& executor) : timer(executor) {}
        asio::steady_timer timer;
        Moment deadline = Moment::max();
        bool waiting = false;
        bool expired = false;
    };

    explicit State(const asio::any_io_executor& executor)
        : socket(executor), reading(executor), writing(executor) {}

    void arm(Watch& watch, Moment deadline) {
        watch.deadline = deadline;
        if (deadline == Moment::max()) return;
        if (watch.waiting && watch.timer.expiry() <= deadline) return;
        watch.waiting = true;
        watch.timer.expires_at(deadline);
        watch.timer.async_wait([self = shared_from_this(), &watch](const error_code& code) {
            if (code) return;
            watch.waiting = false;
            if (watch.deadline == Moment::max()) return;
            if (std::chrono::steady_clock::now() < watch.deadline) {
                return self->arm(watch, watch.deadline);
            }
            watch.expired = true;
            // A server may still say why it gives up on a client that sends nothing.
            error_code ignored;
            if (self->survives_late_reads && &watch == &self->reading) {
                self->socket.cancel(ignored);
            } else {
                self->close();
            }
        });
    }

    void close() {
        if (closed) return;
        closed = true;
        error_code ignored;
        socket.close(ignored);
        reading.timer.cancel();
        writing.timer.cancel();
    }

    /// What an operation returns that ended with `code`; closes.
    Error fail(const Watch& watch, const Deadline& deadline, const error_code& code,
               errc otherwise) {
        close();
        if (watch.expired) return deadline.error();
        return network_error(code, otherwise);
    }

    /// The peer may have said why it hung up, so reading goes on; writing does not.
    Error fail_write(const Deadline& deadline, const error_code& code) {
        write_failed = true;
        if (writing.expired) return deadline.error();
        return network_error(code, errc::disconnected);
    }

    bool is_open() const { return !closed && socket.is_open(); }

    tcp::socket socket;
    Watch reading, writing;
    beast::flat_buffer buffer;
    bool closed = false;  ///< For good, even when it was never open.
    bool write_failed = false;
    bool survives_late_reads = false;  ///< A read that came too late leaves the rest alive.
};

namespace {

using StatePtr = std::shared_ptr<Connection::State>;

/// A name look-up that can be given up: the resolver's own thread may go on for a while.
struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), wake(executor) {}
    tcp::resolver resolver;
    asio::steady_timer wake;
    std::vector<tcp::endpoint> endpoints;
    error_code code = asio::error::host_not_found;
};

Awaitable<Result<std::vector<tcp::endpoint>>> resolve(StatePtr state, Peer peer,
                                                      Deadline deadline) {
    error_code code;
    const auto address = asio::ip::make_address(peer.host, code);
    if (!code) co_return std::vector<tcp::endpoint>{tcp::endpoint(address, peer.port)};
    auto lookup = std::make_shared<Lookup>(state->socket.get_executor());
    lookup->wake.expires_at(deadline.at());
    lookup->resolver.async_resolve(
        peer.host, std::to_string(peer.port), tcp::resolver::numeric_service,
        [lookup](const error_code& failed, const tcp::resolver::results_type& results) {
            lookup->code = failed;
            for (const auto& entry : results)
                lookup->endpoints.push_back(entry.endpoint());
            lookup->wake.cancel();
        });
    error_code woken;
    co_await lookup->wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!woken) co_return deadline.error();
    if (lookup->endpoints.empty()) {
        co_return Error{errc::connect_failed, peer.host + ": " + lookup->code.message()};
    }
    co_return std::move(lookup->endpoints);
}

Awaitable<Result<std::size_t>> receive(StatePtr state, ByteSpan into, Deadline deadline) {
    if (!state->is_open()) co_return Error{errc::cancelled, "closed"};
    state->arm(state->reading, deadline.at());
    error_code code;
    const std::size_t bytes = co_await state->socket.async_read_some(
        asio::buffer(into.data(), into.size()), asio::redirect_error(asio::use_awaitable, code));
    state->reading.deadline = Moment::max();
    if (code == asio::error::eof) co_return std::size_t{0};
    if (code && state->survives_late_reads && std::exchange(state->reading.expired, false)) {
        co_return deadline.error();
    }
    if (code) co_return state->fail(state->reading, deadline, code, errc::disconnected);
    co_return bytes;
}

using Buffers = std::array<asio::const_buffer, 3>;

void skip_written(Buffers& buffers, std::size_t bytes) {
    for (asio::const_buffer& buffer : buffers) {
        const std::size_t part = std::min(bytes, buffer.size());
        buffer += part;
        bytes -= part;
    }
}

}  // namespace

Connection::Connection(const asio::any_io_executor& executor)
    : state_(std::make_shared<State>(executor)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&& other) noexcept {
    if (this != &other) {
        close();
        state_ = std::move(other.state_);
    }
    return *this;
}
Connection::~Connection() {
    close();
}

Connection Connection::adopt(const asio::any_io_executor& executor, int fd, bool is_v6) {
    Connection connection(executor);
    State& state = *connection.state_;
    state.survives_late_reads = true;
    error_code code;
    state.socket.assign(is_v6 ? tcp::v6() : tcp::v4(), fd, code);
    if (!code) state.socket.non_blocking(true, code);
    if (code) connection.close();
    return connection;
}

Awaitable<Result<void>> Connection::connect(Peer peer, Deadline deadline) {
    StatePtr state = state_;
    auto endpoints = co_await resolve(state, peer, deadline);
    if (endpoints.has_error()) co_return endpoints.error();
    error_code code = asio::error::host_not_found;
    for (const tcp::endpoint& endpoint : *endpoints) {
        if (state->closed) co_return Error{errc::cancelled, "closed"};
        error_code ignored;
        state->socket.close(ignored);
        state->socket.open(endpoint.protocol(), code);
        if (code) continue;
        state->arm(state->writing, deadline.at());
        co_await state->socket.async_connect(endpoint,
                                             asio::redirect_error(asio::use_awaitable, code));
        state->writing.deadline = Moment::max();
        if (!code || code == asio::error::operation_aborted) break;
    }
    if (code) co_return state->fail(state->writing, deadline, code, errc::connect_failed);
    state->socket.set_option(tcp::no_delay(true), code);
    state->socket.non_blocking(true, code);
    if (code) co_return state->fail(state->writing, deadline, code, errc::connect_failed);
    co_return Result<void>();
}

Awaitable<Result<void>> Connection::write(std::array<ByteView, 3> pieces, Deadline deadline) {
    StatePtr state = state_;
    if (!state->is_open()) co_return Error{errc::cancelled, "closed"};
    if (state->write_failed) co_return Error{errc::disconnected, "Broken pipe"};
    Buffers buffers;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        buffers[i] = asio::const_buffer(pieces[i].data(), pieces[i].size());
    }
    // Mostly the socket takes everything at once, without a trip through the event loop.
    error_code code;
    const std::size_t written = state->socket.write_some(buffers, code);
    skip_written(buffers, written);
    if (code && code != asio::error::would_block) co_return state->fail_write(deadline, code);
    if (asio::buffer_size(buffers) == 0) co_return Result<void>();
    state->arm(state->writing, deadline.at());
    co_await asio::async_write(state->socket, buffers,
                               asio::redirect_error(asio::use_awaitable, code));
    state->writing.deadline = Moment::max();
    if (code) co_return state->fail_write(deadline, code);
    co_return Result<void>();
}

Result<UniqueFd> Connection::duplicate() const {
    if (!state_->is_open()) return Error{errc::cancelled, "closed"};
    UniqueFd fd(::fcntl(state_->socket.native_handle(), F_DUPFD_CLOEXEC, 0));
    if (!fd.valid()) return error_from_errno(errno, "duplicate a socket");
    return fd;
}

Awaitable<Result<void>> Connection::await_writable(Deadline deadline) {
    StatePtr state = state_;
    if (!state->is_open()) co_return Error{errc::cancelled, "closed"};
    state->arm(state->writing, deadline.at());
    error_code code;
    co_await state->socket.async_wait(tcp::socket::wait_write,
                                      asio::redirect_error(asio::use_awaitable, code));
    state->writing.deadline = Moment::max();
    if (code) co_return state->fail_write(deadline, code);
    co_return Result<void>();
}

Awaitable<Result<std::size_t>> Connection::read(ByteSpan into, Deadline deadline) {
    StatePtr state = state_;
    const std::size_t ready =
        asio::buffer_copy(asio::buffer(into.data(), into.size()), state->buffer.cdata());
    state->buffer.consume(ready);
    std::size_t filled = ready;
    while (filled < into.size()) {
        auto received = co_await receive(state, into.subspan(filled), deadline);
        if (received.has_error()) co_return received.error();
        if (*received == 0) break;
        filled += *received;
    }
    co_return filled;
}

Awaitable<Result<std::size_t>> Connection::fill(std::size_t bytes_max, Deadline deadline) {
    StatePtr state = state_;
    const auto room = state->buffer.prepare(bytes_max);
    auto received =
        co_await receive(state, {static_cast<std::byte*>(room.data()), room.size()}, deadline);
    if (received.has_value()) state->buffer.commit(*received);
    co_return received;
}

ByteView Connection::buffered() const {
    const auto held = state_->buffer.cdata();
    return {static_cast<const std::byte*>(held.data()), held.size()};
}
void Connection::consume(std::size_t bytes) {
    FRAGMEND_ASSERT(bytes <= state_->buffer.size());
    state_->buffer.consume(bytes);
}

void Connection::trim() {
    const std::size_t held = state_->buffer.size();
    if (held == 0 || state_->buffer.capacity() > 2 * held + spare_bytes_max)
        state_->buffer.shrink_to_fit();
}

void Connection::close() {
    if (state_) state_->close();
}

bool Connection::is_open() const {
    return state_ && state_->is_open();
}

bool Connection::is_quiet() const {
    if (!is_open() || state_->write_failed || state_->buffer.size() > 0) return false;
    char byte = 0;
    const auto peeked = ::recv(state_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return peeked < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::Closer::close() const {
    if (auto state = state_.lock()) state->close();
}

}  // namespace fragmend::transport::http
