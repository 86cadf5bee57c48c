// The one source of chance of a simulated world.
#pragma once

#include <cstdint>

namespace fragmend::sim {

/// splitmix64: cheap to make, the same everywhere.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// In [0, end).
    std::uint64_t draw(std::uint64_t end) { return next() % end; }
    std::uint64_t between(std::uint64_t first, std::uint64_t last) {
        return first + draw(last - first + 1);
    }
    bool chance(unsigned percent) { return draw(100) < percent; }

  private:
    std::uint64_t state_;
};

}  // namespace fragmend::sim
