// Who wants to know how long peers take to answer.
#pragma once

#include <chrono>

#include "host/base/node.hpp"

namespace fragmend::transport {

/// Told of each request: `asked`, at most one of the next two, `ended`. Outlives the requests; runs
/// on their executor.
class AnswerWatch {
  public:
    virtual ~AnswerWatch() = default;
    virtual void asked() = 0;
    virtual void answered(const Node& node, std::chrono::nanoseconds latency) = 0;
    /// Nobody waits any more: the answer would have taken longer than `at_least`.
    virtual void no_answer(const Node& node, std::chrono::nanoseconds at_least) = 0;
    virtual void ended() = 0;
};

/// One request, from its beginning until it has been answered or is given up.
class WatchedAsk {
  public:
    /// `watch` may be nothing; `node` outlives the request.
    WatchedAsk(AnswerWatch* watch, const Node& node) : watch_(watch), node_(node) {
        if (watch_ != nullptr) watch_->asked();
    }
    ~WatchedAsk() {
        if (watch_ != nullptr) watch_->ended();
    }
    WatchedAsk(const WatchedAsk&) = delete;
    WatchedAsk& operator=(const WatchedAsk&) = delete;

    void answered() {
        if (watch_ != nullptr) watch_->answered(node_, elapsed());
    }
    void no_answer() {
        if (watch_ != nullptr) watch_->no_answer(node_, elapsed());
    }

  private:
    std::chrono::nanoseconds elapsed() const { return std::chrono::steady_clock::now() - began_; }

    AnswerWatch* watch_;
    const Node& node_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace fragmend::transport
