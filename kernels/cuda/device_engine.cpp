// Slots, tickets and the end of a device.
#include "kernels/cuda/device_engine.hpp"

#include <chrono>
#include <thread>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/context_use.hpp"
#include "kernels/cuda/make_device_engine.hpp"
#include "kernels/cuda/tuning.hpp"

namespace fragmend::cuda {

using kernels::Status;
using kernels::StatusCode;
using kernels::Ticket;

namespace {

/// The oldest device that code is written for; what the binary holds is asked for each device.
constexpr int compute_capability_min = 8;

/// The one for this process, as contexts are.
ContextUse& contexts() {
    static ContextUse all;
    return all;
}

}  // namespace

DeviceEngine::DeviceEngine(int device, const kernels::Limits& limits)
    : device_(device), limits_(limits), tickets_(limits.batches_in_flight) {}

DeviceEngine::~DeviceEngine() {
    slots_.clear();
    if (opened_) contexts().close(device_, lost_);
}

Status DeviceEngine::create() {
    opened_ = true;
    const bool reset = contexts().open(device_);
    if (reset) {
        (void)to_status(cudaSetDevice(device_));
        (void)to_status(cudaDeviceReset());
    }
    const Status status = note(set_up());
    // What a reset does not bring back only a new process does.
    if (reset && status.code == StatusCode::device_lost)
        return {StatusCode::no_device, 0, "its context stays dead until the program starts anew"};
    return status;
}

Status DeviceEngine::set_up() {
    int count = 0;
    FRAGMEND_CUDA_TRY(cudaGetDeviceCount(&count));
    if (device_ < 0 || device_ >= count) return {StatusCode::no_device, 0, "no such device"};
    FRAGMEND_CUDA_TRY(cudaSetDevice(device_));
    cudaDeviceProp properties{};
    FRAGMEND_CUDA_TRY(cudaGetDeviceProperties(&properties, device_));
    if (properties.major < compute_capability_min)
        return {StatusCode::no_device, 0, "compute capability below 8.0"};
    FRAGMEND_CUDA_TRY(find_code());
    name_ = properties.name;
    blocks_max_ = static_cast<unsigned>(properties.multiProcessorCount) *
                  tuning::decode_blocks_a_multiprocessor;
    for (std::uint32_t i = 0; i < limits_.batches_in_flight; ++i) {
        slots_.push_back(std::make_unique<Slot>(limits_));
        if (Status status = slots_.back()->create(); !status.ok()) return status;
    }
    return {};
}

Status DeviceEngine::enter() const {
    if (lost_) return {StatusCode::device_lost, 0, "lost before"};
    FRAGMEND_CUDA_TRY(cudaSetDevice(device_));
    return {};
}

Status DeviceEngine::note(const Status& status) {
    if (status.code == StatusCode::device_lost) lost_ = true;
    return status;
}

Status DeviceEngine::submit(std::span<kernels::Item> items, kernels::Memory memory,
                            Ticket& ticket) {
    if (Status status = enter(); !status.ok()) return note(status);
    const auto acquired = tickets_.acquire();
    if (!acquired) return {StatusCode::busy, 0, "all batches are in flight"};
    const Status status = slots_[acquired->slot]->start(items, memory, blocks_max_);
    if (!status.ok()) {
        tickets_.release(*acquired);
        return note(status);
    }
    ticket = *acquired;
    return {};
}

Status DeviceEngine::wait(Ticket ticket, std::uint32_t limit_ms) {
    using Clock = std::chrono::steady_clock;
    if (!tickets_.claim(ticket)) return {StatusCode::bad_ticket, 0, "not in flight"};
    Slot& slot = *slots_[ticket.slot];
    const Clock::time_point start = Clock::now();
    const Clock::time_point deadline = start + std::chrono::milliseconds(limit_ms);
    const Clock::time_point spin_end = start + std::chrono::microseconds(tuning::spin_us);
    Status status = enter();
    for (bool done = false; status.ok();) {
        status = slot.finished(done);
        if (!status.ok()) break;
        if (done) {
            slot.finish();
            break;
        }
        const Clock::time_point now = Clock::now();
        if (now >= deadline) {
            tickets_.unclaim(ticket);
            return {StatusCode::timed_out, 0, "the batch still runs"};
        }
        if (now < spin_end) continue;
        std::this_thread::sleep_for(std::chrono::microseconds(tuning::poll_us));
    }
    tickets_.release(ticket);
    return note(status);
}

std::uint8_t* DeviceEngine::allocate_pinned(std::size_t bytes) {
    if (!enter().ok()) return nullptr;
    void* memory = nullptr;
    const cudaError_t error =
        cudaHostAlloc(&memory, bytes, cudaHostAllocPortable | cudaHostAllocMapped);
    return to_status(error).ok() ? static_cast<std::uint8_t*>(memory) : nullptr;
}

void DeviceEngine::free_pinned(std::uint8_t* memory) {
    (void)to_status(cudaFreeHost(memory));
}

Status make_device_engine(int device, const kernels::Limits& limits,
                          std::unique_ptr<kernels::Engine>& engine) {
    auto made = std::make_unique<DeviceEngine>(device, limits);
    if (Status status = made->create(); !status.ok()) return status;
    engine = std::move(made);
    return {};
}

}  // namespace fragmend::cuda
