// Keeps what a watch of answers is told.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "transport/answer_watch.hpp"

namespace fragmend::transport {

struct RecordedAnswers final : AnswerWatch {
    using Heard = std::vector<std::pair<Node, std::chrono::nanoseconds>>;
    void asked() override { ++open; }
    void answered(const Node& node, std::chrono::nanoseconds latency) override {
        answers.emplace_back(node, latency);
    }
    void no_answer(const Node& node, std::chrono::nanoseconds at_least) override {
        missing.emplace_back(node, at_least);
    }
    void ended() override { --open; }

    std::size_t open = 0;
    Heard answers;
    Heard missing;
};

}  // namespace fragmend::transport
