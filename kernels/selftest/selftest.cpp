// fragmend_selftest: the whole case table on a device, or on this CPU emulating one.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "kernels/api/cpu_engine.hpp"
#include "kernels/selftest/case_table.hpp"
#include "kernels/selftest/lost_device.hpp"
#include "kernels/selftest/md5_cases.hpp"
#include "kernels/selftest/overlap_cases.hpp"
#include "kernels/selftest/tally.hpp"
#ifdef FRAGMEND_KERNELS_CUDA
#include "kernels/cuda/make_device_engine.hpp"
#endif

namespace fragmend::selftest {
namespace {

using kernels::Memory;
using Lost = std::vector<std::uint8_t>;

constexpr std::uint32_t wait_limit_ms = 60'000;
constexpr std::size_t arena_bytes = std::size_t{24} << 20;
constexpr std::size_t batch_cases_max = 512;

/// `--full` takes every set of losses where there are no more than this, else so many of them.
constexpr std::size_t losses_of_a_length_max = 2000;

struct Options {
    bool full = false;
    bool quick = false;
    bool lost_device = false;
    std::string_view backend = "auto";
    std::uint64_t seed = 11;
    std::uint64_t seconds = 0;  ///< No new case after these; 0: no limit.
};

/// When a run with `--seconds` begins no new case.
class Deadline {
  public:
    explicit Deadline(std::uint64_t seconds)
        : limited_(seconds != 0),
          end_(std::chrono::steady_clock::now() + std::chrono::seconds(seconds)) {}
    bool passed() const { return limited_ && std::chrono::steady_clock::now() >= end_; }

  private:
    bool limited_;
    std::chrono::steady_clock::time_point end_;
};

/// Collects cases of any shapes and runs them together, once for each kind of memory.
class Batch {
  public:
    Batch(kernels::Engine& engine, bool on_device, Tally& tally)
        : engine_(engine),
          arena_(engine, arena_bytes),
          memories_(on_device ? std::vector{Memory::plain, Memory::pinned, Memory::mapped}
                              : std::vector{Memory::mapped}),
          tally_(tally) {}

    bool usable() const { return arena_.usable(); }
    std::span<const Memory> memories() const { return memories_; }

    void add(std::shared_ptr<const Stripe> stripe, const Lost& lost, const Variation& variation,
             const std::string& name) {
        const bool full = cases_.size() == batch_cases_max;
        if (full || arena_.left() < Case::bytes_max(*stripe)) run();
        auto made = Case::make(*stripe, lost, variation, arena_, name);
        if (!made) {
            ++undetermined_;
            return;
        }
        cases_.push_back(std::move(made));
        stripes_.push_back(std::move(stripe));
    }

    void run() {
        for (Memory memory : memories_) {
            run_with(memory);
        }
        cases_.clear();
        stripes_.clear();
        arena_.clear();
    }

    std::uint64_t undetermined() const { return undetermined_; }

  private:
    void run_with(Memory memory) {
        std::vector<kernels::Item> items;
        for (const auto& one : cases_) {
            one->reset();
            items.push_back(one->item());
        }
        kernels::Ticket ticket;
        kernels::Status status = engine_.submit(items, memory, ticket);
        if (status.ok()) status = engine_.wait(ticket, wait_limit_ms);
        if (!status.ok())
            std::fprintf(stderr, "batch: %s: %s\n", kernels::name(status.code), status.detail);
        for (std::size_t i = 0; i < cases_.size(); ++i) {
            tally_.count(status.ok() && cases_[i]->verify(items[i].wrong), cases_[i]->name());
        }
    }

