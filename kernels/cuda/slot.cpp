// Gathering, queueing and handing back one batch.
#include "kernels/cuda/slot.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/tuning.hpp"

namespace fragmend::cuda {

using kernels::Item;
using kernels::Md5State;
using kernels::Memory;
using kernels::Status;
using kernels::StatusCode;

namespace {

constexpr std::size_t array_alignment = 256;

constexpr std::size_t round_up(std::size_t value, std::size_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

std::size_t control_bytes_max(const kernels::Limits& limits) {
    using kernels::WorkList;
    constexpr std::size_t arrays = 8;
    const std::size_t task = sizeof(kernels::DecodeTask) + sizeof(std::uint32_t);
    const std::size_t stream =
        sizeof(kernels::StreamTask) + sizeof(kernels::StreamPart) + sizeof(Md5State);
    return WorkList::tasks_max(limits) * task +
           WorkList::pointers_max(limits) * sizeof(std::uint64_t) +
           WorkList::table_words_of_batch_max(limits) * sizeof(std::uint32_t) +
           WorkList::streams_max(limits) * stream + limits.batch_items_max * sizeof(std::uint32_t) +
           arrays * array_alignment;
}

std::uint64_t device_address(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace

Status Slot::Region::create(std::size_t bytes) {
    bytes_max = std::max<std::size_t>(bytes, 1);
    if (Status status = device.create(bytes_max); !status.ok()) return status;
    return host.create(bytes_max);
}

Slot::Slot(const kernels::Limits& limits) : limits_(limits), work_(limits) {
    pinned_sources_.reserve(limits.batch_sources_max);
    outputs_.reserve(limits.batch_outputs_max);
}

Status Slot::create() {
    if (Status s = stream_.create(); !s.ok()) return s;
    if (Status s = control_.create(control_bytes_max(limits_)); !s.ok()) return s;
    if (Status s = input_.create(limits_.batch_input_bytes_max); !s.ok()) return s;
    if (Status s = output_.create(limits_.batch_output_bytes_max); !s.ok()) return s;
    // A download takes the gaps between outputs along, which nobody writes.
    FRAGMEND_CUDA_TRY(cudaMemsetAsync(output_.device.data(), 0, output_.bytes_max, stream_.get()));
    if (Status s = digesting_.create(); !s.ok()) return s;
    if (Status s = readable_.create(); !s.ok()) return s;
    if (Status s = digested_.create(); !s.ok()) return s;
    return done_.create();
}

Status Slot::gather(std::span<Item> items, Memory memory) {
    items_ = items;
    memory_ = memory;
    control_.used = 0;
    input_.used = 0;
    output_.used = 0;
    pinned_sources_.clear();
    outputs_.clear();
    Status status = work_.list(items);
    if (status.ok()) status = place_payloads();
    if (status.ok()) status = work_.arrange(items, tuning::tile_columns);
    if (status.ok()) pack_control();
    return status;
}

Status Slot::place_payloads() {
    if (memory_ == Memory::mapped) return {};
    std::uint64_t* pointers = work_.pointers().data();
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
        const Item& item = items_[i];
        Status status = place_sources(item, pointers);
        if (status.ok()) status = place_outputs(item, pointers + item.sources.size());
        if (!status.ok()) {
            status.item = i;
            return status;
        }
        pointers += item.sources.size() + item.outputs.size();
    }
    return {};
}

Status Slot::copy(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes,
                  cudaMemcpyKind kind) {
    if (run_.extend(to, from, bytes)) return {};
    const Status status = queue_run(kind);
    (void)run_.extend(to, from, bytes);
    return status;
}

Status Slot::queue_run(cudaMemcpyKind kind) {
    const CopyRun run = std::exchange(run_, {});
    if (run.count() > 1) {
        const cudaError_t error =
            cudaMemcpy2DAsync(run.to(0), run.to_pitch(), run.from(0), run.from_pitch(), run.bytes(),
                              run.count(), kind, stream_.get());
        if (error == cudaSuccess) return {};
        // Pieces of several allocations are not one copy's.
        if (error != cudaErrorInvalidValue) return to_status(error);
        (void)cudaGetLastError();
    }
    for (std::size_t i = 0; i < run.count(); ++i) {
        FRAGMEND_CUDA_TRY(
            cudaMemcpyAsync(run.to(i), run.from(i), run.bytes(), kind, stream_.get()));
    }
    return {};
}

Status Slot::place_sources(const Item& item, std::uint64_t* pointers) {
    // Without digests nobody reads what lies in front of the payload.
    const std::size_t prefix = item.digests.empty() ? 0 : item.prefix_bytes;
    for (std::size_t j = 0; j < item.sources.size(); ++j) {
        const std::size_t payload = round_up(input_.used + prefix, kernels::payload_alignment);
        if (payload > input_.bytes_max || item.bytes > input_.bytes_max - payload)
            return {StatusCode::too_large, 0, "source bytes"};
        const std::size_t first = payload - prefix;
        const std::uint8_t* from = item.sources[j] - prefix;
        if (memory_ == Memory::plain) {
            if (prefix + item.bytes != 0)
                std::memcpy(input_.host.data() + first, from, prefix + item.bytes);
        } else {
            pinned_sources_.push_back({from, first, prefix + item.bytes});
        }
        pointers[j] = device_address(input_.device.data() + payload);
        input_.used = payload + item.bytes;
    }
    return {};
}

Status Slot::place_outputs(const Item& item, std::uint64_t* pointers) {
    for (std::size_t o = 0; o < item.outputs.size(); ++o) {
        const std::size_t first = round_up(output_.used, kernels::payload_alignment);
        if (first > output_.bytes_max || item.bytes > output_.bytes_max - first)
            return {StatusCode::too_large, 0, "output bytes"};
        pointers[o] = device_address(output_.device.data() + first);
        outputs_.push_back({item.outputs[o], first, item.bytes});
        output_.used = first + item.bytes;
    }
    return {};
}

template <class T>
const T* Slot::pack(std::span<const T> array) {
    const std::size_t first = round_up(control_.used, array_alignment);
    if (!array.empty()) std::memcpy(control_.host.data() + first, array.data(), array.size_bytes());
    control_.used = first + array.size_bytes();
    return reinterpret_cast<const T*>(control_.device.data() + first);
}

void Slot::pack_control() {
    arrays_.pointers = pack(std::span<const std::uint64_t>(work_.pointers()));
    arrays_.table = pack(work_.table());
    arrays_.tasks = pack(work_.tasks());
    arrays_.first_tiles = pack(work_.first_tiles());
    streams_.streams = pack(work_.streams());
    streams_.parts = pack(work_.parts());
    streams_.count = static_cast<std::uint32_t>(work_.streams().size());

    returned_first_ = round_up(control_.used, array_alignment);
    streams_.states = reinterpret_cast<Md5State*>(control_.device.data() + returned_first_);
    for (std::size_t i = 0; i < work_.states().size(); ++i) {
        std::memcpy(control_.host.data() + returned_first_ + i * sizeof(Md5State),
                    work_.states()[i], sizeof(Md5State));
    }
    control_.used = returned_first_ + work_.states().size() * sizeof(Md5State);
    // All zero since `list`.
    arrays_.differences =
        const_cast<std::uint32_t*>(pack(std::span<const std::uint32_t>(work_.differences())));
    differences_first_ = control_.used - work_.differences().size() * sizeof(std::uint32_t);
}

Status Slot::queue(unsigned blocks_max) {
    run_ = {};
    const Status status = queue_all(blocks_max);
    if (!status.ok()) {
        // What was queued before the failure must not touch the caller's memory afterwards.
        (void)cudaStreamSynchronize(digesting_.get());
        (void)cudaStreamSynchronize(stream_.get());
        (void)cudaGetLastError();
    }
    return status;
}

Status Slot::queue_all(unsigned blocks_max) {
    if (Status status = queue_uploads(); !status.ok()) return status;
    if (Status status = queue_kernels(blocks_max); !status.ok()) return status;
    if (Status status = queue_downloads(); !status.ok()) return status;
    FRAGMEND_CUDA_TRY(cudaEventRecord(done_.get(), stream_.get()));
    return {};
}

Status Slot::queue_uploads() {
    for (const Place<const std::uint8_t>& place : pinned_sources_) {
        if (place.bytes == 0) continue;
        const Status status = copy(input_.device.data() + place.offset, place.memory, place.bytes,
                                   cudaMemcpyHostToDevice);
        if (!status.ok()) return status;
    }
    if (Status status = queue_run(cudaMemcpyHostToDevice); !status.ok()) return status;
    if (control_.used != 0) {
        FRAGMEND_CUDA_TRY(cudaMemcpyAsync(control_.device.data(), control_.host.data(),
                                          control_.used, cudaMemcpyHostToDevice, stream_.get()));
    }
    if (memory_ == Memory::plain && input_.used != 0) {
        FRAGMEND_CUDA_TRY(cudaMemcpyAsync(input_.device.data(), input_.host.data(), input_.used,
                                          cudaMemcpyHostToDevice, stream_.get()));
    }
    return {};
}

Status Slot::queue_streams() {
    if (streams_.count == 0) return {};
    FRAGMEND_CUDA_TRY(cudaEventRecord(readable_.get(), stream_.get()));
    FRAGMEND_CUDA_TRY(cudaStreamWaitEvent(digesting_.get(), readable_.get()));
    FRAGMEND_CUDA_TRY(launch_streams(streams_, digesting_.get()));
    FRAGMEND_CUDA_TRY(cudaEventRecord(digested_.get(), digesting_.get()));
    return {};
}

Status Slot::queue_groups(unsigned blocks_max, bool checks) {
    for (const kernels::TaskGroup& group : work_.groups()) {
        if (group.check != checks) continue;
        GroupArrays of_group = arrays_;
        of_group.tasks += group.first_task;
        of_group.first_tiles += group.first_task;
        FRAGMEND_CUDA_TRY(launch_group(group, of_group, blocks_max, stream_.get()));
    }
    return {};
}

Status Slot::queue_kernels(unsigned blocks_max) {
    // Streams of sources alone run beside the decodes; outputs must be there before.
    const bool late = work_.digests_outputs();
    Status status = late ? Status() : queue_streams();
    if (status.ok()) status = queue_groups(blocks_max, false);
    if (status.ok() && late) status = queue_streams();
    if (status.ok()) status = queue_groups(blocks_max, true);
    if (!status.ok()) return status;
    if (streams_.count != 0) FRAGMEND_CUDA_TRY(cudaStreamWaitEvent(stream_.get(), digested_.get()));
    return {};
}

Status Slot::queue_downloads() {
    if (control_.used != returned_first_) {
        FRAGMEND_CUDA_TRY(cudaMemcpyAsync(
            control_.host.data() + returned_first_, control_.device.data() + returned_first_,
            control_.used - returned_first_, cudaMemcpyDeviceToHost, stream_.get()));
    }
    if (memory_ == Memory::plain && output_.used != 0) {
        FRAGMEND_CUDA_TRY(cudaMemcpyAsync(output_.host.data(), output_.device.data(), output_.used,
                                          cudaMemcpyDeviceToHost, stream_.get()));
    }
    for (const Place<std::uint8_t>& place : outputs_) {
        if (memory_ != Memory::pinned || place.bytes == 0) continue;
        const Status status = copy(place.memory, output_.device.data() + place.offset, place.bytes,
                                   cudaMemcpyDeviceToHost);
        if (!status.ok()) return status;
    }
    return queue_run(cudaMemcpyDeviceToHost);
}

Status Slot::finished(bool& done) {
    const cudaError_t answer = cudaEventQuery(done_.get());
    done = answer == cudaSuccess;
    if (answer == cudaErrorNotReady) {
        (void)cudaGetLastError();
        return {};
    }
    return to_status(answer);
}

void Slot::finish() {
    const std::uint8_t* returned = control_.host.data() + returned_first_;
    for (std::size_t i = 0; i < work_.states().size(); ++i) {
        std::memcpy(work_.states()[i], returned + i * sizeof(Md5State), sizeof(Md5State));
    }
    const std::uint8_t* differences = control_.host.data() + differences_first_;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        std::uint32_t difference = 0;
        std::memcpy(&difference, differences + i * sizeof difference, sizeof difference);
        items_[i].wrong = difference != 0;
    }
    for (const Place<std::uint8_t>& place : outputs_) {
        if (memory_ == Memory::plain && place.bytes != 0)
            std::memcpy(place.memory, output_.host.data() + place.offset, place.bytes);
    }
}

}  // namespace fragmend::cuda
