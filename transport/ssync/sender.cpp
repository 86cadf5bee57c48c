// The sender of one SSYNC session.
#include "transport/ssync/sender.hpp"

#include <boost/asio/redirect_error.hpp>
#include <chrono>
#include <utility>

#include "transport/http/client.hpp"
#include "transport/python_text.hpp"
#include "transport/ssync/missing_check.hpp"
#include "transport/ssync/sub_request.hpp"

namespace fragmend::transport::ssync {
namespace {

using Phase = Conversation::Phase;
using std::chrono::steady_clock;

constexpr std::size_t out_bytes_max = 16 * 1024;  ///< Written as soon as it is this long.
constexpr std::size_t copied_piece_bytes_max =
    32 * 1024;  ///< Smaller pieces join their neighbours.
/// A read is always under way, mostly for nothing: a hundred lines of an answer.
constexpr std::size_t read_bytes = 4 * 1024;
constexpr std::size_t error_body_bytes_max = 64 * 1024;
constexpr std::size_t error_body_quoted_bytes = 1024;
constexpr std::chrono::seconds last_words_wait{1};
constexpr std::chrono::seconds offer_age_max{1};  ///< Offers do not wait longer for company.

void append_line(std::string& out, std::string_view line) {
    std::string message(line);
    message += "\r\n";
    http::append_chunk(out, message);
}

bool is_true(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const char* word : {"true", "1", "yes", "on", "t", "y"}) {
        if (lower == word) return true;
    }
    return false;
}

std::string_view stage_of(std::string_view method) {
    if (method == "PUT") return "send_put";
    return method == "POST" ? "send_post" : "send_delete";
}

Error wrong_length() {
    return {errc::protocol, "Sent data length does not match content-length"};
}

}  // namespace

Sender::Sender(asio::any_io_executor executor, SenderRequest request, SessionObjects& objects,
               Logger logger)
    : executor_(std::move(executor)),
      request_(std::move(request)),
      objects_(objects),
      logger_(std::move(logger)),
      connection_(executor_),
      changed_(executor_) {}

Awaitable<SessionResult> Sender::run() {
    TaskGroup readers(executor_);
    auto conversed = co_await converse(readers);
    if (conversed.has_value()) {
        // The verdict is in; that the goodbye arrives changes nothing.
        out_ = http::last_chunk;
        (void)co_await flush("disconnect");
    }
    connection_.close();
    co_await readers.join();
    result_.success = conversed.has_value();
    result_.judged = conversation_.judged();
    if (conversed.has_error()) {
        result_.error = conversed.error();
        log_failure(conversed.error());
    }
    co_return std::move(result_);
}

void Sender::stop() {
    stopped_ = true;
    interrupt();
}

void Sender::interrupt() {
    connection_.close();
    changed_.cancel();
    if (std::exchange(in_port_, false)) objects_.cancel();
}

std::optional<Error> Sender::interruption() const {
    if (stopped_) return Error{errc::cancelled, "stopped"};
    if (conversation_.failed()) return conversation_.error();
    return read_error_;
}

Awaitable<Result<void>> Sender::converse(TaskGroup& readers) {
    if (stopped_) co_return Error{errc::cancelled, "stopped"};
    auto connected = co_await connect();
    if (stopped_) co_return Error{errc::cancelled, "stopped"};
    if (connected.has_error()) co_return connected.error();
    readers.spawn(listen());
    auto offered = co_await offer();
    if (offered.has_error()) co_return offered.error();
    auto answered = co_await await_lines(Phase::wanted_start, "missing_check start wait",
                                         "missing_check line wait");
    if (answered.has_error()) co_return answered.error();
    auto updated = co_await update();
    if (updated.has_error()) co_return updated.error();
    co_return co_await await_lines(Phase::result_start, "updates start wait", "updates line wait");
}

Awaitable<Result<void>> Sender::connect() {
    const http::Peer peer = http::replication_peer(request_.node);
    auto head = http::ssync_head(peer, request_.node.device, request_.partition,
                                 request_.policy_index, request_.frag_index);
    if (head.has_error()) co_return as_exception(head.error());
    std::optional<WatchedAsk> watched(std::in_place, request_.watch, request_.node);
    const auto send = Deadline::stage(request_.timeouts.conn, "connect send");
    auto connected = co_await connection_.connect(peer, send);
    if (connected.has_error()) co_return as_exception(connected.error());
    const std::array<ByteView, 3> pieces{as_bytes_view(*head), ByteView(), ByteView()};
    auto written = co_await connection_.write(pieces, send);
    if (written.has_error()) co_return as_exception(written.error());

    const auto receive = Deadline::stage(request_.timeouts.node, "connect receive");
    auto answer = co_await http::read_head(connection_, 0, receive);
    if (answer.has_error()) {
        if (answer.error() == errc::timeout) watched->no_answer();
        co_return as_exception(answer.error());
    }
    if (answer->status() != 200) {
        // Refusing is quicker than beginning: it is no measure of that, unless it was slow.
        watched->no_answer();
        watched.reset();
        co_return co_await refuse(*answer, receive);
    }
    watched->answered();
    watched.reset();
    const bool takes_non_durable = is_true(answer->find("X-Backend-Accept-No-Commit").value_or(""));
    if (request_.include_non_durable && !takes_non_durable) {
        logger_.warning("ssync receiver " + request_.node.replication_ip + ":" +
                        std::to_string(request_.node.replication_port) +
                        " does not accept non-durable fragments");
    }
    in_port_ = true;
    auto begun = co_await objects_.begin(takes_non_durable);
    in_port_ = false;
    if (begun.has_error()) co_return as_exception(begun.error());
    co_return Result<void>();
}

