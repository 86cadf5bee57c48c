// PUTs of proxies.
#include "host/server/plain_put.hpp"

#include <algorithm>

#include "host/base/md5.hpp"
#include "host/server/footers.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

using Kind = MimeDocuments::Kind;
using std::chrono::steady_clock;
using transport::Deadline;

/// Bounds of what an upload collects for one write.
constexpr std::size_t collected_bytes_least = 64 * 1024;
constexpr std::size_t collected_bytes_most = 256 * 1024;
/// Of what follows the object; the commit has no bytes.
constexpr std::size_t document_bytes_max = footer_bytes_max;
constexpr std::string_view read_words = "body";

Reply bad_request(std::string_view why) {
    return text_reply(400, std::string(why), false);
}

/// All uploads together take no more than what is set aside for sessions.
std::size_t collected_bytes_of(const ServerOptions& options) {
    const auto share = options.memory_limit_bytes / static_cast<std::uint64_t>(options.max_clients);
    return static_cast<std::size_t>(
        std::clamp<std::uint64_t>(share, collected_bytes_least, collected_bytes_most));
}

}  // namespace

PlainPut::PlainPut(const SessionSetup& setup, transport::http::Exchange& exchange,
                   transport::TimeLimit client_limit)
    : setup_(setup),
      exchange_(exchange),
      client_limit_(std::move(client_limit)),
      collected_bytes_max_(collected_bytes_of(setup.rules.options)),
      give_up_(steady_clock::now() + std::chrono::seconds(setup.rules.options.max_upload_time_s)) {}

Awaitable<std::optional<Reply>> PlainPut::run(BackendRequest request) {
    const auto& head = exchange_.head();
    two_phases_ = request.headers.is_true("X-Backend-Obj-Multiphase-Commit");
    has_footer_ = request.headers.is_true("X-Backend-Obj-Metadata-Footer");
    commits_ = !request.headers.is_true("X-Backend-No-Commit");
    const std::string boundary(request.headers.get("X-Backend-Obj-Multipart-Mime-Boundary"));
    const auto length = head.chunked() ? std::nullopt : head.content_length();
    const bool has_length = head.chunked() || length.has_value();
    auto work = [begun = std::move(request), rules = setup_.rules, length, has_length]() mutable {
        return PutOperation::begin(std::move(begun), rules, length, has_length);
    };
    auto put = co_await offload(setup_.disks, std::move(work));
    if (!put) co_return std::move(put.error());
    put_ = std::move(*put);
    if (two_phases_) continue_fields_.emplace_back("X-Obj-Multiphase-Commit", "yes");
    if (has_footer_) continue_fields_.emplace_back("X-Obj-Metadata-Footer", "yes");
    if (two_phases_ || has_footer_) {
        if (boundary.empty()) co_return bad_request("no MIME boundary");
        documents_.emplace(boundary);
        exchange_.set_continue_fields(continue_fields_);
    }
    auto open = [this] { return put_->open(); };
    const Step opened = co_await offload(setup_.disks, std::move(open));
    if (!opened) co_return opened.error();
    const Step received = co_await receive();
    if (!received) {
        auto discard = [put = std::move(put_)]() mutable {
            put.reset();
            return true;
        };
        co_await offload(setup_.disks, std::move(discard));
        if (gone_) co_return std::nullopt;
        co_return received.error();
    }
    auto update = [this] { return put_->update_container(footers_); };
    const Step told = co_await offload(setup_.disks, std::move(update));
    if (!told) co_return told.error();
    co_return put_->created();
}

Awaitable<PlainPut::Step> PlainPut::receive() {
    restart_deadline();
    // Not `? :`: g++ 12 destroys what is awaited there twice.
    Step step;
    if (documents_)
        step = co_await receive_parts();
    else
        step = co_await receive_plain();
    if (!step) co_return step;
    if (two_phases_) co_return co_await finish_two_phases();
    co_return co_await store(commits_ ? PutOperation::Commit::now : PutOperation::Commit::never);
}

Awaitable<Answered<ByteView>> PlainPut::read() {
    if (steady_clock::now() > give_up_) co_return error_reply(408);
    auto piece = co_await exchange_.read(deadline_);
    if (piece.has_error()) {
        gone_ = piece.error() != errc::timeout;
        co_return error_reply(gone_ ? 499 : 408);
    }
    bytes_since_deadline_ += static_cast<std::int64_t>(piece->size());
    if (bytes_since_deadline_ >= setup_.rules.options.network_chunk_bytes) restart_deadline();
    co_return *piece;
}

void PlainPut::restart_deadline() {
    deadline_ = Deadline::stage(client_limit_, read_words);
    bytes_since_deadline_ = 0;
}

Awaitable<PlainPut::Step> PlainPut::receive_plain() {
    for (;;) {
        auto piece = co_await read();
        if (!piece) co_return piece.error();
        if (piece->empty()) co_return co_await flush();
        Step written = co_await write(*piece);
        if (!written) co_return written;
    }
}

