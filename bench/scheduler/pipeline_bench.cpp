// What the pipeline reaches of what the machine can move, small objects per second, cost by count.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "bench/scheduler/pipeline.hpp"
#include "host/app/codec_backend.hpp"
#include "host/app/device_report.hpp"
#include "host/app/rebuild_bench_report.hpp"

namespace fragmend::bench {
namespace {

/// 104,858 bytes with the header, as of a 1 MiB segment in ten parts.
constexpr std::size_t large_fragment_bytes = 104'858;
constexpr std::size_t small_fragment_bytes = 1024;
constexpr std::size_t header_bytes = 80;
constexpr double small_objects_a_count = 50'000;

ObjectShape shape_of(std::size_t fragment_bytes, std::size_t segments) {
    ObjectShape shape;
    shape.segment_bytes =
        static_cast<std::size_t>(shape.scheme.k) * (fragment_bytes - header_bytes);
    shape.segments = segments;
    return shape;
}

double mib(double bytes) {
    return bytes / (1 << 20);
}

struct Options {
    double scale = 1;
    double most = 100'000;  ///< Small objects of the longest run.
    std::string only;
    std::string json;
    std::string command;
    app::Backend backend = app::Backend::cpu;
    std::string backend_name = "cpu";
    std::size_t threads = PipelineLimits().decode_threads;
    std::size_t sessions = PipelineLimits().sessions;
};

PipelineLimits limits_of(const Options& options) {
    PipelineLimits limits;
    limits.decode_threads = options.threads;
    limits.sessions = options.sessions;
    return limits;
}

/// `devices` is what the run's devices did, as JSON.
CodecMaker maker_of(const Options& options, std::string& devices) {
    return {.make =
                [backend = options.backend](const Clock& clock) {
                    auto made = app::make_backend(backend, clock);
                    if (made.has_error()) {
                        std::fprintf(stderr, "pipeline_bench: %s\n", made.error().detail.c_str());
                        std::exit(2);
                    }
                    return std::move(made->codec);
                },
            .done =
                [&devices](const scheduler::Codec& codec) {
                    devices = boost::json::serialize(app::devices_json(app::devices_of(codec)));
                }};
}

std::string limited_by(const Run& run) {
    return std::string(to_string(scheduler::limited_by(run.numbers.waits)));
}

void check(const Run& run, std::uint64_t objects) {
    if (run.objects == objects && run.failed_sessions == 0) return;
    std::fprintf(stderr, "%llu of %llu objects, %llu sessions failed\n",
                 static_cast<unsigned long long>(run.objects),
                 static_cast<unsigned long long>(objects),
                 static_cast<unsigned long long>(run.failed_sessions));
    std::exit(1);
}

Cost best_of(const Cost& one, const Cost& other) {
    return {std::min(one.wall_s, other.wall_s), std::min(one.cpu_s, other.cpu_s)};
}

std::string large(const Options& options) {
    const auto objects = static_cast<std::uint64_t>(400 * options.scale);
    const ObjectShape shape = shape_of(large_fragment_bytes, 10);
    MemoryPeers peers(shape);
    const PipelineLimits limits = limits_of(options);
    std::string devices;
    const CodecMaker maker = maker_of(options, devices);
    const double bytes =
        static_cast<double>(objects * peers.archive(0).size()) * (shape.scheme.k + 1);
    // Of each side its best turn: a ratio within one turn flatters whoever was disturbed less.
    Cost shovel_best{1e9, 1e9}, pipeline_best{1e9, 1e9};
    char text[512];
    std::string json;
    std::uint64_t batches = 0, rounds = 0;
    for (int turn = 0; turn < 3; ++turn) {
        const Cost shoveled = shovel(peers, shape, objects, limits);
        const Run run = rebuild(peers.view(), shape, objects, limits, maker);
        check(run, objects);
        batches += run.numbers.batches.batches;
        rounds += run.numbers.batches.items;
        shovel_best = best_of(shovel_best, shoveled);
        pipeline_best = best_of(pipeline_best, run.cost);
        std::printf(
            "large   shovel %7.1f MiB/s (%.2f CPU s)  pipeline %7.1f MiB/s (%.2f CPU s)  "
            "%.0f %% by wall, %.0f %% by CPU  limited by %s\n",
            mib(bytes) / shoveled.wall_s, shoveled.cpu_s, mib(bytes) / run.cost.wall_s,
            run.cost.cpu_s, 100 * shoveled.wall_s / run.cost.wall_s,
            100 * shoveled.cpu_s / run.cost.cpu_s, limited_by(run).c_str());
        std::fflush(stdout);
        std::snprintf(text, sizeof text,
                      "%s{\"bytes\": %.0f, \"shovel_wall_s\": %.4f, \"shovel_cpu_s\": %.4f, "
                      "\"pipeline_wall_s\": %.4f, \"pipeline_cpu_s\": %.4f, \"gpus\": ",
                      turn > 0 ? ", " : "", bytes, shoveled.wall_s, shoveled.cpu_s, run.cost.wall_s,
                      run.cost.cpu_s);
        json += text + devices + "}";
        if (devices != "[]") std::printf("        GPUs: %s\n", devices.c_str());
    }
    if (peers.wrong_bodies() > 0) std::exit(1);
    std::snprintf(text, sizeof text,
                  "\"large\": {\"percent_of_shovel_by_wall\": %.1f, "
                  "\"percent_of_shovel_by_cpu\": %.1f, \"rounds_per_batch\": %.2f, \"runs\": [",
                  100 * shovel_best.wall_s / pipeline_best.wall_s,
                  100 * shovel_best.cpu_s / pipeline_best.cpu_s,
                  static_cast<double>(rounds) / static_cast<double>(batches));
    return text + json + "]}";
}

std::string small(const Options& options) {
    const ObjectShape shape = shape_of(small_fragment_bytes, 1);
    const PipelineLimits limits = limits_of(options);
    std::string devices;
    const CodecMaker maker = maker_of(options, devices);
    std::string json;
    for (double count = 1000; count <= options.most; count *= 10) {
        const auto objects = static_cast<std::uint64_t>(count * options.scale);
        MemoryPeers peers(shape);
        // The first connections and the allocator's first pages are nobody's cost per object.
        check(rebuild(peers.view(), shape, 200, limits, maker), 200);
        // As many objects of each count, and their mean: the best of short runs would flatter them.
        const int turns = static_cast<int>(std::clamp(small_objects_a_count / count, 1.0, 50.0));
        Cost cost;
        std::string limit;
        for (int turn = 0; turn < turns; ++turn) {
            const Run run = rebuild(peers.view(), shape, objects, limits, maker);
            check(run, objects);
            cost.wall_s += run.cost.wall_s / turns;
            cost.cpu_s += run.cost.cpu_s / turns;
            limit = limited_by(run);
        }
        if (peers.wrong_bodies() > 0) std::exit(1);
        const auto number = static_cast<double>(objects);
        std::printf(
            "small   %8.0f objects  %7.0f objects/s by wall  %6.1f us CPU an object  "
            "%7.0f objects/s on two cores  limited by %s\n",
            number, number / cost.wall_s, cost.cpu_s / number * 1e6, 2 * number / cost.cpu_s,
            limit.c_str());
        std::fflush(stdout);
        char text[256];
        std::snprintf(text, sizeof text,
                      "%s{\"objects\": %.0f, \"wall_s\": %.4f, \"cpu_s\": %.4f, "
                      "\"objects_per_s\": %.0f}",
                      json.empty() ? "" : ", ", number, cost.wall_s, cost.cpu_s,
                      number / cost.wall_s);
        json += text;
    }
    return "\"small\": [" + json + "]";
}

int run(const Options& options) {
    double load[1] = {0};
    static_cast<void>(::getloadavg(load, 1));
    std::string figures = options.only == "small" ? "" : large(options);
    if (options.only != "large") figures += (figures.empty() ? "" : ", ") + small(options);
    if (options.json.empty()) return 0;
    std::FILE* file = std::fopen(options.json.c_str(), "w");
    if (file == nullptr) return 1;
    std::fprintf(
        file,
        "{\"bench\": \"scheduler\", \"commit\": \"%s\", \"time\": %lld, \"command\": %s, "
        "\"machine\": %s, \"load_before\": %.2f, \"backend\": \"%s\", \"decode_threads\": %zu, "
        "\"sessions\": %zu, %s}\n",
        FRAGMEND_COMMIT, static_cast<long long>(std::time(nullptr)),
        boost::json::serialize(boost::json::string(options.command)).c_str(),
        boost::json::serialize(app::machine_json()).c_str(), load[0], options.backend_name.c_str(),
        options.threads, options.sessions, figures.c_str());
    return std::fclose(file) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fragmend::bench

int main(int count, char** arguments) {
    fragmend::bench::Options options;
    options.command = "pipeline_bench";
    for (int i = 1; i < count; ++i) {
        const bool is_path = std::string(arguments[i - 1]) == "--json";
        options.command += std::string(" ") + (is_path ? "FILE" : arguments[i]);
    }
    bool is_known = count % 2 == 1;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        const char* value = arguments[i + 1];
        if (name == "--scale") {
            options.scale = std::atof(value);
        } else if (name == "--most") {
            options.most = std::atof(value);
        } else if (name == "--only") {
            options.only = value;
        } else if (name == "--json") {
            options.json = value;
        } else if (name == "--threads") {
            options.threads = std::strtoul(value, nullptr, 10);
        } else if (name == "--sessions") {
            options.sessions = std::strtoul(value, nullptr, 10);
        } else if (const auto backend = fragmend::app::parse_backend(value);
                   name == "--backend" && backend.has_value()) {
            options.backend = *backend;
            options.backend_name = value;
        } else {
            is_known = false;
        }
    }
    is_known =
        is_known && (options.only.empty() || options.only == "large" || options.only == "small");
    const bool has_limits = options.threads > 0 && options.threads <= 1024 &&
                            options.sessions > 0 && options.sessions <= 1024;
    if (!is_known || !has_limits || options.scale <= 0 || options.most < 1000) {
        std::fprintf(stderr,
                     "usage: pipeline_bench [--backend auto|cpu|gpu|liberasurecode] [--threads N] "
                     "[--sessions N] [--scale FACTOR] [--most OBJECTS] [--only large|small] "
                     "[--json FILE]\n");
        return 2;
    }
    return fragmend::bench::run(options);
}
