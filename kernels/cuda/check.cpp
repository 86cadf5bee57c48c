// Which errors are sticky.
#include "kernels/cuda/check.hpp"

namespace fragmend::cuda {

using kernels::Status;
using kernels::StatusCode;

namespace {

StatusCode code_of(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return StatusCode::ok;
        case cudaErrorMemoryAllocation:
            return StatusCode::out_of_memory;
        case cudaErrorNoDevice:
        case cudaErrorInsufficientDriver:
        case cudaErrorInvalidDevice:
        case cudaErrorNoKernelImageForDevice:
        case cudaErrorInvalidDeviceFunction:
        case cudaErrorUnsupportedPtxVersion:
        case cudaErrorSystemDriverMismatch:
        case cudaErrorStubLibrary:
            return StatusCode::no_device;
        // The runtime's documentation of these says that the process's context cannot be used
        // again.
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchFailure:
        case cudaErrorLaunchTimeout:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorIllegalInstruction:
        case cudaErrorHardwareStackError:
        case cudaErrorAssert:
        case cudaErrorECCUncorrectable:
        case cudaErrorNvlinkUncorrectable:
        case cudaErrorContained:
        case cudaErrorTensorMemoryLeak:
        case cudaErrorExternalDevice:
        case cudaErrorDevicesUnavailable:
        case cudaErrorContextIsDestroyed:
        case cudaErrorCudartUnloading:
        case cudaErrorUnknown:
            return StatusCode::device_lost;
        default:
            return StatusCode::device_error;
    }
}

}  // namespace

Status to_status(cudaError_t error) {
    if (error == cudaSuccess) return {};
    (void)cudaGetLastError();
    return {code_of(error), 0, cudaGetErrorString(error)};
}

}  // namespace fragmend::cuda
