// fragmend_kernel_bench: bytes a second of each kernel beside the copy bandwidth of the same run.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "kernels/bench/device_bench.hpp"

int main(int argc, char** argv) {
    fragmend::bench::BenchOptions options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--json") {
            options.json = true;
        } else if (argument == "--quick") {
            options.quick = true;
        } else if (argument == "--profile") {
            options.profile = true;
        } else if (argument == "--seconds" && i + 1 < argc) {
            options.seconds = std::atoi(argv[++i]);
        } else {
            std::printf("usage: %s [--json] [--quick | --profile] [--seconds N]\n", argv[0]);
            return argument == "--help" ? 0 : 2;
        }
    }
#ifdef FRAGMEND_KERNELS_CUDA
    return fragmend::bench::run_device_bench(options);
#else
    std::printf("%s\n",
                options.json ? "{\"error\": \"built without CUDA\"}" : "built without CUDA");
    return 2;
#endif
}
