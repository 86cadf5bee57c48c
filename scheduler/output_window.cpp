// Order, hold-back and replay of rebuilt pieces.
#include "scheduler/output_window.hpp"

#include <string>

namespace fragmend::scheduler {

void OutputWindow::lay_out(const RebuildShape& shape, BufferPool::Lease slab) {
    FRAGMEND_ASSERT(rounds_released_ == 0 && queue_.empty() && !lent_);
    shape_ = shape;
    slab_ = std::move(slab);
    has_memory_ = true;
    free_slots_.clear();
    for (std::size_t slot = shape.output_slots; slot-- > 0;)
        free_slots_.push_back(slot);
}

void OutputWindow::begin_attempt() {
    FRAGMEND_ASSERT(!verified_);
    for (const Output& output : queue_)
        free_slots_.push_back(output.slot);
    queue_.clear();
    next_round_ = 0;
}

std::optional<OutputWindow::Slot> OutputWindow::take_slot() {
    if (free_slots_.empty()) return std::nullopt;
    const std::size_t index = free_slots_.back();
    free_slots_.pop_back();
    return Slot{index, shape_.slot(slab_.bytes(), index)};
}

Result<void> OutputWindow::accept(const Slot& slot, std::uint64_t round, const Md5Digest& chain) {
    FRAGMEND_ASSERT(round == next_round_ && !verified_);
    ++next_round_;
    if (round >= rounds_released_) {
        queue_.push_back({slot.index, shape_.bytes_of_round(round), chain});
        return {};
    }
    free_slots_.push_back(slot.index);
    if (round + 1 == rounds_released_ && chain != released_chain_) {
        return Error{errc::wrong_bytes, "the first " + std::to_string(bytes_released_) +
                                            " bytes were sent and come out differently now"};
    }
    return {};
}

void OutputWindow::set_verified() {
    FRAGMEND_ASSERT(next_round_ == shape_.rounds && next_round_ >= rounds_released_);
    verified_ = true;
}

void OutputWindow::return_released() {
    if (!lent_) return;
    free_slots_.push_back(*lent_);
    lent_.reset();
}

bool OutputWindow::can_release() const {
    if (queue_.empty()) return false;
    return verified_ || (!shape_.hold_all && rounds_released_ + 1 < shape_.rounds);
}

ByteView OutputWindow::release() {
    FRAGMEND_ASSERT(can_release() && !lent_);
    const Output output = queue_.front();
    queue_.pop_front();
    lent_ = output.slot;
    ++rounds_released_;
    bytes_released_ += output.bytes;
    released_chain_ = output.chain;
    // The whole archive or less, whatever went wrong before: a peer never gets a byte too many.
    FRAGMEND_ASSERT(bytes_released_ <= shape_.archive_bytes);
    FRAGMEND_ASSERT(rounds_released_ < shape_.rounds || bytes_released_ == shape_.archive_bytes);
    return shape_.slot(slab_.bytes(), output.slot).first(output.bytes);
}

void OutputWindow::release_memory() {
    has_memory_ = false;
    queue_.clear();
    lent_.reset();
    free_slots_.clear();
    slab_.release();
}

}  // namespace fragmend::scheduler
