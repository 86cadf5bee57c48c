// Neighbouring copies joined into one: a call a fragment costs about as much as the bus needs for
// it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fragmend::cuda {

/// Equal copies whose sources, and whose targets, lie at equal distances. A value of the batch that
/// is being queued.
class CopyRun {
  public:
    /// Takes the copy into the run if it goes on in the same steps; an empty run takes any.
    bool extend(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) {
        if (count_ == 0) {
            *this = CopyRun(to, from, bytes);
            return true;
        }
        const std::size_t to_step = distance(to_, to);
        const std::size_t from_step = distance(from_, from);
        if (bytes != bytes_) return false;
        if (count_ == 1) {
            if (!is_pitch(to_step) || !is_pitch(from_step)) return false;
            to_pitch_ = to_step;
            from_pitch_ = from_step;
        } else if (to_step != count_ * to_pitch_ || from_step != count_ * from_pitch_) {
            return false;
        }
        ++count_;
        return true;
    }

    std::size_t count() const { return count_; }
    std::size_t bytes() const { return bytes_; }
    std::size_t to_pitch() const { return to_pitch_; }
    std::size_t from_pitch() const { return from_pitch_; }
    std::uint8_t* to(std::size_t index) const { return to_ + index * to_pitch_; }
    const std::uint8_t* from(std::size_t index) const { return from_ + index * from_pitch_; }

    CopyRun() = default;

  private:
    CopyRun(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes)
        : to_(to), from_(from), bytes_(bytes), count_(1) {}

    /// Huge when `later` lies before `first`, and then no pitch.
    static std::size_t distance(const std::uint8_t* first, const std::uint8_t* later) {
        return reinterpret_cast<std::uintptr_t>(later) - reinterpret_cast<std::uintptr_t>(first);
    }
    /// Far below what CUDA takes (2^31 - 1).
    bool is_pitch(std::size_t step) const {
        return step >= bytes_ && step <= (std::size_t{1} << 30);
    }

    std::uint8_t* to_ = nullptr;
    const std::uint8_t* from_ = nullptr;
    std::size_t bytes_ = 0;
    std::size_t to_pitch_ = 0;
    std::size_t from_pitch_ = 0;
    std::size_t count_ = 0;
};

}  // namespace fragmend::cuda
