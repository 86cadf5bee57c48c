// The engine that computes on one CUDA device.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/api/engine.hpp"
#include "kernels/api/tickets.hpp"
#include "kernels/cuda/slot_driver.hpp"

namespace fragmend::cuda {

/// Batches on one device, each in a slot with its own streams and memory, so that copies of one
/// overlap the computation of another. All memory is taken by `create`.
/// Runs on:  any thread. `submit` gathers, a thread of the slot's own queues and watches; neither
///           `submit` nor `wait` calls the driver, which may hang in any call.
/// After device_lost every call says so again: drop the engine, make another one later. The first
/// one made after all of a device's engines are gone resets the device. Not promised: the end of a
/// batch that hangs; its destructor then waits with it, and calls the driver itself.
class DeviceEngine final : public kernels::Engine {
  public:
    DeviceEngine(int device, const kernels::Limits& limits);
    ~DeviceEngine() override;

    /// Errors: no_device, out_of_memory, device_error, device_lost. Call once, before anything
    /// else.
    kernels::Status create();

    const char* name() const override { return name_.c_str(); }
    const kernels::Limits& limits() const override { return limits_; }
    kernels::Status submit(std::span<kernels::Item> items, kernels::Memory memory,
                           kernels::Ticket& ticket) override;
    kernels::Status wait(kernels::Ticket ticket, std::uint32_t limit_ms) override;
    std::uint8_t* allocate_pinned(std::size_t bytes) override;
    void free_pinned(std::uint8_t* memory) override;

  private:
    kernels::Status set_up();
    /// Remembers a lost device and passes `status` on.
    kernels::Status note(const kernels::Status& status);

    const int device_;
    const kernels::Limits limits_;
    std::string name_;
    bool opened_ = false;
    std::atomic<bool> lost_ = false;
    struct Line {
        Line(int device, unsigned blocks_max, std::unique_ptr<Slot> made)
            : slot(std::move(made)), driver(device, blocks_max, *slot) {}
        const std::unique_ptr<Slot> slot;
        SlotDriver driver;
    };
    std::vector<std::unique_ptr<Line>> lines_;  ///< One a ticket's slot.
    kernels::Tickets tickets_;
};

}  // namespace fragmend::cuda
