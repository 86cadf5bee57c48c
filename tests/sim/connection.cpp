// http::Connection over the simulated network: what the linker takes instead of the one over Asio.
#include "transport/http/connection.hpp"

#include <algorithm>
#include <boost/asio/query.hpp>
#include <boost/asio/redirect_error.hpp>
#include <utility>

#include "tests/sim/network.hpp"

namespace fragmend::transport::http {

/// As the real one: shared by the handle and by the operations under way.
struct Connection::State : std::enable_shared_from_this<State> {
    explicit State(const asio::any_io_executor& executor)
        : network(asio::use_service<sim::Network>(asio::query(executor, asio::execution::context))),
          reading(executor),
          writing(executor) {}
    ~State() {
        close();
        drop(buffer.size());
    }
    void drop(std::size_t bytes) {
        buffer.erase(0, bytes);
        network.buffered -= bytes;
    }

    void open(const Peer& peer) {
        link = network.connect(peer);
        link->wake = [this] {
            reading.cancel();
            writing.cancel();
        };
    }
    void close() {
        if (std::exchange(closed, true)) return;
        if (link) network.close_by_client(link);
        reading.cancel();
        writing.cancel();
    }
    bool is_open() const { return !closed && link && link->opening == sim::Link::Opening::open; }

    sim::Network& network;
    sim::LinkPtr link;
    asio::steady_timer reading, writing;
    std::string buffer;
    bool closed = false;
    bool write_failed = false;
};

namespace {

using StatePtr = std::shared_ptr<Connection::State>;
enum class Woke { changed, expired, hurried };

bool is_hurried(const asio::cancellation_state& state) {
    return state.cancelled() != asio::cancellation_type::none;
}

/// Like an operation of a socket: only a wish to stop that comes during the wait ends it.
Awaitable<Woke> wait(StatePtr state, asio::steady_timer& timer, Deadline::Moment deadline) {
    const bool before = is_hurried(co_await asio::this_coro::cancellation_state);
    timer.expires_at(deadline);
    boost::system::error_code code;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
    if (!code) co_return Woke::expired;
    const bool after = is_hurried(co_await asio::this_coro::cancellation_state);
    co_return !before && after && !state->closed ? Woke::hurried : Woke::changed;
}

Error closed_error() {
    return {errc::cancelled, "closed"};
}

Awaitable<Result<std::string>> receive(StatePtr state, std::size_t bytes_max, Deadline deadline) {
    for (;;) {
        if (!state->is_open()) co_return closed_error();
        const sim::LinkPtr link = state->link;
        if (!link->arrived.empty()) {
            std::string got = link->arrived.substr(0, bytes_max);
            state->network.take(link, got.size());
            co_return got;
        }
        if (link->peer_ended) co_return std::string();
        if (link->peer_reset) {
            state->close();
            co_return Error{errc::disconnected, "Connection reset"};
        }
        const Woke woke = co_await wait(state, state->reading, deadline.at());
        if (woke == Woke::changed) continue;
        state->close();
        co_return woke == Woke::expired ? deadline.error() : closed_error();
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

Connection Connection::adopt(const asio::any_io_executor& executor, int, bool) {
    FRAGMEND_ASSERT(!"servers of this network are no connections");
    return Connection(executor);
}

Awaitable<Result<void>> Connection::connect(Peer peer, Deadline deadline) {
    StatePtr state = state_;
    if (state->closed) co_return closed_error();
    state->open(peer);
    while (!state->closed && state->link->opening == sim::Link::Opening::connecting) {
        const Woke woke = co_await wait(state, state->writing, deadline.at());
        if (woke == Woke::changed) continue;
        state->close();
        if (woke == Woke::expired) co_return deadline.error();
    }
    if (state->closed) co_return closed_error();
    if (state->link->opening == sim::Link::Opening::open) co_return Result<void>();
    state->close();
    co_return Error{errc::connect_failed, "Connection refused"};
}

Awaitable<Result<void>> Connection::write(std::array<ByteView, 3> pieces, Deadline deadline) {
    StatePtr state = state_;
    std::string all;
    for (const ByteView piece : pieces)
        all += as_text(piece);
    for (;;) {
        if (!state->is_open()) co_return closed_error();
        const sim::LinkPtr link = state->link;
        if (link->peer_reset) state->write_failed = true;
        if (state->write_failed) co_return Error{errc::disconnected, "Broken pipe"};
        std::string part = all.substr(0, std::min(link->room, all.size()));
        all.erase(0, part.size());
        if (!part.empty()) state->network.send_to_server(link, std::move(part));
        if (all.empty()) co_return Result<void>();
        const Woke woke = co_await wait(state, state->writing, deadline.at());
        if (woke == Woke::changed) continue;
        state->write_failed = true;
        if (woke == Woke::hurried) co_return closed_error();
        state->close();
        co_return deadline.error();
    }
}

Awaitable<Result<std::size_t>> Connection::read(ByteSpan into, Deadline deadline) {
    StatePtr state = state_;
    const std::size_t ready = std::min(into.size(), state->buffer.size());
    std::ranges::copy(as_bytes_view(state->buffer).first(ready), into.begin());
    state->drop(ready);
    std::size_t filled = ready;
    while (filled < into.size()) {
        const auto got = co_await receive(state, into.size() - filled, deadline);
        if (got.has_error()) co_return got.error();
        if (got->empty()) break;
        std::ranges::copy(as_bytes_view(*got), into.begin() + static_cast<std::ptrdiff_t>(filled));
        filled += got->size();
    }
    const sim::LinkPtr link = state->link;
    if (link->carries_archive) state->network.on_read(link->peer, filled);
    co_return filled;
}

Awaitable<Result<std::size_t>> Connection::fill(std::size_t bytes_max, Deadline deadline) {
    StatePtr state = state_;
    const auto got = co_await receive(state, bytes_max, deadline);
    if (got.has_error()) co_return got.error();
    state->buffer += *got;
    state->network.buffered += got->size();
    co_return got->size();
}

ByteView Connection::buffered() const {
    return as_bytes_view(state_->buffer);
}
void Connection::consume(std::size_t bytes) {
    FRAGMEND_ASSERT(bytes <= state_->buffer.size());
    state_->drop(bytes);
}

void Connection::trim() {}

void Connection::close() {
    if (state_) state_->close();
}

bool Connection::is_open() const {
    return state_ && state_->is_open();
}

bool Connection::is_quiet() const {
    if (!is_open() || state_->write_failed || !state_->buffer.empty()) return false;
    return state_->link->arrived.empty() && !state_->link->peer_ended && !state_->link->peer_reset;
}

void Connection::Closer::close() const {
    if (auto state = state_.lock()) state->close();
}

}  // namespace fragmend::transport::http
