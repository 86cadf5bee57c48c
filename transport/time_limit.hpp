// How long a wait may take, and how Swift words it when it took longer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace fragmend::transport {

/// A configured limit that remembers whether it was an integer or a float, because log lines that
/// operators search for print it as Python would: `60 seconds`, `0.5 seconds`, `1.0 second`.
class TimeLimit {
  public:
    static TimeLimit from_float(double seconds);
    static TimeLimit from_int(std::int64_t seconds);

    std::chrono::nanoseconds duration() const { return duration_; }
    /// The number alone: `60`, `0.5`, `10.0`.
    const std::string& text() const { return text_; }
    /// `<number> seconds`, or `second` for one.
    std::string words() const;

  private:
    TimeLimit(double seconds, std::string text);
    std::chrono::nanoseconds duration_;
    std::string text_;
};

/// The limits of the reconstructor's conversations.
/// Source: swift.obj.reconstructor.ObjectReconstructor.__init__ (two floats and an integer).
struct Timeouts {
    TimeLimit conn =
        TimeLimit::from_float(0.5);  ///< conn_timeout: connect and send a request head.
    TimeLimit node =
        TimeLimit::from_float(10);  ///< node_timeout: a response head, a write, a read round.
    TimeLimit http =
        TimeLimit::from_int(60);  ///< http_timeout: REPLICATE, each line of a receiver.
};

/// The moment at which one wait ends, and the words for the case that it comes to that.
/// Lifetime: the limit and the words are referenced and outlive the wait.
class Deadline {
  public:
    using Moment = std::chrono::steady_clock::time_point;

    /// Expires with `<n> seconds: <stage>`, as Swift's MessageTimeout.
    static Deadline stage(const TimeLimit& limit, std::string_view stage);
    /// Expires with `<class name> (<n>s)`, as Swift logs a plain Timeout or ConnectionTimeout.
    static Deadline exception(const TimeLimit& limit, std::string_view class_name);
    /// Never expires: for a wait that somebody else bounds.
    static Deadline none() { return {}; }

    /// Ends that much later: what this side did meanwhile is not the other one's delay.
    void postpone(Moment::duration by) { at_ += by; }
    Moment at() const { return at_; }
    /// What the wait returns once the moment has passed.
    Error error() const;

  private:
    Deadline() = default;
    Deadline(const TimeLimit& limit, std::string_view words, bool is_stage);
    Moment at_ = Moment::max();
    const TimeLimit* limit_ = nullptr;
    std::string_view words_;
    bool is_stage_ = false;
};

}  // namespace fragmend::transport
