// The port of kernels/: batches in, outputs and digests filled, a ticket in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/api/batch.hpp"
#include "kernels/api/limits.hpp"
#include "kernels/api/status.hpp"

namespace fragmend::kernels {

/// A batch in flight. A value; good for one successful `wait`.
struct Ticket {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
};

/// What the pointers of a batch's items may be used for. Digests always live in plain memory.
enum class Memory : std::uint8_t {
    plain,   ///< Any host memory: gathered by the CPU into the engine's page-locked buffer.
    pinned,  ///< From `allocate_pinned`: each fragment is copied by the device's copy engines.
    mapped,  ///< Pinned, or memory of the device: the threads read and write it in place.
};

/// Something that computes batches: a device, or this CPU emulating one.
/// Runs on:  any thread, many at once; a batch is computed in `submit` or behind it.
/// Owned by: whoever routes batches. Outlives its tickets and its pinned memory.
class Engine {
  public:
    virtual ~Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    virtual const char* name() const = 0;
    virtual const Limits& limits() const = 0;

    /// Starts a batch and gives its ticket. Items and all that they name live until `wait` is done.
    /// Outputs overlap neither sources nor each other.
    /// Does not wait for a device, whatever state that is in. Errors, and then nothing was started:
    /// bad_item, too_large, busy, device_lost; device_error.
    virtual Status submit(std::span<Item> items, Memory memory, Ticket& ticket) = 0;

    /// Waits for a batch. Only after ok are outputs, digests and `wrong` set; after any other
    /// answer the digests are as before `submit`, so that the same items can go to another engine.
    /// Errors: bad_ticket; device_error, device_lost; timed_out after `limit_ms`: the ticket stays
    /// good and, unless memory is plain, the device may still read sources and write outputs.
    virtual Status wait(Ticket ticket, std::uint32_t limit_ms) = 0;

    /// Page-locked memory that starts on a page, or nullptr. Not for the steady state.
    virtual std::uint8_t* allocate_pinned(std::size_t bytes) = 0;
    virtual void free_pinned(std::uint8_t* memory) = 0;

  protected:
    Engine() = default;
};

}  // namespace fragmend::kernels