    kernels::Engine& engine_;
    Arena arena_;
    std::vector<Memory> memories_;
    Tally& tally_;
    std::vector<std::unique_ptr<Case>> cases_;
    std::vector<std::shared_ptr<const Stripe>> stripes_;  ///< What the cases expect.
    std::uint64_t undetermined_ = 0;
};

std::string describe(const Shape& shape, std::size_t bytes, const Lost& lost,
                     const Variation& variation) {
    std::string text = name(shape) + ", " + std::to_string(bytes) + " bytes, lost";
    for (std::uint8_t index : lost) {
        text += ' ';
        text += std::to_string(index);
    }
    if (!variation.aligned) text += ", misaligned";
    if (variation.technique == kernels::Technique::reference) text += ", reference";
    if (variation.spoil_check) text += ", spoiled check";
    return text;
}

/// Every set of 1 to `count_max` lost fragments of n.
std::vector<Lost> all_losses(int n, int count_max) {
    std::vector<Lost> sets;
    for (int first = 0; first < n; ++first) {
        sets.push_back({static_cast<std::uint8_t>(first)});
    }
    for (std::size_t i = 0; i < sets.size(); ++i) {
        if (sets[i].size() == static_cast<std::size_t>(count_max)) break;
        const Lost set = sets[i];
        for (int next = set.back() + 1; next < n; ++next) {
            sets.push_back(set);
            sets.back().push_back(static_cast<std::uint8_t>(next));
        }
    }
    return sets;
}

class CaseTable {
  public:
    CaseTable(Batch& batch, const Options& options, const Deadline& deadline)
        : batch_(batch),
          full_(options.full),
          quick_(options.quick),
          deadline_(deadline),
          random_(options.seed) {}

