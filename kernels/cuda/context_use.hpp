// Who uses a device's context, which a process has once, and when it may be thrown away.
#pragma once

#include <map>
#include <mutex>

namespace fragmend::cuda {

/// An error that ends a context ends it for all engines of a device and for those made later; only
/// a reset of the device may bring it back, and that must not happen below an engine that is in
/// use. Thread-safe.
class ContextUse {
  public:
    /// Before an engine is made: whether the device has to be reset first.
    bool open(int device) {
        const std::lock_guard lock(mutex_);
        Use& use = uses_[device];
        const bool reset = use.lost && use.engines == 0;
        if (reset) use.lost = false;
        ++use.engines;
        return reset;
    }

    /// After an engine gave back all that it had. `lost`: it saw the context die.
    void close(int device, bool lost) {
        const std::lock_guard lock(mutex_);
        Use& use = uses_[device];
        --use.engines;
        use.lost = use.lost || lost;
    }

  private:
    struct Use {
        unsigned engines = 0;
        bool lost = false;
    };
    std::mutex mutex_;
    std::map<int, Use> uses_;
};

}  // namespace fragmend::cuda
