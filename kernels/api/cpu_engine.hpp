// The engine that runs a device's threads one after another on the calling CPU thread.
#pragma once

#include <vector>

#include "kernels/api/engine.hpp"
#include "kernels/api/tickets.hpp"
#include "kernels/api/work_list.hpp"

namespace fragmend::kernels {

/// The same work lists, tiles and per-thread steps as on a device, for tests and for machines
/// without one. Not a fast path: host/codec has those. `submit` computes; `wait` only reports.
class CpuEngine final : public Engine {
  public:
    explicit CpuEngine(const Limits& limits);

    const char* name() const override { return "CPU emulation"; }
    const Limits& limits() const override { return limits_; }
    Status submit(std::span<Item> items, Memory memory, Ticket& ticket) override;
    Status wait(Ticket ticket, std::uint32_t limit_ms) override;
    std::uint8_t* allocate_pinned(std::size_t bytes) override;
    void free_pinned(std::uint8_t* memory) override;

  private:
    const Limits limits_;
    std::vector<WorkList> work_;  ///< One a slot.
    Tickets tickets_;
};

}  // namespace fragmend::kernels
