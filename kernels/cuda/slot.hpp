// One batch's streams, events and memory on a device, from upload to results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/api/engine.hpp"
#include "kernels/api/work_list.hpp"
#include "kernels/cuda/copy_run.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/owners.hpp"

namespace fragmend::cuda {

/// Place in the flow: who submits calls `gather`, the slot's driver `queue` and then `finished`
/// until it is, who waits `finish`. Owned by the engine; used by one thread at a time. Only
/// `create`, `queue` and `finished` call the driver, with the device current; for plain memory they
/// touch nothing but what the slot owns.
///
/// Memory: `control` holds a batch's arrays, then what comes back of them (MD5 states and failed
/// checks); `input` and `output` hold payloads unless the threads use them in place. Each has a
/// page-locked mirror with the same offsets.
class Slot {
  public:
    explicit Slot(const kernels::Limits& limits);
    kernels::Status create();

    /// Lays a batch out, and takes plain sources along. Errors: bad_item, too_large.
    kernels::Status gather(std::span<kernels::Item> items, kernels::Memory memory);
    /// Queues what was gathered. On an error nothing is queued any more.
    kernels::Status queue(unsigned blocks_max);
    /// ok with `done` false while the batch still runs.
    kernels::Status finished(bool& done);
    /// Hands the results of a finished batch to its items.
    void finish();

  private:
    struct Region {
        DeviceBuffer device;
        PinnedBuffer host;
        std::size_t bytes_max = 0;
        std::size_t used = 0;
        kernels::Status create(std::size_t bytes);
    };
    /// A fragment in the caller's memory, and its offset in `input` or `output`.
    template <class Byte>
    struct Place {
        Byte* memory = nullptr;
        std::size_t offset = 0;
        std::size_t bytes = 0;
    };

    kernels::Status place_payloads();
    kernels::Status place_sources(const kernels::Item& item, std::uint64_t* pointers);
    kernels::Status place_outputs(const kernels::Item& item, std::uint64_t* pointers);
    void pack_control();
    kernels::Status queue_all(unsigned blocks_max);
    /// Queues a copy now or together with those that follow it; `queue_run` ends that.
    kernels::Status copy(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes,
                         cudaMemcpyKind kind);
    kernels::Status queue_run(cudaMemcpyKind kind);
    kernels::Status queue_uploads();
    kernels::Status queue_streams();
    kernels::Status queue_groups(unsigned blocks_max, bool checks);
    kernels::Status queue_kernels(unsigned blocks_max);
    kernels::Status queue_downloads();
    /// Copies an array into `control` and says where on the device it will lie.
    template <class T>
    const T* pack(std::span<const T> array);

    const kernels::Limits limits_;
    kernels::WorkList work_;
    Region control_;
    Region input_;
    Region output_;
    Stream stream_;     ///< Copies and decodes.
    Stream digesting_;  ///< MD5, beside the decodes.
    Event readable_;    ///< What streams hash is there.
    Event digested_;
    Event done_;

    // Of the batch in flight.
    std::span<kernels::Item> items_;
    kernels::Memory memory_ = kernels::Memory::plain;
    std::vector<Place<const std::uint8_t>> pinned_sources_;
    std::vector<Place<std::uint8_t>> outputs_;
    CopyRun run_;
    GroupArrays arrays_;
    StreamArrays streams_;
    std::size_t returned_first_ = 0;  ///< Offset in `control` of the MD5 states.
    std::size_t differences_first_ = 0;
};

}  // namespace fragmend::cuda
