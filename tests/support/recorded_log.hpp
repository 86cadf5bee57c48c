// A log sink that keeps its lines for a test to look at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/base/log.hpp"

namespace fragmend::test {

class RecordedLog final : public LogSink {
  public:
    void write(LogLevel level, std::string_view message) override {
        lines.push_back(std::string(to_string(level)) + " " + std::string(message));
    }
    Logger logger() { return {this, LogLevel::debug}; }

    std::vector<std::string> lines;
};

}  // namespace fragmend::test