Awaitable<Result<void>> Sender::refuse(const http::ResponseHead& head, Deadline deadline) {
    auto body = co_await http::read_body(connection_, head, error_body_bytes_max, deadline);
    if (body.has_error() && body.error() == errc::timeout) co_return body.error();
    const std::string text = body.has_value() ? body->substr(0, error_body_quoted_bytes) : "";
    co_return Error{head.status() == 507 ? errc::not_mounted : errc::bad_status,
                    "Expected status 200; got " + std::to_string(head.status()) + " (" +
                        python_repr_bytes(text) + ")"};
}

Awaitable<Result<void>> Sender::offer() {
    append_line(out_, missing_check_start);
    std::uint64_t bytes = 0, lines_sent = 0, bytes_sent = 0;
    auto flushed = co_await flush("missing_check start");
    if (flushed.has_error()) co_return flushed.error();
    auto last_flush = steady_clock::now();
    for (;;) {
        in_port_ = true;
        auto next = co_await objects_.next_offer();
        in_port_ = false;
        if (auto lost = interruption()) co_return *lost;
        if (next.has_error()) co_return as_exception(next.error());
        if (!*next) break;
        const std::size_t before = out_.size();
        append_line(out_, encode_missing(**next));
        bytes += out_.size() - before;
        ++result_.offered;
        if (out_.size() >= out_bytes_max || steady_clock::now() - last_flush >= offer_age_max) {
            const std::string stage = "missing_check send line: " + std::to_string(lines_sent) +
                                      " lines (" + std::to_string(bytes_sent) + " bytes) sent";
            flushed = co_await flush(stage);
            if (flushed.has_error()) co_return flushed.error();
            last_flush = steady_clock::now();
            lines_sent = result_.offered;
            bytes_sent = bytes;
        }
    }
    append_line(out_, missing_check_end);
    conversation_.offers_ended(result_.offered);
    co_return co_await flush("missing_check end");
}

Awaitable<Result<void>> Sender::update() {
    auto wanted = conversation_.take_wanted();
    result_.wanted = wanted.size();
    in_port_ = true;
    auto told = co_await objects_.wanted(std::move(wanted));
    in_port_ = false;
    if (auto lost = interruption()) co_return *lost;
    if (told.has_error()) co_return as_exception(told.error());
    append_line(out_, updates_start_line);
    auto flushed = co_await flush("updates start");
    if (flushed.has_error()) co_return flushed.error();
    for (;;) {
        in_port_ = true;
        auto requests = co_await objects_.next_sub_requests();
        in_port_ = false;
        if (auto lost = interruption()) co_return *lost;
        if (requests.has_error()) co_return as_exception(requests.error());
        if (requests->empty()) break;
        for (SubRequest& request : *requests) {
            auto sent = co_await send(request);
            if (sent.has_error()) co_return sent.error();
            if (*sent == Sent::left_out) break;
        }
        // The next object may take a while; what is ready should not wait for it.
        flushed = co_await flush(stage_);
        if (flushed.has_error()) co_return flushed.error();
    }
    append_line(out_, updates_end_line);
    conversation_.updates_ended();
    co_return co_await flush("updates end");
}

Awaitable<Result<Sender::Sent>> Sender::send(SubRequest& request) {
    auto checked = check_sub_request(request);
    if (checked.has_error()) co_return as_exception(checked.error());
    if (out_.size() >= out_bytes_max) {
        auto flushed = co_await flush(stage_);
        if (flushed.has_error()) co_return flushed.error();
    }
    stage_ = stage_of(request.method);
    const std::size_t mark = out_.size();
    http::append_chunk(out_, sub_request_head(request));
    if (request.body != nullptr) {
        auto sent = co_await send_body(request, mark);
        if (sent.has_error() || *sent == Sent::left_out) co_return sent;
    }
    ++result_.sub_requests;
    result_.body_bytes += request.content_length;
    co_return Sent::whole;
}

