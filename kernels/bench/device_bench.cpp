// Measuring decode and MD5 on a device, data in device memory and data in host memory.
#include "kernels/bench/device_bench.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "kernels/bench/bare_kernel.hpp"
#include "kernels/bench/device_pattern.hpp"
#include "kernels/bench/engine_flow.hpp"
#include "kernels/bench/row.hpp"
#include "kernels/bench/shape.hpp"
#include "kernels/bench/timing.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/make_device_engine.hpp"

namespace fragmend::bench {
namespace {

using kernels::Memory;
using kernels::Status;
using kernels::StatusCode;

constexpr std::size_t fragment_bytes = 104'858;  ///< Of Swift's segments of 1 MiB in ten parts.

struct Sizes {
    std::size_t copy_bytes;      ///< Of the copies that give the limits.
    std::size_t resident_bytes;  ///< Sources of a batch in device memory.
    std::size_t host_bytes;      ///< Sources of a batch in host memory.
    int launches;
    int rounds;
};

constexpr Sizes full_sizes = {std::size_t{1} << 30, std::size_t{1} << 30, std::size_t{56} << 20, 20,
                              10};
constexpr Sizes quick_sizes = {std::size_t{4} << 20, std::size_t{7} << 18, std::size_t{7} << 18, 1,
                               4};

constexpr Sizes profile_sizes = {std::size_t{1} << 28, std::size_t{1} << 28, std::size_t{7} << 18,
                                 1, 4};

/// A way of a batch through the engine.
struct Way {
    const char* where;
    Memory memory;
    bool resident;  ///< Its slab is in device memory.
    bool digested;
};

constexpr Way by_engine = {"engine", Memory::mapped, true, false};
constexpr Way in_place = {"mapped", Memory::mapped, false, false};
constexpr Way pinned = {"pinned", Memory::pinned, false, false};
constexpr Way plain = {"plain", Memory::plain, false, false};
constexpr Way with_md5 = {"md5", Memory::pinned, false, true};
constexpr Way plain_with_md5 = {"md5 plain", Memory::plain, false, true};

class DeviceBench {
  public:
    explicit DeviceBench(const BenchOptions& options)
        : options_(options),
          sizes_(options.profile ? profile_sizes
                 : options.quick ? quick_sizes
                                 : full_sizes),
          end_(std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds)),
          report_(options.json) {}

    Status create();
    /// Rows in the order of their worth.
    int run();
    int run_profile();

  private:
    Status measure_copies();
    Status measure_fragment_copies(std::uint8_t* target, const std::uint8_t* source,
                                   std::size_t bytes);
    template <class Run>
    void for_schemes(std::initializer_list<unsigned> losses, std::size_t bytes, Run run);
    bool goes_on();
    Row row_of(const Shape& shape, const char* where) const;
    /// Notes an error in the row; whether there is none.
    bool worked(Row& row, const Status& status);
    bool prepare(Row& row, const Work& work, std::uint8_t* slab);
    void judge(Row& row, const Work& work, const std::uint8_t* slab);

    void bare(const Shape& shape);
    void sweep(const Shape& shape);
    void digests_alone(const Shape& shape, std::size_t source_bytes);
    void flow(const Shape& shape, const Way& way);
    void latency(const Shape& shape, std::size_t source_bytes, bool digested);

