// Which errors end a device, and which say that there is none.
#include "kernels/cuda/check.hpp"

#include <gtest/gtest.h>

namespace fragmend::cuda {
namespace {

using kernels::StatusCode;

TEST(Check, ErrorsAfterWhichTheContextIsDead) {
    for (const cudaError_t error :
         {cudaErrorIllegalAddress, cudaErrorECCUncorrectable, cudaErrorContained,
          cudaErrorTensorMemoryLeak, cudaErrorExternalDevice}) {
        EXPECT_EQ(to_status(error).code, StatusCode::device_lost) << error;
    }
}

TEST(Check, NoCodeForADeviceIsNoDevice) {
    for (const cudaError_t error :
         {cudaErrorNoDevice, cudaErrorNoKernelImageForDevice, cudaErrorInvalidDeviceFunction}) {
        EXPECT_EQ(to_status(error).code, StatusCode::no_device) << error;
    }
}

TEST(Check, OthersAreTheCallsAlone) {
    EXPECT_EQ(to_status(cudaErrorInvalidValue).code, StatusCode::device_error);
    EXPECT_EQ(to_status(cudaErrorMemoryAllocation).code, StatusCode::out_of_memory);
    EXPECT_TRUE(to_status(cudaSuccess).ok());
}

}  // namespace
}  // namespace fragmend::cuda