Awaitable<PlainPut::Step> PlainPut::write(ByteView bytes) {
    collected_.reserve(collected_bytes_max_);
    while (!bytes.empty()) {
        const auto part =
            bytes.first(std::min(bytes.size(), collected_bytes_max_ - collected_.size()));
        collected_.insert(collected_.end(), part.begin(), part.end());
        bytes = bytes.subspan(part.size());
        if (collected_.size() < collected_bytes_max_) break;
        Step flushed = co_await flush();
        if (!flushed) co_return flushed;
    }
    co_return Step();
}

Awaitable<PlainPut::Step> PlainPut::flush() {
    if (collected_.empty()) co_return Step();
    Step written = co_await write_to_disk(collected_);
    collected_.clear();
    co_return written;
}

Awaitable<PlainPut::Step> PlainPut::write_to_disk(ByteView bytes) {
    const auto began = steady_clock::now();
    auto work = [this, bytes] { return put_->write(bytes); };
    Step written = co_await offload(setup_.disks, std::move(work));
    deadline_.postpone(steady_clock::now() - began);
    co_return written;
}

Awaitable<PlainPut::Step> PlainPut::store(PutOperation::Commit commit) {
    auto work = [this, commit] { return put_->store(footers_, commit); };
    co_return co_await offload(setup_.disks, std::move(work));
}

Awaitable<Answered<MimeDocuments::Event>> PlainPut::next_part_event() {
    for (;;) {
        auto event = documents_->next();
        if (event.kind == Kind::failed) co_return error_reply(500);
        if (event.kind != Kind::more) co_return event;
        if (input_over_) {
            // A part whose delimiter never comes ends with the body, as it does for Swift.
            event.kind = Kind::over;
            co_return event;
        }
        auto piece = co_await read();
        if (!piece) co_return piece.error();
        input_over_ = piece->empty();
        documents_->feed(*piece);
    }
}

Awaitable<PlainPut::Step> PlainPut::receive_parts() {
    bool begun = false;
    for (;;) {
        auto event = co_await next_part_event();
        if (!event) co_return event.error();
        if (event->kind == Kind::part) begun = true;
        if (event->kind == Kind::body) {
            Step written = co_await write(event->body);
            if (!written) co_return written;
        }
        if (event->kind == Kind::end || event->kind == Kind::over) break;
    }
    if (!begun) co_return error_reply(500);
    Step step = co_await flush();
    collected_ = {};  // The proxy may wait for other nodes before it goes on.
    restart_deadline();
    if (step && has_footer_) step = co_await read_footers();
    co_return step;
}

Awaitable<Answered<std::string>> PlainPut::read_document(std::string_view missing,
                                                         HeaderMap& headers) {
    std::string document;
    bool begun = false;
    for (;;) {
        auto event = co_await next_part_event();
        if (!event) co_return event.error();
        if (event->kind == Kind::part) {
            begun = true;
            headers = std::move(event->headers);
        } else if (event->kind == Kind::body) {
            document += as_text(event->body);
            if (document.size() > document_bytes_max) co_return bad_request("document too large");
        } else if (begun) {
            co_return document;
        } else {
            co_return bad_request(missing);
        }
    }
}

Awaitable<PlainPut::Step> PlainPut::read_footers() {
    HeaderMap headers;
    auto document = co_await read_document("couldn't find footer MIME doc", headers);
    if (!document) co_return document.error();
    const auto md5 = headers.get("Content-MD5");
    if (md5.empty()) co_return bad_request("no Content-MD5 in footer");
    if (md5 != md5_hex(*document)) {
        co_return text_reply(422, "footer MD5 mismatch", false);
    }
    auto footers = parse_footers(*document);
    if (!footers) co_return footers.error();
    footers_ = std::move(*footers);
    co_return Step();
}

Awaitable<PlainPut::Step> PlainPut::end_first_body() {
    std::size_t bytes = 0;
    while (!exchange_.body_finished()) {
        auto piece = co_await read();
        if (!piece) co_return piece.error();
        bytes += piece->size();
        if (bytes > document_bytes_max) co_return bad_request("document too large");
        documents_->feed(*piece);
    }
    co_return Step();
}

Awaitable<PlainPut::Step> PlainPut::finish_two_phases() {
    Step step = co_await store(PutOperation::Commit::later);
    restart_deadline();
    if (step) step = co_await end_first_body();
    if (!step) co_return step;
    auto said = co_await exchange_.say_continue(continue_fields_);
    gone_ = said.has_error();
    if (gone_) co_return error_reply(499);
    restart_deadline();
    if (exchange_.head().chunked()) {
        exchange_.expect_another_body();
        input_over_ = false;
    }
    HeaderMap headers;
    auto document = co_await read_document("couldn't find PUT commit MIME doc", headers);
    if (!document) co_return document.error();
    if (headers.get("X-Document") != "put commit") co_return error_reply(500);
    if (commits_) {
        auto work = [this] { return put_->commit(); };
        step = co_await offload(setup_.disks, std::move(work));
    }
    co_return step;
}

}  // namespace fragmend::server