    const BenchOptions options_;
    const Sizes sizes_;
    const std::chrono::steady_clock::time_point end_;
    Report report_;
    std::unique_ptr<kernels::Engine> engine_;
    BareKernel bare_;
    cuda::Stream stream_;  ///< For filling, comparing and copies.
    cuda::DeviceBuffer device_;
    cuda::PinnedBuffer host_;
    std::size_t device_slab_bytes_ = 0;
    std::size_t host_slab_bytes_ = 0;
    double device_copy_ = 0;  ///< Bytes a second, read and written.
    double host_copy_ = 0;    ///< Bytes a second from page-locked memory.
    bool lost_ = false;
    bool stopped_ = false;
};

Status DeviceBench::create() {
    kernels::Limits limits;
    limits.batch_output_bytes_max = limits.batch_input_bytes_max;
    if (Status s = cuda::make_device_engine(0, limits, engine_); !s.ok()) return s;
    if (Status s = stream_.create(); !s.ok()) return s;
    if (Status s = bare_.create(); !s.ok()) return s;
    // No shape has more outputs than sources.
    device_slab_bytes_ = 2 * sizes_.resident_bytes;
    host_slab_bytes_ = 2 * sizes_.host_bytes;
    if (Status s = device_.create(device_slab_bytes_ * limits.batches_in_flight); !s.ok()) return s;
    if (Status s = host_.create(host_slab_bytes_ * limits.batches_in_flight); !s.ok()) return s;
    report_.say("device", engine_->name());
    return measure_copies();
}

Status DeviceBench::measure_copies() {
    cuda::DeviceBuffer from;
    cuda::DeviceBuffer to;
    cuda::PinnedBuffer host;
    const std::size_t bytes = sizes_.copy_bytes;
    const std::size_t host_bytes = bytes / 4;
    if (Status s = from.create(bytes); !s.ok()) return s;
    if (Status s = to.create(bytes); !s.ok()) return s;
    if (Status s = host.create(host_bytes); !s.ok()) return s;
    const auto rate = [&](void* target, const void* source, std::size_t copied, double& seconds) {
        return median_seconds(
            stream_.get(), sizes_.launches,
            [&] {
                return cudaMemcpyAsync(target, source, copied, cudaMemcpyDefault, stream_.get());
            },
            seconds);
    };
    double within = 0;
    double up = 0;
    double down = 0;
    // Of memory that was never written a copy may be faster, and an idle clock is slower.
    FRAGMEND_CUDA_TRY(cudaMemsetAsync(from.data(), 0x5a, bytes, stream_.get()));
    for (const int turn : {0, 1}) {
        double seconds = 0;
        if (Status s = rate(to.data(), from.data(), bytes, seconds); !s.ok()) return s;
        within = turn == 0 ? seconds : std::min(within, seconds);
    }
    if (Status s = rate(to.data(), host.data(), host_bytes, up); !s.ok()) return s;
    if (Status s = rate(host.data(), from.data(), host_bytes, down); !s.ok()) return s;
    device_copy_ = 2 * static_cast<double>(bytes) / within;
    host_copy_ = static_cast<double>(host_bytes) / up;
    report_.say("device_copy_bytes_per_s", device_copy_);
    report_.say("host_to_device_bytes_per_s", host_copy_);
    report_.say("device_to_host_bytes_per_s", static_cast<double>(host_bytes) / down);
    return measure_fragment_copies(to.data(), host.data(), host_bytes);
}

/// What the way up loses when fragments go one by one, and as one copy with a pitch.
Status DeviceBench::measure_fragment_copies(std::uint8_t* target, const std::uint8_t* source,
                                            std::size_t bytes) {
    constexpr std::size_t pitch = (fragment_bytes + 15) / 16 * 16;
    const std::size_t count = bytes / pitch;
    double single = 0;
    double joined = 0;
    const auto one_by_one = [&] {
        cudaError_t error = cudaSuccess;
        for (std::size_t i = 0; error == cudaSuccess && i < count; ++i) {
            error = cudaMemcpyAsync(target + i * pitch, source + i * pitch, fragment_bytes,
                                    cudaMemcpyHostToDevice, stream_.get());
        }
        return error;
    };
    const auto with_pitch = [&] {
        return cudaMemcpy2DAsync(target, pitch, source, pitch, fragment_bytes, count,
                                 cudaMemcpyHostToDevice, stream_.get());
    };
    if (Status s = median_seconds(stream_.get(), sizes_.launches, one_by_one, single); !s.ok())
        return s;
    if (Status s = median_seconds(stream_.get(), sizes_.launches, with_pitch, joined); !s.ok())
        return s;
    const auto moved = static_cast<double>(count * fragment_bytes);
    report_.say("fragments_one_by_one_bytes_per_s", moved / single);
    report_.say("fragments_with_pitch_bytes_per_s", moved / joined);
    return {};
}

bool DeviceBench::goes_on() {
    stopped_ = stopped_ || (options_.seconds > 0 && std::chrono::steady_clock::now() >= end_);
    return !lost_ && !stopped_;
}

Row DeviceBench::row_of(const Shape& shape, const char* where) const {
    Row row;
    row.scheme = shape.name;
    row.kernel = name(shape.rows.kernel());
    row.where = where;
    row.lost = shape.lost;
    row.fragment_bytes = shape.bytes;
    return row;
}

bool DeviceBench::worked(Row& row, const Status& status) {
    if (status.ok()) return true;
    // An engine with a batch that hangs is of no use to the rows behind it.
    lost_ = lost_ || status.code == StatusCode::device_lost || status.code == StatusCode::timed_out;
    row.error = std::string(kernels::name(status.code)) + ": " + status.detail;
    return false;
}

bool DeviceBench::prepare(Row& row, const Work& work, std::uint8_t* slab) {
    return worked(row, fill_slab(slab, work.expected, stream_.get()));
}

/// Whether the runs that were timed left the right bytes, and no other, in all their outputs.
void DeviceBench::judge(Row& row, const Work& work, const std::uint8_t* slab) {
    std::uint64_t place = 0;
    if (!worked(row, compare_slab(slab, work.expected, stream_.get(), place))) return;
    if (place != work.expected.size()) row.wrong = place;
}

void DeviceBench::bare(const Shape& shape) {
    if (!goes_on()) return;
    Row row = row_of(shape, "device");
    row.limit = device_copy_;
    Work work = lay_out(shape.rows, shape.coefficients, BareKernel::limits(), sizes_.resident_bytes,
                        device_.data(), shape.bytes, 1, false);
    row.bytes_in = work.sources.size() * shape.bytes;
    row.bytes_out = work.outputs.size() * shape.bytes;
    if (prepare(row, work, device_.data()) &&
        worked(row, bare_.time_decode(work, tuned_choice(), sizes_.launches, row.seconds))) {
        judge(row, work, device_.data());
    }
    report_.add(row);
}

void DeviceBench::sweep(const Shape& shape) {
    Work work = lay_out(shape.rows, shape.coefficients, BareKernel::limits(), sizes_.resident_bytes,
                        device_.data(), shape.bytes, 1, false);
    for (const std::uint32_t tile_columns : {128u, 256u, 512u, 1024u, 2048u}) {
        for (const unsigned blocks : {4u, 8u, 16u, 32u, 1u << 16}) {
            if (!goes_on()) return;
            Row row = row_of(shape, "sweep");
            row.limit = device_copy_;
            row.bytes_in = work.sources.size() * shape.bytes;
            row.bytes_out = work.outputs.size() * shape.bytes;
            row.more = {{"tile_columns", tile_columns}, {"blocks_a_multiprocessor", blocks}};
            (void)worked(
                row, bare_.time_decode(work, {tile_columns, blocks}, sizes_.launches, row.seconds));
            report_.add(row);
        }
    }
}

void DeviceBench::digests_alone(const Shape& shape, std::size_t source_bytes) {
    if (!goes_on()) return;
    Row row = row_of(shape, "md5 alone");
    row.limit = host_copy_;
    Work work = lay_out(shape.rows, shape.coefficients, BareKernel::limits(), source_bytes,
                        device_.data(), shape.bytes, 1, true);
    row.bytes_in = work.digests.size() * shape.bytes;
    row.more = {{"streams", static_cast<double>(work.digests.size())}};
    (void)worked(row, bare_.time_digests(work, sizes_.launches, row.seconds));
    report_.add(row);
}

void DeviceBench::flow(const Shape& shape, const Way& way) {
    if (!goes_on()) return;
    Row row = row_of(shape, way.where);
    // Over the bus only the way up is counted: the way down runs beside it.
    row.limit = way.resident ? device_copy_ : host_copy_;
    const std::size_t slab_bytes = way.resident ? device_slab_bytes_ : host_slab_bytes_;
    const std::size_t source_bytes = way.resident ? sizes_.resident_bytes : sizes_.host_bytes;
    std::uint8_t* const first = way.resident ? device_.data() : host_.data();
    std::vector<Work> works;
    bool ready = true;
    for (std::uint32_t i = 0; i < engine_->limits().batches_in_flight; ++i) {
        std::uint8_t* slab = first + i * slab_bytes;
        works.push_back(lay_out(shape.rows, shape.coefficients, engine_->limits(), source_bytes,
                                slab, shape.bytes, i, way.digested));
        ready = ready && prepare(row, works.back(), slab);
    }
    row.bytes_in = works[0].sources.size() * shape.bytes;
    if (way.resident) row.bytes_out = works[0].outputs.size() * shape.bytes;
    Flow flow;
    if (ready && worked(row, run_flow(*engine_, works, way.memory, sizes_.rounds, flow))) {
        row.seconds = flow.seconds;
        row.more = {{"seconds_with_ends", flow.seconds_with_ends},
                    {"submit_seconds", flow.submit_seconds}};
        for (std::size_t i = 0; i < works.size() && row.error.empty() && !row.wrong; ++i) {
            judge(row, works[i], first + i * slab_bytes);
            if (way.digested && !digests_are_right(works[i], sizes_.rounds))
                row.error = "wrong MD5";
        }
    }
    report_.add(row);
}

/// One batch at a time, as the router sees it.
void DeviceBench::latency(const Shape& shape, std::size_t source_bytes, bool digested) {
    if (!goes_on()) return;
    Row row = row_of(shape, digested ? "latency md5" : "latency");
    row.limit = host_copy_;
    std::vector<Work> works;
    works.push_back(lay_out(shape.rows, shape.coefficients, engine_->limits(), source_bytes,
                            host_.data(), shape.bytes, 1, digested));
    row.bytes_in = works[0].sources.size() * shape.bytes;
    Flow flow;
    if (prepare(row, works[0], host_.data()) &&
        worked(row, run_flow(*engine_, works, Memory::plain, 5 * sizes_.rounds, flow))) {
        row.seconds = flow.seconds;
        row.more = {{"submit_seconds", flow.submit_seconds}};
        judge(row, works[0], host_.data());
    }
    report_.add(row);
}

template <class Run>
void DeviceBench::for_schemes(std::initializer_list<unsigned> losses, std::size_t bytes, Run run) {
    for (const unsigned lost : losses) {
        // One of each field, in a quick run.
        for (const Scheme& scheme : schemes().first(options_.quick ? 4 : schemes().size())) {
            if (!goes_on() || lost > static_cast<unsigned>(scheme.m)) continue;
            if (const auto shape = make_shape(scheme, lost, bytes)) run(*shape);
        }
    }
}

/// The main kernels, three launches each with those that warm up.
int DeviceBench::run_profile() {
    for (const unsigned lost : {1u, 4u}) {
        for (std::size_t s = 0; s < 3; ++s) {
            if (const auto shape = make_shape(schemes()[s], lost, fragment_bytes)) bare(*shape);
        }
    }
    digests_alone(*make_shape(schemes()[0], 1, fragment_bytes), sizes_.resident_bytes);
    return report_.bad() == 0 ? 0 : 1;
}

int DeviceBench::run() {
    const auto bare_row = [this](const Shape& shape) { bare(shape); };
    const auto by = [this](const Way& way) {
        return [this, &way](const Shape& shape) { flow(shape, way); };
    };
    for_schemes({1, 4}, fragment_bytes, bare_row);
    for_schemes({1}, fragment_bytes, by(pinned));
    for_schemes({1}, fragment_bytes, by(with_md5));
    for_schemes({1}, fragment_bytes, by(plain));
    for_schemes({1}, fragment_bytes, by(plain_with_md5));
    for_schemes({1, 4}, fragment_bytes, by(by_engine));
    for_schemes({4}, fragment_bytes, by(pinned));
    for_schemes({4}, fragment_bytes, by(with_md5));
    for (const std::size_t bytes : {std::size_t{8192}, std::size_t{1024}}) {
        for_schemes({1, 4}, bytes, bare_row);
    }
    for_schemes({1}, 8192, by(pinned));
    for_schemes({1}, 8192, by(plain_with_md5));
    for_schemes({1}, fragment_bytes, by(in_place));
    for_schemes({2}, fragment_bytes, bare_row);

    const auto common = make_shape(schemes()[0], 1, fragment_bytes);
    for (const std::size_t bytes :
         {sizes_.host_bytes, 3 * sizes_.host_bytes, sizes_.resident_bytes}) {
        digests_alone(*common, std::min(bytes, sizes_.resident_bytes));
    }
    for (const std::size_t bytes : {std::size_t{6'554}, fragment_bytes}) {
        for (const bool digested : {false, true}) {
            latency(*make_shape(schemes()[0], 1, bytes), 10 * (bytes + 16), digested);
        }
    }
    for (const unsigned lost : {1u, 4u}) {
        for (std::size_t s = 0; s < 3 && !options_.quick; ++s) {
            if (const auto shape = make_shape(schemes()[s], lost, fragment_bytes)) sweep(*shape);
        }
    }
    if (stopped_) report_.say("stopped", "out of time");
    report_.say("bad_rows", report_.bad());
    return report_.bad() == 0 ? 0 : 1;
}

}  // namespace

int run_device_bench(const BenchOptions& options) {
    DeviceBench bench(options);
    if (const Status status = bench.create(); !status.ok()) {
        std::fprintf(stderr, "%s: %s\n", kernels::name(status.code), status.detail);
        return status.code == StatusCode::no_device ? 2 : 1;
    }
    return options.profile ? bench.run_profile() : bench.run();
}

}  // namespace fragmend::bench