/// `mark` is where the sub-request begins in what is not written yet.
Awaitable<Result<Sender::Sent>> Sender::send_body(SubRequest& request, std::size_t mark) {
    const std::uint64_t flushes = flushes_;
    std::uint64_t left = request.content_length;
    for (;;) {
        in_port_ = true;
        auto piece = co_await request.body->next();
        in_port_ = false;
        if (auto lost = interruption()) co_return *lost;
        if (piece.has_error()) {
            if (flushes != flushes_) co_return as_exception(piece.error());
            out_.resize(mark);
            ++result_.skipped;
            logger_.warning(request.method + " " + percent_quote(request.path) +
                            " left out of the session: " + to_string(piece.error()));
            co_return Sent::left_out;
        }
        if (piece->empty()) break;
        if (piece->size() > left) co_return wrong_length();
        left -= piece->size();
        auto sent = co_await send_piece(*piece, left == 0);
        if (sent.has_error()) co_return sent.error();
    }
    if (left != 0) co_return wrong_length();
    co_return Sent::whole;
}

/// Small pieces are gathered; of a large last one all but the last byte goes out, because the
/// receiver must not have the whole body before the stream has said that it is good.
Awaitable<Result<void>> Sender::send_piece(ByteView piece, bool is_last) {
    stage_ = "send_put chunk";
    constexpr std::string_view line_end = "\r\n";
    if (piece.size() <= copied_piece_bytes_max) {
        if (out_.size() >= out_bytes_max) {
            auto flushed = co_await flush(stage_);
            if (flushed.has_error()) co_return flushed.error();
        }
        http::append_chunk(out_, as_text(piece));
        co_return Result<void>();
    }
    const ByteView now = is_last ? piece.first(piece.size() - 1) : piece;
    out_ += http::chunk_head(now.size());
    auto flushed = co_await flush(stage_, now, as_bytes_view(line_end));
    if (flushed.has_error()) co_return flushed.error();
    if (is_last) http::append_chunk(out_, as_text(piece.last(1)));
    co_return Result<void>();
}

Awaitable<Result<void>> Sender::flush(std::string_view stage, ByteView piece, ByteView end) {
    if (out_.empty() && piece.empty()) co_return Result<void>();
    if (auto lost = interruption()) co_return *lost;
    ++flushes_;
    const std::array<ByteView, 3> pieces{as_bytes_view(out_), piece, end};
    auto written =
        co_await connection_.write(pieces, Deadline::stage(request_.timeouts.node, stage));
    out_.clear();
    if (auto lost = interruption()) co_return *lost;
    if (written.has_value() || written.error() == errc::timeout) co_return written;
    // The receiver hung up. What it had to say first may still be on its way to the reader.
    co_await await_reader_end();
    if (conversation_.failed() &&
        (conversation_.error() == errc::protocol || conversation_.error() == errc::lock_timeout)) {
        co_return conversation_.error();
    }
    co_return as_exception(written.error());
}

Awaitable<void> Sender::await_reader_end() {
    changed_.expires_after(last_words_wait);
    boost::system::error_code woken;
    while (!reader_ended_ && changed_.expiry() > steady_clock::now()) {
        co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

Awaitable<Result<void>> Sender::await_lines(Phase first, std::string_view start_stage,
                                            std::string_view line_stage) {
    const Phase second = first == Phase::wanted_start ? Phase::wanted_lines : Phase::result_lines;
    for (;;) {
        // A limit for each line: bytes that complete none do not extend it.
        const std::uint64_t seen = conversation_.lines();
        const auto deadline = Deadline::stage(
            request_.timeouts.http, conversation_.phase() == first ? start_stage : line_stage);
        do {
            if (auto lost = interruption()) co_return *lost;
            const Phase phase = conversation_.phase();
            if (phase != first && phase != second) co_return Result<void>();
            if (conversation_.lines() != seen) break;
            if (steady_clock::now() >= deadline.at()) co_return deadline.error();
            changed_.expires_at(deadline.at());
            boost::system::error_code woken;
            co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        } while (conversation_.lines() == seen);
    }
}

Awaitable<void> Sender::listen() {
    for (;;) {
        const ByteView ready = connection_.buffered();
        conversation_.feed(ready);
        connection_.consume(ready.size());
        if (conversation_.failed()) {
            interrupt();
            break;
        }
        changed_.cancel();
        if (conversation_.phase() == Phase::done) break;
        auto filled = co_await connection_.fill(read_bytes, Deadline::none());
        if (filled.has_value() && *filled > 0) continue;
        if (filled.has_value())
            conversation_.peer_closed();
        else if (filled.error() != errc::cancelled)
            read_error_ = as_exception(filled.error());
        if (interruption()) interrupt();
        break;
    }
    reader_ended_ = true;
    changed_.cancel();
}

Error Sender::as_exception(Error error) {
    is_exception_ = error.code != errc::timeout;
    return error;
}

void Sender::log_failure(const Error& error) const {
    std::string line = request_.node.replication_name() + "/" + request_.partition + " ";
    if (error == errc::cancelled) return logger_.debug(line + "ssync " + to_string(error));
    if (is_exception_) line += "EXCEPTION in ssync.Sender: ";
    logger_.error(line + error.detail);
}

}  // namespace fragmend::transport::ssync
