// Tells the throttle how long peers take to answer.
#pragma once

#include <string>
#include <string_view>

#include "scheduler/throttle.hpp"
#include "transport/answer_watch.hpp"

namespace fragmend::sync {

/// Requests of one kind: what another kind takes is something else, so each has bests of its own.
class PeerWatch final : public transport::AnswerWatch {
  public:
    /// `throttle` may be nothing, and outlives it. `kind` goes behind a node's address.
    explicit PeerWatch(scheduler::Throttle* throttle, std::string_view kind = "")
        : throttle_(throttle), kind_(kind) {}

    void asked() override {
        if (throttle_ != nullptr) throttle_->asked();
    }
    void answered(const Node& node, std::chrono::nanoseconds latency) override {
        if (throttle_ != nullptr) throttle_->answered(node.replication_ip + kind_, latency);
    }
    void no_answer(const Node& node, std::chrono::nanoseconds at_least) override {
        if (throttle_ != nullptr) throttle_->no_answer(node.replication_ip + kind_, at_least);
    }
    void ended() override {
        if (throttle_ != nullptr) throttle_->ended();
    }

  private:
    scheduler::Throttle* throttle_;
    std::string kind_;
};

/// What a receiver takes to begin a session.
inline constexpr std::string_view session_kind = " session";

}  // namespace fragmend::sync
