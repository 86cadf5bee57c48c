// The sender of one SSYNC session: drives the conversation over a connection of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/base/async.hpp"
#include "host/base/log.hpp"
#include "host/base/node.hpp"
#include "transport/answer_watch.hpp"
#include "transport/http/connection.hpp"
#include "transport/http/response_head.hpp"
#include "transport/ssync/conversation.hpp"
#include "transport/ssync/ports.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::ssync {

struct SenderRequest {
    Node node;              ///< The receiver.
    std::string partition;  ///< Decimal.
    int policy_index = 0;
    std::optional<int> frag_index;  ///< Backend index of the receiver's device, always set for EC.
    bool include_non_durable =
        false;  ///< Only for the warning about receivers that do not take them.
    Timeouts timeouts;
    /// Hears how long the receiver took to take the connection and answer the request, or for how
    /// long it did not; may be nothing.
    AnswerWatch* watch = nullptr;
};

/// One session, from connect to its end. Owned by the job; runs on one executor together with its
/// port. While it writes, a second coroutine reads: a receiver that gives up is heard at once, and
/// the session ends with what it said. After the first doubt the connection is dropped without a
/// last chunk, so that the receiver cannot take anything for complete. Never retries and never
/// throws. Source: swift.obj.ssync_sender.Sender.
class Sender {
  public:
    /// `objects` outlives the run.
    Sender(asio::any_io_executor executor, SenderRequest request, SessionObjects& objects,
           Logger logger);
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    /// Runs the session once; failures are logged in Swift's words and returned.
    Awaitable<SessionResult> run();
    /// Ends a running session soon, with `cancelled`.
    void stop();

  private:
    enum class Sent : std::uint8_t { whole, left_out };

    Awaitable<Result<void>> converse(TaskGroup& readers);
    Awaitable<Result<void>> connect();
    Awaitable<Result<void>> refuse(const http::ResponseHead& head, Deadline deadline);
    Awaitable<Result<void>> offer();
    Awaitable<Result<void>> update();
    Awaitable<Result<Sent>> send(SubRequest& request);
    Awaitable<Result<Sent>> send_body(SubRequest& request, std::size_t mark);
    Awaitable<Result<void>> send_piece(ByteView piece, bool is_last);
    /// Waits for lines until the conversation has passed the two phases that begin with `first`.
    Awaitable<Result<void>> await_lines(Conversation::Phase first, std::string_view start_stage,
                                        std::string_view line_stage);
    Awaitable<Result<void>> flush(std::string_view stage, ByteView piece = {}, ByteView end = {});
    Awaitable<void> listen();
    Awaitable<void> await_reader_end();
    /// What ended the session, if anything did so from outside the writing coroutine.
    std::optional<Error> interruption() const;
    void interrupt();
    void log_failure(const Error& error) const;
    /// Notes that Swift logs this failure as an exception, unless it is a timeout.
    Error as_exception(Error error);

    asio::any_io_executor executor_;
    SenderRequest request_;
    SessionObjects& objects_;
    Logger logger_;
    http::Connection connection_;
    Conversation conversation_;
    asio::steady_timer changed_;  ///< Cancelled by the reader after every step of the conversation.
    std::string out_;             ///< Framed messages that are not written yet.
    std::string_view stage_ = "updates start";  ///< Of the last message in `out_`.
    std::uint64_t flushes_ = 0;
    std::optional<Error> read_error_;
    bool in_port_ = false;  ///< A call into the port is under way.
    bool reader_ended_ = false;
    bool stopped_ = false;
    bool is_exception_ = false;  ///< The failure is one that Swift logs as an exception.
    SessionResult result_;
};

}  // namespace fragmend::transport::ssync
