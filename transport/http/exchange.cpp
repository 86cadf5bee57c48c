// The server's side of a request.
#include "transport/http/exchange.hpp"

#include <algorithm>

namespace fragmend::transport::http {
namespace {

constexpr std::size_t body_read_bytes = 64 * 1024;
/// A rest of a body up to this is read for the sake of the connection.
constexpr std::uint64_t settle_bytes_max = 64 * 1024;
constexpr std::string_view write_words = "answer";

bool has_no_body(int status) {
    return status < 200 || status == 204 || status == 304;
}

}  // namespace

void Exchange::end_read() {
    connection_.consume(handed_out_);
    handed_out_ = 0;
}

Awaitable<Result<ByteView>> Exchange::read(Deadline deadline) {
    end_read();
    while (!body_finished()) {
        const ByteView ready = connection_.buffered();
        if (ready.empty()) {
            if (head_.expects_continue() && !continued_ && !begun_) {
                auto said = co_await say_continue(continue_fields_);
                if (said.has_error()) co_return said.error();
            }
            auto filled = co_await connection_.fill(body_read_bytes, deadline);
            if (filled.has_error()) co_return filled.error();
            if (*filled == 0) {
                co_return Error{errc::disconnected, "unexpected end of file in a request body"};
            }
            continue;
        }
        if (!head_.chunked()) {
            const auto bytes =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, ready.size()));
            left_ -= bytes;
            handed_out_ = bytes;
            co_return ready.first(bytes);
        }
        auto step = chunks_.next(ready);
        if (step.has_error()) co_return step.error();
        if (!step->data.empty()) {
            handed_out_ = step->consumed;
            co_return step->data;
        }
        connection_.consume(step->consumed);
    }
    co_return ByteView();
}

Awaitable<Result<void>> Exchange::say_continue(const Fields& fields) {
    continued_ = true;
    std::string text = "HTTP/1.1 100 Continue\r\n";
    for (const auto& [name, value] : fields)
        text.append(name).append(": ").append(value).append("\r\n");
    text += "\r\n";
    co_return co_await send(text, {}, {});
}

void Exchange::expect_another_body() {
    FRAGMEND_ASSERT(head_.chunked() && chunks_.finished());
    end_read();
    chunks_ = ChunkDecoder();
}

Awaitable<Result<void>> Exchange::send(std::string_view head, ByteView body, std::string_view end) {
    const std::array<ByteView, 3> pieces{as_bytes_view(head), body, as_bytes_view(end)};
    co_return co_await connection_.write(pieces, Deadline::stage(write_limit_, write_words));
}

Awaitable<Result<void>> Exchange::reply(Reply reply) {
    FRAGMEND_ASSERT(!begun_);
    begun_ = true;
    status_ = reply.status;
    // A client that waits for `100 Continue` may or may not send its body now: nobody can tell.
    const bool unsure = head_.expects_continue() && !continued_ && head_.has_body();
    keep_alive_ = keep_alive_ && head_.keeps_alive() && !unsure;
    const std::uint64_t length = reply.content_length.value_or(reply.body.size());
    const bool bodiless = has_no_body(reply.status) || head_.method() == "HEAD";
    const std::string head = reply_head(reply, Framing::counted, length, keep_alive_, clock_.now());
    auto sent = co_await send(head, bodiless ? ByteView() : as_bytes_view(reply.body), {});
    if (sent.has_value()) complete_ = true;
    co_return sent;
}

Awaitable<Result<void>> Exchange::begin(Reply head, std::string_view first) {
    FRAGMEND_ASSERT(!begun_);
    begun_ = true;
    status_ = head.status;
    keep_alive_ = keep_alive_ && head_.keeps_alive();
    if (head.content_length) {
        framing_ = Framing::counted;
        to_write_ = *head.content_length;
    } else if (head_.is_http_1_1()) {
        framing_ = Framing::chunked;
    } else {
        framing_ = Framing::until_close;
        keep_alive_ = false;
    }
    std::string text = reply_head(head, framing_, to_write_, keep_alive_, clock_.now());
    if (!first.empty() && framing_ == Framing::chunked) {
        append_chunk(text, first);
    } else if (!first.empty()) {
        FRAGMEND_ASSERT(framing_ != Framing::counted || first.size() <= to_write_);
        if (framing_ == Framing::counted) to_write_ -= first.size();
        text += first;
    }
    co_return co_await send(text, {}, {});
}

Awaitable<Result<void>> Exchange::write(ByteView bytes) {
    FRAGMEND_ASSERT(begun_ && !bytes.empty());
    if (framing_ == Framing::chunked) {
        const std::string head = chunk_head(bytes.size());
        co_return co_await send(head, bytes, "\r\n");
    }
    if (framing_ == Framing::counted) {
        FRAGMEND_ASSERT(bytes.size() <= to_write_);
        to_write_ -= bytes.size();
    }
    co_return co_await send({}, bytes, {});
}

void Exchange::was_sent(std::uint64_t bytes) {
    FRAGMEND_ASSERT(begun_ && framing_ == Framing::counted && bytes <= to_write_);
    to_write_ -= bytes;
}

Awaitable<Result<void>> Exchange::await_writable() {
    co_return co_await connection_.await_writable(Deadline::stage(write_limit_, write_words));
}

Awaitable<Result<void>> Exchange::finish() {
    FRAGMEND_ASSERT(begun_);
    if (framing_ == Framing::chunked) {
        auto sent = co_await send(last_chunk, {}, {});
        if (sent.has_error()) co_return sent;
    }
    complete_ = framing_ != Framing::counted || to_write_ == 0;
    co_return Result<void>();
}

void Exchange::drop() {
    keep_alive_ = false;
    connection_.close();
}

Awaitable<void> Exchange::settle(Deadline deadline) {
    end_read();
    if (!complete_ || !keep_alive_) co_return;
    if (!head_.chunked() && left_ > settle_bytes_max) co_return;
    std::uint64_t seen = 0;
    while (!body_finished() && seen <= settle_bytes_max) {
        auto piece = co_await read(deadline);
        if (piece.has_error()) {
            keep_alive_ = false;
            co_return;
        }
        seen += piece->size();
    }
    end_read();
}

}  // namespace fragmend::transport::http
