// Seconds that the device itself counts between events of a stream.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/owners.hpp"

namespace fragmend::bench {

class TimedEvent : public cuda::Owner<cudaEvent_t, cudaEventDestroy> {
  public:
    kernels::Status create() {
        FRAGMEND_CUDA_TRY(cudaEventCreate(slot()));
        return {};
    }
};

/// The median of `runs` launches, queued one behind the other after two that warm up; `launch`
/// queues one on `stream` and returns a cudaError_t.
template <class Launch>
kernels::Status median_seconds(cudaStream_t stream, int runs, Launch launch, double& seconds) {
    std::vector<TimedEvent> marks(static_cast<std::size_t>(runs) + 1);
    for (TimedEvent& mark : marks) {
        if (kernels::Status s = mark.create(); !s.ok()) return s;
    }
    for (int i = 0; i < 2; ++i) {
        FRAGMEND_CUDA_TRY(launch());
    }
    for (std::size_t i = 0; i < marks.size(); ++i) {
        if (i != 0) FRAGMEND_CUDA_TRY(launch());
        FRAGMEND_CUDA_TRY(cudaEventRecord(marks[i].get(), stream));
    }
    FRAGMEND_CUDA_TRY(cudaStreamSynchronize(stream));
    std::vector<double> all;
    for (std::size_t i = 1; i < marks.size(); ++i) {
        float ms = 0;
        FRAGMEND_CUDA_TRY(cudaEventElapsedTime(&ms, marks[i - 1].get(), marks[i].get()));
        all.push_back(static_cast<double>(ms) / 1e3);
    }
    std::ranges::sort(all);
    seconds = all[all.size() / 2];
    return {};
}

}  // namespace fragmend::bench
