// How long the network thread lets peers' answers come together before it looks at them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace fragmend::app {

/// While peers are only asked for hashes, being woken for each answer costs more than reading it:
/// the thread sleeps until most of those under way should be there, but not all. So slow peers are
/// never without something to do, and quick ones are not waited for. Sleeping is the caller's.
class AnswerGathering {
  public:
    using Length = std::chrono::microseconds;
    static constexpr Length shortest{500};
    static constexpr Length longest{50'000};

    /// How long to sleep now. `under_way`: answers that are waited for; `answers`: of this pass so
    /// far.
    Length next(std::size_t under_way, std::uint64_t answers) {
        const std::uint64_t came = answers - std::exchange(answers_, answers);
        const std::size_t awaited = std::exchange(under_way_, under_way);
        // The count began anew with this pass.
        if (came > answers) return length_;
        if (came * 4 < awaited * 3) {
            length_ = std::min(length_ * 5 / 4, longest);
        } else if (came >= awaited) {
            length_ = std::max(length_ * 4 / 5, shortest);
        }
        return length_;
    }

  private:
    Length length_{3000};
    std::size_t under_way_ = 0;
    std::uint64_t answers_ = 0;
};

}  // namespace fragmend::app
