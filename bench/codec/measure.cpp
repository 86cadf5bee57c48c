// The loops around what is measured.
#include "bench/codec/measure.hpp"

#include <algorithm>
#include <ctime>
#include <vector>

namespace fragmend::bench {
namespace {

constexpr double bundle_seconds = 200e-6;

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double measure(int pass_ms, std::size_t bytes_read, const std::function<void()>& work) {
    work();
    std::size_t bundle = 1;
    for (;;) {
        const double start = cpu_seconds();
        for (std::size_t i = 0; i < bundle; ++i)
            work();
        if (cpu_seconds() - start >= bundle_seconds) break;
        bundle *= 2;
    }
    const double start = cpu_seconds();
    double seconds = 0;
    std::size_t calls = 0;
    while (seconds < pass_ms * 1e-3) {
        for (std::size_t i = 0; i < bundle; ++i)
            work();
        calls += bundle;
        seconds = cpu_seconds() - start;
    }
    return static_cast<double>(calls) * static_cast<double>(bytes_read) / seconds / 1e9;
}

Duel duel(int rounds, int pass_ms, std::size_t bytes_read, const std::function<void()>& ours,
          const std::function<void()>& theirs) {
    std::vector<double> our_rates;
    std::vector<double> their_rates;
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
        our_rates.push_back(measure(pass_ms, bytes_read, ours));
        their_rates.push_back(measure(pass_ms, bytes_read, theirs));
        ratios.push_back(our_rates.back() / their_rates.back());
    }
    return {median(our_rates), median(their_rates), median(ratios),
            *std::ranges::min_element(ratios)};
}

}  // namespace fragmend::bench
