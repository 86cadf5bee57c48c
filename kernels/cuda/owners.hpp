// What owns a stream, an event, device memory and page-locked memory.
//
// Each is move-only, empty by default, made by `create` and gone with its owner. None may outlive
// main: the runtime may be torn down before a static. Destructors ignore errors, since a lost
// device gives one for every release.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/api/status.hpp"

namespace fragmend::cuda {

/// Holds one handle of type `Handle` and frees it with `release`.
template <class Handle, cudaError_t (*release)(Handle)>
class Owner {
  public:
    Owner() = default;
    Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
    Owner& operator=(Owner&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, Handle{});
        }
        return *this;
    }
    ~Owner() { reset(); }

    Handle get() const { return handle_; }

  protected:
    /// Where a create call puts its handle; the owner is empty then.
    Handle* slot() {
        reset();
        return &handle_;
    }

  private:
    void reset() {
        if (handle_ != Handle{}) (void)release(std::exchange(handle_, Handle{}));
    }

    Handle handle_{};
};

/// A stream that does not wait for the default one, which nothing here uses.
class Stream : public Owner<cudaStream_t, cudaStreamDestroy> {
  public:
    kernels::Status create();
};

/// An event for order and for waiting, without times.
class Event : public Owner<cudaEvent_t, cudaEventDestroy> {
  public:
    kernels::Status create();
};

/// Memory of the current device, at least 256-byte aligned.
class DeviceBuffer : public Owner<void*, cudaFree> {
  public:
    kernels::Status create(std::size_t bytes);
    std::uint8_t* data() const { return static_cast<std::uint8_t*>(get()); }
};

/// Page-locked host memory that the device can also read in place.
class PinnedBuffer : public Owner<void*, cudaFreeHost> {
  public:
    kernels::Status create(std::size_t bytes);
    std::uint8_t* data() const { return static_cast<std::uint8_t*>(get()); }
};

}  // namespace fragmend::cuda
