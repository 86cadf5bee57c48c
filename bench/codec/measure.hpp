// Timing of repeated calls on one thread, and of two rivals in turns.
#pragma once

#include <cstddef>
#include <functional>

namespace fragmend::bench {

/// CPU time of this thread, so that a busy machine does not make us look slow (nor fast).
double cpu_seconds();

/// Calls `work` (which reads `bytes_read`) for about `pass_ms` and returns GB/s. The clock is read
/// between bundles of calls, so that it costs short calls nothing.
double measure(int pass_ms, std::size_t bytes_read, const std::function<void()>& work);

/// Two ways to the same bytes.
struct Duel {
    double ours = 0;    ///< GB/s, the median of the rounds.
    double theirs = 0;  ///< The same.
    double ratio = 0;   ///< The median of the rounds' ratios.
    double lowest = 0;  ///< The lowest ratio of a round.
};

/// Measures both in turns, so that what else the machine does meets both alike.
Duel duel(int rounds, int pass_ms, std::size_t bytes_read, const std::function<void()>& ours,
          const std::function<void()>& theirs);

}  // namespace fragmend::bench