    /// False when the time ran out within the shape.
    bool run(const Shape& shape) {
        const auto generator = gf::generator(shape.code, shape.k, shape.m);
        if (!generator) return true;
        const int n = shape.k + shape.m;
        const int lost_max = std::min(shape.m, static_cast<int>(kernels::outputs_max));
        const std::vector<Lost> losses = all_losses(n, lost_max);
        for (std::size_t bytes : lengths(shape.code)) {
            // Long ones for the most common policies only, so that a quick run is quick.
            if (bytes > 10'000 && !full_ && shape.k != 4 && shape.k != 10) continue;
            if (quick_ && bytes > 5'000) continue;
            const auto stripe =
                std::make_shared<const Stripe>(make_stripe(shape, *generator, bytes, random_));
            const bool every = full_ && bytes <= 80;
            const std::size_t count = bytes > 10'000 || quick_ ? 1 : 4;
            if (every && !run_every(shape, stripe, losses)) return false;
            // One for each number of lost fragments, then any.
            for (std::size_t i = 0; !every && i < count; ++i) {
                if (deadline_.passed()) return false;
                const std::size_t size = i % static_cast<std::size_t>(lost_max) + 1;
                Lost lost = losses[random_() % losses.size()];
                while (lost.size() != size) {
                    lost = losses[random_() % losses.size()];
                }
                add(shape, stripe, lost, i);
            }
        }
        return true;
    }

  private:
    /// All of `losses`, or a sample when they are too many.
    bool run_every(const Shape& shape, const std::shared_ptr<const Stripe>& stripe,
                   const std::vector<Lost>& losses) {
        const std::size_t count = std::min(losses.size(), losses_of_a_length_max);
        for (std::size_t i = 0; i < count; ++i) {
            if (deadline_.passed()) return false;
            const bool all = count == losses.size();
            add(shape, stripe, losses[all ? i : random_() % losses.size()], i);
        }
        return true;
    }

    void add(const Shape& shape, const std::shared_ptr<const Stripe>& stripe, const Lost& lost,
             std::size_t turn) {
        const std::size_t bytes = stripe->fragments[0].size();
        for (bool aligned : {true, false}) {
            Variation variation;
            variation.aligned = aligned;
            batch_.add(stripe, lost, variation, describe(shape, bytes, lost, variation));
        }
        Variation other;
        other.aligned = turn % 2 == 0;
        if (bytes <= 81) {
            other.technique = kernels::Technique::reference;
            batch_.add(stripe, lost, other, describe(shape, bytes, lost, other));
        }
        // In so few bytes a wrong coefficient could meet nothing but zeros.
        if (turn == 0 && bytes >= 16) {
            other.spoil_check = true;
            batch_.add(stripe, lost, other, describe(shape, bytes, lost, other));
        }
    }

    Batch& batch_;
    bool full_;
    bool quick_;
    const Deadline& deadline_;
    std::mt19937_64 random_;
};

kernels::Limits engine_limits() {
    kernels::Limits limits;
    limits.batches_in_flight = 4;
    limits.batch_rows_max = 8 * batch_cases_max;
    return limits;
}

std::unique_ptr<kernels::Engine> make_engine(const Options& options, bool& on_device) {
    const kernels::Limits limits = engine_limits();
    on_device = false;
#ifdef FRAGMEND_KERNELS_CUDA
    if (options.backend != "cpu") {
        std::unique_ptr<kernels::Engine> engine;
        const kernels::Status status = cuda::make_device_engine(0, limits, engine);
        if (status.ok()) {
            on_device = true;
            return engine;
        }
        std::printf("device 0: %s: %s\n", kernels::name(status.code), status.detail);
    }
#endif
    if (options.backend == "device") return nullptr;
    return std::make_unique<kernels::CpuEngine>(limits);
}

void say_tally(const char* when, const Tally& tally) {
    std::printf("%s: %llu passed, %llu failed\n", when,
                static_cast<unsigned long long>(tally.passed()),
                static_cast<unsigned long long>(tally.failed()));
}

int lose_device() {
    Tally tally;
#ifdef FRAGMEND_KERNELS_CUDA
    run_lost_device(
        [](std::unique_ptr<kernels::Engine>& engine) {
            return cuda::make_device_engine(0, engine_limits(), engine);
        },
        tally);
#endif
    say_tally("in all", tally);
    if (tally.passed() == 0) return 2;
    return tally.failed() == 0 ? 0 : 1;
}

int run(const Options& options) {
    bool on_device = false;
    const auto engine = make_engine(options, on_device);
    if (!engine) {
        std::printf("no device to test\n");
        return 2;
    }
    std::printf("engine: %s, seed %llu\n", engine->name(),
                static_cast<unsigned long long>(options.seed));
    const auto start = std::chrono::steady_clock::now();
    Tally tally;
    {
        Batch batch(*engine, on_device, tally);
        if (!batch.usable()) {
            std::printf("no page-locked memory\n");
            return 1;
        }
        const Deadline deadline(options.seconds);
        CaseTable table(batch, options, deadline);
        const std::vector<Shape> shapes = all_shapes();
        std::size_t done = 0;
        while (done < shapes.size() && table.run(shapes[done])) {
            ++done;
            if (options.full) say_tally("so far", tally);
        }
        batch.run();
        if (done < shapes.size())
            std::printf("out of time in shape %zu of %zu: %s\n", done + 1, shapes.size(),
                        name(shapes[done]).c_str());
        run_overlap_cases(*engine, batch.memories(), tally);
        std::printf("%llu sets of survivors determine nothing\n",
                    static_cast<unsigned long long>(batch.undetermined()));
    }
    run_md5_cases(*engine, tally);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%.1f s\n", seconds.count());
    say_tally("in all", tally);
    return tally.failed() == 0 && tally.passed() != 0 ? 0 : 1;
}

}  // namespace
}  // namespace fragmend::selftest

int main(int argc, char** argv) {
    fragmend::selftest::Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const bool has_value = i + 1 < argc;
        if (argument == "--full") {
            options.full = true;
        } else if (argument == "--quick") {
            options.quick = true;
        } else if (argument == "--lost-device") {
            options.lost_device = true;
        } else if (argument == "--backend" && has_value) {
            options.backend = argv[++i];
        } else if (argument == "--seed" && has_value) {
            options.seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (argument == "--seconds" && has_value) {
            options.seconds = std::strtoull(argv[++i], nullptr, 10);
        } else {
            std::printf(
                "usage: %s [--full | --quick] [--backend auto|cpu|device] [--seed N] "
                "[--seconds N]\n       %s --lost-device\n",
                argv[0], argv[0]);
            return argument == "--help" ? 0 : 2;
        }
    }
    // Each line at once, so that a run that is ended from outside leaves what it found.
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    if (options.lost_device) return fragmend::selftest::lose_device();
    return fragmend::selftest::run(options);
}
