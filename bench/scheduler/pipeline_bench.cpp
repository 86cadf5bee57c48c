// What the pipeline reaches of what the machine can move, small objects per second, cost by count.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "bench/scheduler/pipeline.hpp"

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
};

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
    const PipelineLimits limits;
    const double bytes =
        static_cast<double>(objects * peers.archive(0).size()) * (shape.scheme.k + 1);
    // Of each side its best turn: a ratio within one turn flatters whoever was disturbed less.
    Cost shovel_best{1e9, 1e9}, pipeline_best{1e9, 1e9};
    char text[512];
    std::string json;
    for (int turn = 0; turn < 3; ++turn) {
        const Cost shoveled = shovel(peers, shape, objects, limits);
        const Run run = rebuild(peers.view(), shape, objects, limits);
        check(run, objects);
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
                      "\"pipeline_wall_s\": %.4f, \"pipeline_cpu_s\": %.4f}",
                      turn > 0 ? ", " : "", bytes, shoveled.wall_s, shoveled.cpu_s, run.cost.wall_s,
                      run.cost.cpu_s);
        json += text;
    }
    if (peers.wrong_bodies() > 0) std::exit(1);
    std::snprintf(text, sizeof text,
                  "\"large\": {\"percent_of_shovel_by_wall\": %.1f, "
                  "\"percent_of_shovel_by_cpu\": %.1f, \"runs\": [",
                  100 * shovel_best.wall_s / pipeline_best.wall_s,
                  100 * shovel_best.cpu_s / pipeline_best.cpu_s);
    return text + json + "]}";
}

std::string small(const Options& options) {
    const ObjectShape shape = shape_of(small_fragment_bytes, 1);
    const PipelineLimits limits;
    std::string json;
    for (double count = 1000; count <= options.most; count *= 10) {
        const auto objects = static_cast<std::uint64_t>(count * options.scale);
        MemoryPeers peers(shape);
        // The first connections and the allocator's first pages are nobody's cost per object.
        check(rebuild(peers.view(), shape, 200, limits), 200);
        // As many objects of each count, and their mean: the best of short runs would flatter them.
        const int turns = static_cast<int>(std::clamp(small_objects_a_count / count, 1.0, 50.0));
        Cost cost;
        std::string limit;
        for (int turn = 0; turn < turns; ++turn) {
            const Run run = rebuild(peers.view(), shape, objects, limits);
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
    std::string figures = options.only == "small" ? "" : large(options);
    if (options.only != "large") figures += (figures.empty() ? "" : ", ") + small(options);
    if (options.json.empty()) return 0;
    std::FILE* file = std::fopen(options.json.c_str(), "w");
    if (file == nullptr) return 1;
    std::fprintf(file, "{\"bench\": \"scheduler\", \"commit\": \"%s\", \"time\": %lld, %s}\n",
                 FRAGMEND_COMMIT, static_cast<long long>(std::time(nullptr)), figures.c_str());
    return std::fclose(file) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fragmend::bench

int main(int count, char** arguments) {
    fragmend::bench::Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        if (std::strcmp(arguments[i], "--scale") == 0) options.scale = std::atof(arguments[i + 1]);
        if (std::strcmp(arguments[i], "--most") == 0) options.most = std::atof(arguments[i + 1]);
        if (std::strcmp(arguments[i], "--only") == 0) options.only = arguments[i + 1];
        if (std::strcmp(arguments[i], "--json") == 0) options.json = arguments[i + 1];
    }
    const bool known = options.only.empty() || options.only == "large" || options.only == "small";
    if (count % 2 == 0 || options.scale <= 0 || options.most < 1000 || !known) {
        std::fprintf(stderr,
                     "usage: pipeline_bench [--scale FACTOR] [--most OBJECTS] [--only large|small] "
                     "[--json FILE]\n");
        return 2;
    }
    return fragmend::bench::run(options);
}
