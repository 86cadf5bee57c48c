// Which of an engine's slots are taken, and by which ticket.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "kernels/api/engine.hpp"

namespace fragmend::kernels {

/// Hands out slots. A ticket names its slot's generation, so that one used twice is noticed.
/// Runs on: any thread. What a slot holds belongs to whoever acquired or claimed it.
class Tickets {
  public:
    explicit Tickets(std::uint32_t slots) : slots_(slots) {}

    std::optional<Ticket> acquire() {
        const std::lock_guard lock(mutex_);
        for (std::uint32_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].use != Use::free) continue;
            slots_[i].use = Use::in_flight;
            return Ticket{i, ++slots_[i].generation};
        }
        return std::nullopt;
    }

    /// For one waiter at a time: false when the ticket is stale or somebody waits for it already.
    bool claim(Ticket ticket) {
        const std::lock_guard lock(mutex_);
        if (ticket.slot >= slots_.size()) return false;
        Slot& slot = slots_[ticket.slot];
        if (slot.use != Use::in_flight || slot.generation != ticket.generation) return false;
        slot.use = Use::claimed;
        return true;
    }

    /// The waiter gives up for now.
    void unclaim(Ticket ticket) { set(ticket, Use::in_flight); }

    void release(Ticket ticket) { set(ticket, Use::free); }

  private:
    enum class Use : std::uint8_t { free, in_flight, claimed };
    struct Slot {
        Use use = Use::free;
        std::uint32_t generation = 0;
    };

    void set(Ticket ticket, Use use) {
        const std::lock_guard lock(mutex_);
        slots_[ticket.slot].use = use;
    }

    std::mutex mutex_;
    std::vector<Slot> slots_;
};

}  // namespace fragmend::kernels
