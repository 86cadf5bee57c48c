// The receiver of one SSYNC session: drives the reception over an exchange.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/log.hpp"
#include "transport/http/exchange.hpp"
#include "transport/ssync/receiver_ports.hpp"
#include "transport/ssync/reception.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::ssync {

struct ReceiverOptions {
    TimeLimit client = TimeLimit::from_float(60);  ///< client_timeout: each line, each 64 KiB.
    std::size_t line_bytes_max = 65536;            ///< network_chunk_size.
    std::uint64_t offers_max = 4u << 20;
    std::int64_t failure_threshold = 100;
    double failure_ratio = 1.0;
    /// Bodies up to this are collected and served beside each other; larger ones are written as
    /// they come.
    std::size_t small_body_bytes_max = 512 * 1024;
    std::size_t in_flight_max = 16;  ///< Sub-requests that are not on the disk yet.
};

/// How a session ended that did not end well; decides about log and last line.
struct SessionFailure {
    enum class Kind : std::uint8_t {
        hung_up,
        busy,
        lock_timeout,
        timeout,
        broken,
        failures,
        exception
    };
    Kind kind = Kind::exception;
    std::string text;
};
[[noreturn]] void throw_exception_from_error(const SessionFailure& failure,
                                             const boost::source_location&);

/// One session, from its answer's head to its end. Owned by whoever answers the request; runs on
/// one executor. Sub-requests reach the disk beside each other, in order for each object, and the
/// last line goes out only when all of them are safe. Never throws, never retries. Source:
/// swift.obj.ssync_receiver.Receiver.
class Receiver {
  public:
    /// `name` is `<client>/<device>/<partition>`, for the log. `memory` lends the bytes of bodies
    /// that are collected. All references outlive the run.
    Receiver(asio::any_io_executor executor, http::Exchange& exchange, ReceiverObjects& objects,
             Semaphore& memory, ReceiverOptions options, std::string name, Logger logger);
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    /// Runs the session once. When it returns, nothing of it is under way any more.
    Awaitable<void> run();

  private:
    using Step = boost::system::result<void, SessionFailure>;

    Awaitable<Step> converse();
    Awaitable<Step> missing_check();
    Awaitable<Step> check_batch();
    Awaitable<Step> answer_wanted();
    Awaitable<Step> updates();
    Awaitable<Step> take_request(SubRequestHead head);
    Awaitable<Step> take_small(SubRequestHead head);
    Awaitable<Step> take_large(SubRequestHead head);
    /// The next event; reads from the client when all input is used up.
    Awaitable<boost::system::result<Reception::Event, SessionFailure>> next();
    /// The wait that begins now has all of client_timeout.
    void restart_deadline();
    Awaitable<Step> write(std::string_view text);
    Awaitable<void> fail(SessionFailure failure);

    struct Body;
    Awaitable<void> serve(SubRequestHead head, std::unique_ptr<Body> body, std::string object);
    Awaitable<void> finish(std::unique_ptr<OpenPut> put, std::string method, std::string object);
    /// Waits until the object is not being written and there is room for one more.
    Awaitable<void> await_turn(const std::string& object);
    void count(const Verdict& verdict, std::string_view method, std::string_view object);
    Step tripped() const;

    asio::any_io_executor executor_;
    http::Exchange& exchange_;
    ReceiverObjects& objects_;
    Semaphore& memory_;
    ReceiverOptions options_;
    std::string name_;
    Logger logger_;
    Reception reception_;
    ByteView input_;
    Deadline deadline_ = Deadline::none();
    std::string_view deadline_stage_;
    std::uint64_t body_since_deadline_ = 0;
    std::vector<Offer> batch_;
    std::string wanted_;  ///< Lines, joined as they go out.
    std::set<std::string> writing_;
    TaskGroup tasks_;
    Signal changed_;
    std::uint64_t successes_ = 0;
    std::uint64_t failures_ = 0;
    bool too_many_failures_ = false;
};

}  // namespace fragmend::transport::ssync
