// fragmend_kernel_bench: bytes a second of each kernel beside the copy bandwidth of the same run.
#include <cstdio>
#include <string_view>

#ifdef FRAGMEND_KERNELS_CUDA
#include "kernels/bench/device_bench.hpp"
#endif

int main(int argc, char** argv) {
    bool json = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument != "--json") {
            std::printf("usage: %s [--json]\n", argv[0]);
            return argument == "--help" ? 0 : 2;
        }
        json = true;
    }
#ifdef FRAGMEND_KERNELS_CUDA
    return fragmend::bench::run_device_bench(json);
#else
    std::printf("%s\n", json ? "{\"error\": \"built without CUDA\"}" : "built without CUDA");
    return 2;
#endif
}
