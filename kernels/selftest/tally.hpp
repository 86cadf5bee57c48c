// Counting what passed and failed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace fragmend::selftest {

/// Names the first failures on stderr; the rest are only counted.
class Tally {
  public:
    void count(bool ok, const std::string& what) {
        if (ok) {
            ++passed_;
            return;
        }
        if (failed_++ < named_max) std::fprintf(stderr, "FAILED: %s\n", what.c_str());
    }
    void add(const Tally& other) {
        passed_ += other.passed_;
        failed_ += other.failed_;
    }
    std::uint64_t passed() const { return passed_; }
    std::uint64_t failed() const { return failed_; }

  private:
    static constexpr std::uint64_t named_max = 20;
    std::uint64_t passed_ = 0;
    std::uint64_t failed_ = 0;
};

}  // namespace fragmend::selftest
