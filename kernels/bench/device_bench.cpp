// Measuring decode and MD5 on a device, data in device memory and data in host memory.
#include "kernels/bench/device_bench.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "kernels/bench/device_pattern.hpp"
#include "kernels/bench/work.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/make_device_engine.hpp"
#include "kernels/cuda/owners.hpp"
#include "kernels/gf/decode_row.hpp"
#include "kernels/gf/generator.hpp"

namespace fragmend::bench {
namespace {

using kernels::Memory;
using kernels::Status;

constexpr std::uint32_t wait_limit_ms = 60'000;
constexpr int repeats = 7;
constexpr std::size_t copy_bytes = std::size_t{1} << 30;
constexpr std::size_t source_bytes_a_batch = std::size_t{56} << 20;
constexpr std::size_t fragment_lengths[] = {1024, 8192, 104858};

struct Scheme {
    const char* name;
    gf::Code code;
    int k;
    int m;
};

constexpr Scheme schemes[] = {
    {"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 4, 2},
    {"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 10, 4},
    {"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 15, 4},
    {"liberasurecode_rs_vand", gf::Code::liberasurecode_rs_vand, 10, 4},
    {"jerasure_rs_cauchy", gf::Code::jerasure_rs_cauchy, 10, 4},
    {"flat_xor_hd_4", gf::Code::flat_xor_hd_4, 10, 5},
};

/// The fastest of some runs, in seconds; below zero after an error.
template <class Run>
double best_seconds(Run run) {
    double best = -1;
    for (int i = 0; i < repeats; ++i) {
        const auto start = std::chrono::steady_clock::now();
        if (!run()) return -1;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (best < 0 || took.count() < best) best = took.count();
    }
    return best;
}

struct Row {
    std::string what;
    std::string where;
    std::size_t fragment_bytes = 0;
    std::size_t bytes_in = 0;
    std::size_t bytes_out = 0;
    double seconds = 0;
    double limit = 0;  ///< Bytes a second of the copy that bounds it, moving the same way.
};

class Report {
  public:
    explicit Report(bool json) : json_(json) { std::printf("%s", json_ ? "{\"rows\": [" : ""); }
    void add(const Row& row) {
        const auto moved = static_cast<double>(row.bytes_in + row.bytes_out);
        const double rate = static_cast<double>(row.bytes_in) / row.seconds / 1e9;
        const double part = 100 * moved / row.seconds / row.limit;
        if (json_) {
            std::printf(
                "%s\n {\"what\": \"%s\", \"where\": \"%s\", \"fragment_bytes\": %zu, "
                "\"bytes_in\": %zu, \"bytes_out\": %zu, \"seconds\": %.6g, "
                "\"gb_in_per_s\": %.4g, \"percent_of_copy\": %.4g}",
                first_ ? "" : ",", row.what.c_str(), row.where.c_str(), row.fragment_bytes,
                row.bytes_in, row.bytes_out, row.seconds, rate, part);
        } else {
            std::printf("%-44s %-7s %7zu B  %9.2f GB/s in  %5.1f %% of copy\n", row.what.c_str(),
                        row.where.c_str(), row.fragment_bytes, rate, part);
        }
        first_ = false;
    }
    void finish(const char* device, double device_copy, double host_copy) {
        if (json_) {
            std::printf(
                "\n], \"device\": \"%s\", \"device_copy_bytes_per_s\": %.4g, "
                "\"host_to_device_bytes_per_s\": %.4g}\n",
                device, device_copy, host_copy);
        } else {
            std::printf("%s: copy within the device %.1f GB/s (read and written), to it %.1f\n",
                        device, device_copy / 1e9, host_copy / 1e9);
        }
    }

  private:
    bool json_;
    bool first_ = true;
};

/// Read and written bytes a second of a copy within the device.
Status measure_device_copy(double& rate) {
    cuda::DeviceBuffer from;
    cuda::DeviceBuffer to;
    cuda::Stream stream;
    if (Status s = from.create(copy_bytes); !s.ok()) return s;
    if (Status s = to.create(copy_bytes); !s.ok()) return s;
    if (Status s = stream.create(); !s.ok()) return s;
    const double seconds = best_seconds([&] {
        return cudaMemcpyAsync(to.data(), from.data(), copy_bytes, cudaMemcpyDeviceToDevice,
                               stream.get()) == cudaSuccess &&
               cudaStreamSynchronize(stream.get()) == cudaSuccess;
    });
    if (seconds < 0) return cuda::to_status(cudaPeekAtLastError());
    rate = 2.0 * static_cast<double>(copy_bytes) / seconds;
    return {};
}

/// Bytes a second from page-locked memory.
Status measure_host_copy(double& rate) {
    constexpr std::size_t bytes = copy_bytes / 4;
    cuda::PinnedBuffer from;
    cuda::DeviceBuffer to;
    cuda::Stream stream;
    if (Status s = from.create(bytes); !s.ok()) return s;
    if (Status s = to.create(bytes); !s.ok()) return s;
    if (Status s = stream.create(); !s.ok()) return s;
    const double seconds = best_seconds([&] {
        return cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyHostToDevice,
                               stream.get()) == cudaSuccess &&
               cudaStreamSynchronize(stream.get()) == cudaSuccess;
    });
    if (seconds < 0) return cuda::to_status(cudaPeekAtLastError());
    rate = static_cast<double>(bytes) / seconds;
    return {};
}

/// Says what went wrong, if it did.
bool worked(const Status& status) {
    if (!status.ok()) std::fprintf(stderr, "%s: %s\n", kernels::name(status.code), status.detail);
    return status.ok();
}

/// Batches of the same work on all slots at once; seconds of one.
double measure(kernels::Engine& engine, std::vector<Work>& works, Memory memory) {
    const double seconds = best_seconds([&] {
        std::vector<kernels::Ticket> tickets(works.size());
        for (std::size_t i = 0; i < works.size(); ++i) {
            if (!worked(engine.submit(works[i].items, memory, tickets[i]))) return false;
        }
        return std::ranges::all_of(tickets, [&](kernels::Ticket ticket) {
            return worked(engine.wait(ticket, wait_limit_ms));
        });
    });
    return seconds < 0 ? seconds : seconds / static_cast<double>(works.size());
}

struct Machine {
    kernels::Engine& engine;
    std::uint8_t* device_slab;
    std::uint8_t* host_slab;
    std::size_t slab_bytes;  ///< Of one batch; both slabs hold one for each batch in flight.
    cudaStream_t stream;     ///< For filling and comparing.
    double device_copy;
    double host_copy;
};

/// Whether the runs that were timed left the right bytes, and no other, in all their outputs.
bool right(const Machine& machine, const std::uint8_t* slab, const std::vector<Work>& works,
           const Row& row) {
    for (const Work& work : works) {
        std::uint64_t place = 0;
        if (!worked(compare_slab(slab, work.expected, machine.stream, place))) return false;
        if (place != work.expected.size()) {
            std::fprintf(stderr, "%s, %s, %zu B: output byte %llu is wrong\n", row.what.c_str(),
                         row.where.c_str(), row.fragment_bytes,
                         static_cast<unsigned long long>(place));
            return false;
        }
        slab += machine.slab_bytes;
    }
    return true;
}

bool run_shape(const Machine& machine, const Scheme& scheme, int lost, std::size_t bytes,
               Report& report) {
    const auto generator = gf::generator(scheme.code, scheme.k, scheme.m);
    if (!generator) return true;
    std::vector<std::uint8_t> survivors;
    std::vector<std::uint8_t> wanted;
    for (int i = 0; i < scheme.k + scheme.m; ++i) {
        (i < lost ? wanted : survivors).push_back(static_cast<std::uint8_t>(i));
    }
    if (gf::any_k_suffice(scheme.code)) survivors.resize(static_cast<std::size_t>(scheme.k));
    const auto coefficients = gf::decode_rows(*generator, survivors, wanted);
    if (!coefficients) return true;
    const auto rows = kernels::Rows::make(*coefficients);
    if (!rows) return true;
    if (bytes % rows->granule_bytes() != 0) bytes = (bytes / 4096 + 1) * 4096;

    struct Place {
        const char* name;
        Memory memory;
        std::uint8_t* slab;
        bool digested;
        double limit;
    };
    // Over the bus only the way up is counted: the way down runs beside it.
    const Place places[] = {
        {"device", Memory::mapped, machine.device_slab, false, machine.device_copy},
        {"mapped", Memory::mapped, machine.host_slab, false, machine.host_copy},
        {"pinned", Memory::pinned, machine.host_slab, false, machine.host_copy},
        {"md5", Memory::pinned, machine.host_slab, true, machine.host_copy},
    };
    for (const Place& place : places) {
        std::vector<Work> works;
        for (std::uint32_t i = 0; i < machine.engine.limits().batches_in_flight; ++i) {
            std::uint8_t* slab = place.slab + i * machine.slab_bytes;
            works.push_back(lay_out(*rows, *coefficients, machine.engine.limits(),
                                    source_bytes_a_batch, slab, bytes, i, place.digested));
            if (!worked(fill_slab(slab, works[i].expected, machine.stream))) return false;
        }
        Row row;
        row.what = std::string(scheme.name) + " " + std::to_string(scheme.k) + "+" +
                   std::to_string(scheme.m) + ", lost " + std::to_string(lost);
        row.where = place.name;
        row.fragment_bytes = bytes;
        row.bytes_in = works[0].sources.size() * bytes;
        if (place.slab == machine.device_slab) row.bytes_out = works[0].outputs.size() * bytes;
        row.limit = place.limit;
        row.seconds = measure(machine.engine, works, place.memory);
        if (row.seconds < 0 || !right(machine, place.slab, works, row)) return false;
        report.add(row);
    }
    return true;
}

int fail(const Status& status) {
    (void)worked(status);
    return status.code == kernels::StatusCode::no_device ? 2 : 1;
}

}  // namespace

int run_device_bench(bool json) {
    kernels::Limits limits;
    limits.batch_output_bytes_max = limits.batch_input_bytes_max;
    std::unique_ptr<kernels::Engine> engine;
    if (Status s = cuda::make_device_engine(0, limits, engine); !s.ok()) return fail(s);
    cuda::Stream stream;
    if (Status s = stream.create(); !s.ok()) return fail(s);
    Machine machine{*engine,      nullptr, nullptr, 2 * limits.batch_input_bytes_max,
                    stream.get(), 0,       0};
    if (Status s = measure_device_copy(machine.device_copy); !s.ok()) return fail(s);
    if (Status s = measure_host_copy(machine.host_copy); !s.ok()) return fail(s);
    cuda::DeviceBuffer device;
    cuda::PinnedBuffer host;
    const std::size_t slab_bytes = machine.slab_bytes * limits.batches_in_flight;
    if (Status s = device.create(slab_bytes); !s.ok()) return fail(s);
    if (Status s = host.create(slab_bytes); !s.ok()) return fail(s);
    machine.device_slab = device.data();
    machine.host_slab = host.data();

    Report report(json);
    for (const Scheme& scheme : schemes) {
        for (int lost : {1, 2, 4}) {
            if (lost > scheme.m) continue;
            for (std::size_t bytes : fragment_lengths) {
                if (run_shape(machine, scheme, lost, bytes, report)) continue;
                std::fprintf(stderr, "%s failed\n", scheme.name);
                return 1;
            }
        }
    }
    report.finish(engine->name(), machine.device_copy, machine.host_copy);
    return 0;
}

}  // namespace fragmend::bench
