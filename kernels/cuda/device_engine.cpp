// Slots, tickets and the end of a device.
#include "kernels/cuda/device_engine.hpp"

#include <chrono>
#include <system_error>

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
    // Memory goes by the device that is current, if the runtime has to ask for one.
    if (opened_) (void)to_status(cudaSetDevice(device_));
    lines_.clear();
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
    FRAGMEND_CUDA_TRY(load_code());
    name_ = properties.name;
    const unsigned blocks_max = static_cast<unsigned>(properties.multiProcessorCount) *
                                tuning::decode_blocks_a_multiprocessor;
    for (std::uint32_t i = 0; i < limits_.batches_in_flight; ++i) {
        auto slot = std::make_unique<Slot>(limits_);
        if (Status status = slot->create(); !status.ok()) return status;
        try {
            lines_.push_back(std::make_unique<Line>(device_, blocks_max, std::move(slot)));
        } catch (const std::system_error&) {
            return {StatusCode::out_of_memory, 0, "a thread for the driver's calls"};
        }
    }
    return {};
}

Status DeviceEngine::note(const Status& status) {
    if (status.code == StatusCode::device_lost) lost_ = true;
    return status;
}

Status DeviceEngine::submit(std::span<kernels::Item> items, kernels::Memory memory,
                            Ticket& ticket) {
    if (lost_) return {StatusCode::device_lost, 0, "lost before"};
    const auto acquired = tickets_.acquire();
    if (!acquired) return {StatusCode::busy, 0, "all batches are in flight"};
    Line& line = *lines_[acquired->slot];
    if (const Status status = line.slot->gather(items, memory); !status.ok()) {
        tickets_.release(*acquired);
        return status;
    }
    line.driver.fly();
    ticket = *acquired;
    return {};
}

Status DeviceEngine::wait(Ticket ticket, std::uint32_t limit_ms) {
    if (!tickets_.claim(ticket)) return {StatusCode::bad_ticket, 0, "not in flight"};
    Line& line = *lines_[ticket.slot];
    const auto landed = line.driver.landed(std::chrono::milliseconds(limit_ms));
    if (!landed) {
        tickets_.unclaim(ticket);
        return {StatusCode::timed_out, 0, "the batch still runs"};
    }
    if (landed->ok()) line.slot->finish();
    tickets_.release(ticket);
    return note(*landed);
}

std::uint8_t* DeviceEngine::allocate_pinned(std::size_t bytes) {
    if (lost_ || !to_status(cudaSetDevice(device_)).ok()) return nullptr;
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
