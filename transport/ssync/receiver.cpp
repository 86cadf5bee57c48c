// The driver of a receiving session.
#include "transport/ssync/receiver.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "transport/ssync/missing_check.hpp"

namespace fragmend::transport::ssync {
namespace {

using Kind = Reception::Kind;
using Failed = SessionFailure::Kind;

constexpr std::size_t batch_offers_max = 256;
constexpr std::size_t write_bytes_max = 64 * 1024;
constexpr std::uint64_t body_bytes_per_limit = 64 * 1024;
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view memory_words = "memory for a sub-request";
constexpr std::string_view busy_body =
    "<html><h1>Service Unavailable</h1><p>The server is currently unavailable. Please try again at "
    "a later time.</p></html>";

}  // namespace

void throw_exception_from_error(const SessionFailure& failure, const boost::source_location&) {
    throw std::runtime_error(failure.text);
}

/// A body that is collected, and the memory that it was lent.
struct Receiver::Body {
    std::vector<std::byte> bytes;
    Semaphore::Permit permit;
};

Receiver::Receiver(asio::any_io_executor executor, http::Exchange& exchange,
                   ReceiverObjects& objects, Semaphore& memory, ReceiverOptions options,
                   std::string name, Logger logger)
    : executor_(std::move(executor)),
      exchange_(exchange),
      objects_(objects),
      memory_(memory),
      options_(std::move(options)),
      name_(std::move(name)),
      logger_(std::move(logger)),
      reception_(options_.line_bytes_max, options_.offers_max),
      tasks_(executor_),
      changed_(executor_) {}

Awaitable<void> Receiver::run() {
    http::Reply head;
    head.fields = {{"Content-Type", "text/html; charset=UTF-8"},
                   {"X-Backend-Accept-No-Commit", "True"}};
    // The sender waits for the head only for a moment, so it goes out before any lock is asked for.
    auto begun = co_await exchange_.begin(std::move(head), line_end);
    if (begun.has_error()) co_return exchange_.drop();
    Step done = co_await converse();
    if (done.has_error()) co_await fail(std::move(done.error()));
    co_await tasks_.join();
}

Awaitable<Receiver::Step> Receiver::converse() {
    auto locked = co_await objects_.lock();
    if (locked.has_error()) {
        const errc code = locked.error().code;
        const Failed kind = code == errc::limit          ? Failed::busy
                            : code == errc::lock_timeout ? Failed::lock_timeout
                                                         : Failed::exception;
        co_return SessionFailure{kind, locked.error().detail};
    }
    Step step = co_await missing_check();
    if (step.has_error()) co_return step;
    step = co_await updates();
    if (step.has_error()) co_return step;
    // What was received is acknowledged as a whole, so all of it has to be safe by now.
    co_await tasks_.join();
    step = tripped();
    if (step.has_error()) co_return step;
    if (failures_ > 0) {
        co_return SessionFailure{Failed::failures,
                                 "ERROR: With :UPDATES: " + std::to_string(failures_) +
                                     " failures to " + std::to_string(successes_) + " successes"};
    }
    std::string verdict(updates_start_line);
    verdict.append(line_end).append(updates_end_line).append(line_end);
    step = co_await write(verdict);
    if (step.has_error()) co_return step;
    auto finished = co_await exchange_.finish();
    if (finished.has_error()) co_return SessionFailure{Failed::broken, finished.error().detail};
    co_return Step();
}

Awaitable<boost::system::result<Reception::Event, SessionFailure>> Receiver::next() {
    for (;;) {
        auto event = reception_.next(input_);
        if (event.kind == Kind::failed) {
            const bool broken = reception_.error() == errc::disconnected;
            co_return SessionFailure{broken ? Failed::broken : Failed::exception,
                                     reception_.error().detail};
        }
        if (event.kind != Kind::more) {
            body_since_deadline_ += event.body.size();
            if (event.kind != Kind::body || body_since_deadline_ >= body_bytes_per_limit) {
                restart_deadline();
            }
            co_return event;
        }
        if (deadline_stage_ != reception_.stage()) restart_deadline();
        auto piece = co_await exchange_.read(deadline_);
        if (piece.has_error()) {
            const bool late = piece.error() == errc::timeout;
            const std::string stage(reception_.stage());
            co_return SessionFailure{
                late ? Failed::timeout : Failed::broken,
                late ? piece.error().detail : stage + ": " + piece.error().detail};
        }
        input_ = *piece;
        if (!input_.empty()) continue;
        event = reception_.end();
        if (event.kind == Kind::hung_up) co_return SessionFailure{Failed::hung_up, {}};
        const bool broken = reception_.error() == errc::disconnected;
        co_return SessionFailure{broken ? Failed::broken : Failed::exception,
                                 reception_.error().detail};
    }
}

void Receiver::restart_deadline() {
    deadline_stage_ = reception_.stage();
    deadline_ = Deadline::stage(options_.client, deadline_stage_);
    body_since_deadline_ = 0;
}

Awaitable<Receiver::Step> Receiver::missing_check() {
    restart_deadline();
    for (;;) {
        auto event = co_await next();
        if (event.has_error()) co_return event.error();
        if (event->kind == Kind::offer) batch_.push_back(std::move(event->offer));
        const bool ends = event->kind == Kind::offers_end;
        // Whatever came together is looked at together; nobody waits for more.
        if (ends || batch_.size() == batch_offers_max || input_.empty()) {
            Step checked = co_await check_batch();
            if (checked.has_error()) co_return checked;
            restart_deadline();
        }
        if (ends) co_return co_await answer_wanted();
    }
}

Awaitable<Receiver::Step> Receiver::check_batch() {
    if (batch_.empty()) co_return Step();
    std::vector<Offer> offers = std::exchange(batch_, {});
    auto results = co_await objects_.check(std::move(offers));
    for (auto& result : results) {
        if (result.has_error()) {
            // Not asked for and not here: the sender must not think that it was delivered.
            logger_.warning(name_ + " ssync offer refused: " + result.error().detail);
            ++failures_;
        } else if (*result) {
            if (!wanted_.empty()) wanted_ += line_end;
            wanted_ += encode_wanted(**result);
        }
    }
    co_return Step();
}

Awaitable<Receiver::Step> Receiver::answer_wanted() {
    std::string answer(missing_check_start);
    answer.append(line_end).append(wanted_).append(line_end).append(missing_check_end);
    answer += line_end;
    wanted_ = {};
    Step written = co_await write(answer);
    restart_deadline();
    co_return written;
}

Awaitable<Receiver::Step> Receiver::write(std::string_view text) {
    while (!text.empty()) {
        const auto part = text.substr(0, write_bytes_max);
        auto written = co_await exchange_.write(as_bytes_view(part));
        if (written.has_error()) co_return SessionFailure{Failed::broken, written.error().detail};
        text.remove_prefix(part.size());
    }
    co_return Step();
}

Awaitable<Receiver::Step> Receiver::updates() {
    for (;;) {
        auto event = co_await next();
        if (event.has_error()) co_return event.error();
        if (event->kind == Kind::updates_end) co_return Step();
        FRAGMEND_ASSERT(event->kind == Kind::request);
        Step taken = co_await take_request(std::move(event->request));
        if (taken.has_error()) co_return taken;
        restart_deadline();
        taken = tripped();
        if (taken.has_error()) co_return taken;
    }
}

Awaitable<void> Receiver::await_turn(const std::string& object) {
    while (tasks_.running() >= options_.in_flight_max || writing_.contains(object)) {
        co_await changed_.wait();
    }
}

Awaitable<Receiver::Step> Receiver::take_request(SubRequestHead head) {
    if (head.content_length > options_.small_body_bytes_max) {
        co_return co_await take_large(std::move(head));
    }
    co_return co_await take_small(std::move(head));
}

Awaitable<Receiver::Step> Receiver::take_small(SubRequestHead head) {
    auto body = std::make_unique<Body>();
    if (head.content_length > 0) {
        const auto patience = Deadline::stage(options_.client, memory_words);
        auto permit =
            co_await memory_.acquire(static_cast<std::size_t>(head.content_length), patience.at());
        if (permit.has_error() && permit.error() == errc::timeout)
            co_return SessionFailure{Failed::timeout, patience.error().detail};
        if (permit.has_error()) co_return SessionFailure{Failed::exception, permit.error().detail};
        body->permit = std::move(*permit);
        restart_deadline();
    }
    body->bytes.reserve(static_cast<std::size_t>(head.content_length));
    for (;;) {
        auto event = co_await next();
        if (event.has_error()) co_return event.error();
        if (event->kind == Kind::request_end) break;
        body->bytes.insert(body->bytes.end(), event->body.begin(), event->body.end());
    }
    std::string object = percent_unquote(head.path);
    co_await await_turn(object);
    writing_.insert(object);
    tasks_.spawn(serve(std::move(head), std::move(body), std::move(object)));
    co_return Step();
}

Awaitable<void> Receiver::serve(SubRequestHead head, std::unique_ptr<Body> body,
                                std::string object) {
    const std::string method = head.method;
    const Verdict verdict = co_await objects_.serve(std::move(head), body->bytes);
    count(verdict, method, object);
    body.reset();
    writing_.erase(object);
    changed_.notify();
}

Awaitable<Receiver::Step> Receiver::take_large(SubRequestHead head) {
    std::string object = percent_unquote(head.path);
    const std::string method = head.method;
    co_await await_turn(object);
    std::unique_ptr<OpenPut> put = co_await objects_.open_put(std::move(head));
    restart_deadline();
    for (;;) {
        auto event = co_await next();
        if (event.has_error()) {
            co_await put->abandon();
            co_return event.error();
        }
        if (event->kind == Kind::request_end) break;
        co_await put->write(event->body);
    }
    writing_.insert(object);
    tasks_.spawn(finish(std::move(put), method, std::move(object)));
    co_return Step();
}

Awaitable<void> Receiver::finish(std::unique_ptr<OpenPut> put, std::string method,
                                 std::string object) {
    const Verdict verdict = co_await put->finish();
    count(verdict, method, object);
    put.reset();
    writing_.erase(object);
    changed_.notify();
}

void Receiver::count(const Verdict& verdict, std::string_view method, std::string_view object) {
    if (verdict.is_success()) {
        ++successes_;
    } else {
        ++failures_;
        logger_.warning("ssync subrequest failed with " + std::to_string(verdict.status) + ": " +
                        std::string(method) + " " + percent_quote(object) + " (" + verdict.body +
                        ")");
    }
    const auto threshold = static_cast<std::uint64_t>(options_.failure_threshold);
    if (failures_ < threshold) return;
    const double ratio = static_cast<double>(failures_) /
                         static_cast<double>(std::max<std::uint64_t>(successes_, 1));
    if (successes_ == 0 || ratio > options_.failure_ratio) too_many_failures_ = true;
}

Receiver::Step Receiver::tripped() const {
    if (!too_many_failures_) return {};
    return SessionFailure{Failed::exception, "Too many " + std::to_string(failures_) +
                                                 " failures to " + std::to_string(successes_) +
                                                 " successes"};
}

Awaitable<void> Receiver::fail(SessionFailure failure) {
    std::string line;
    switch (failure.kind) {
        case Failed::hung_up:
            logger_.error("ssync client disconnected");
            break;
        case Failed::busy:
            line = error_line(503, busy_body, true);
            break;
        case Failed::lock_timeout:
            logger_.debug(name_ + " SSYNC LOCK TIMEOUT: " + failure.text);
            line = error_line(0, failure.text, false);
            break;
        case Failed::timeout:
            logger_.error(name_ + " TIMEOUT in ssync.Receiver: " + failure.text);
            line = error_line(408, failure.text, false);
            break;
        case Failed::broken:
            logger_.error(name_ + " read failed in ssync.Receiver: " + failure.text);
            break;
        case Failed::failures:
            line = error_line(500, failure.text, true);
            break;
        case Failed::exception:
            logger_.error(name_ + " EXCEPTION in ssync.Receiver: " + failure.text);
            line = error_line(0, failure.text, false);
            break;
    }
    if (!line.empty()) {
        Step ignored = co_await write(line);
        static_cast<void>(ignored);
    }
    // Dropped without a last chunk, so that the sender does not go on for nothing.
    exchange_.drop();
}

}  // namespace fragmend::transport::ssync
