// Steps of a demo or a bench.
#include "host/app/embedded_run.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "host/app/process_life.hpp"
#include "host/app/summary.hpp"
#include "host/codec/cpu_codec.hpp"

namespace fragmend::app {
namespace {

constexpr std::chrono::milliseconds look_interval{200};
/// What a small file costs a file system besides its bytes.
constexpr std::uint64_t file_overhead_bytes = 8192;
constexpr std::string_view log_name = "fragmend";

struct ChosenScheme {
    codec::EcScheme scheme;
    std::string note;
};

/// What was asked for; else ISA-L, or the code that every liberasurecode brings along.
Result<ChosenScheme> choose_scheme(const EmbeddedLine& line) {
    codec::CpuCodec codec({.decoder = codec::Decoder::automatic});
    if (!line.ec_type.empty()) {
        const codec::EcScheme asked{line.ec_type, line.k, line.m};
        auto usable = codec.check(asked);
        if (usable.has_value()) return ChosenScheme{asked, {}};
        return Error{usable.error().code,
                     usable.error().detail + "\n'fragmend codec list' says what this machine has."};
    }
    const codec::EcScheme usual{"isa_l_rs_cauchy", line.k, line.m};
    const auto usable = codec.check(usual);
    if (usable.has_value()) return ChosenScheme{usual, {}};
    const codec::EcScheme other{"liberasurecode_rs_vand", line.k, line.m};
    auto also = codec.check(other);
    if (also.has_error()) return also.error();
    return ChosenScheme{other, "isa_l_rs_cauchy is not to be had here (" + usable.error().detail +
                                   "), so this is " + other.ec_type};
}

std::uint64_t bytes_needed(const EmbeddedLine& line,
                           const std::vector<demo::SampleObject>& objects) {
    const auto n = static_cast<std::uint64_t>(line.k + line.m);
    const auto devices = static_cast<std::uint64_t>(line.devices);
    std::uint64_t archives = 0;
    for (const demo::SampleObject& object : objects)
        archives += object.bytes * n / static_cast<std::uint64_t>(line.k);
    archives += objects.size() * n * file_overhead_bytes;
    // Wiped devices are kept for the comparison; the bench writes them a third time.
    const std::uint64_t copies = line.is_bench ? 2 : 1;
    return archives + archives * static_cast<std::uint64_t>(line.wipe) * copies / devices;
}

std::vector<demo::SampleObject> draw_objects(const EmbeddedLine& line, const Clock& clock) {
    demo::SampleSpec spec;
    spec.count = line.objects;
    spec.sizes = line.sizes;
    spec.histories = !line.is_bench;
    spec.seed = line.seed;
    return demo::sample_objects(spec, clock.now());
}

/// The archives among a device's files.
Result<ExpectedRebuild> archives_on(const std::string& device, const std::string& data_dir) {
    const auto census = demo::take_census(device, data_dir);
    if (census.has_error()) return census.error();
    ExpectedRebuild found;
    for (const auto& [name, status] : *census) {
        if (!name.ends_with(".data")) continue;
        struct stat file {};
        const std::string path = device + "/" + data_dir + "/" + name;
        if (::stat(path.c_str(), &file) != 0) return error_from_errno(errno, path);
        ++found.fragments;
        found.bytes += static_cast<std::uint64_t>(file.st_size);
    }
    return found;
}

}  // namespace

EmbeddedRun::EmbeddedRun(const EmbeddedLine& line, const Clock& clock,
                         const std::atomic<bool>& stop, demo::Scratch scratch)
    : line_(line),
      clock_(clock),
      stop_(stop),
      scratch_(std::move(scratch)),
      stderr_(std::string(log_name), clock),
      log_(&stderr_, line.verbose ? LogLevel::info : LogLevel::warning) {}

Result<std::unique_ptr<EmbeddedRun>> EmbeddedRun::make(const EmbeddedLine& line, const Clock& clock,
                                                       const std::atomic<bool>& stop,
                                                       const TellFolder& tell_folder) {
    auto chosen = choose_scheme(line);
    if (chosen.has_error()) return chosen.error();
    auto objects = draw_objects(line, clock);
    auto scratch = demo::Scratch::make(
        line.dir.empty() ? demo::scratch_places() : std::vector<std::string>{line.dir},
        line.is_bench ? "fragmend-bench" : "fragmend-demo", bytes_needed(line, objects));
    if (scratch.has_error()) return scratch.error();
    if (tell_folder) tell_folder(scratch->path());
    raise_file_limit();
    std::unique_ptr<EmbeddedRun> run(
        new EmbeddedRun(line, clock, stop, std::move(scratch.value())));
    run->objects_ = std::move(objects);
    run->note_ = chosen->note;
    demo::ClusterSpec spec;
    spec.scheme = chosen->scheme;
    spec.devices = line.devices;
    spec.servers = line.servers;
    spec.part_power = line.part_power;
    spec.fsync = line.fsync;
    spec.answer_delay = line.delay;
    spec.seed = line.seed;
    auto cluster = demo::Cluster::make(spec, run->scratch_.path(), run->audit_, clock, run->log_);
    if (cluster.has_error()) return cluster.error();
    run->cluster_ = std::move(cluster.value());
    auto reconstructor =
        EmbeddedReconstructor::make(*run->cluster_, line.backend, clock, run->log_,
                                    run->shows_progress() ? &run->stderr_ : nullptr, stop);
    if (reconstructor.has_error()) return reconstructor.error();
    run->reconstructor_ = std::move(reconstructor.value());
    // Those in the middle: neither the first nor the last of a ring.
    const auto& devices = run->cluster_->devices();
    for (std::size_t i = 0; i < static_cast<std::size_t>(line.wipe); ++i)
        run->wiped_.push_back(devices[(devices.size() / 3 + i) % devices.size()]);
    return run;
}

bool EmbeddedRun::shows_progress() const {
    if (line_.progress == ProgressMode::automatic) return ::isatty(STDERR_FILENO) != 0;
    return line_.progress == ProgressMode::always;
}

Result<demo::FillReport> EmbeddedRun::fill() {
    std::atomic<std::uint64_t> written{0};
    std::jthread watcher;
    if (shows_progress()) {
        watcher = std::jthread([this, &written](const std::stop_token& end) {
            while (!end.stop_requested()) {
                stderr_.set_status(std::to_string(written) + " of " +
                                   std::to_string(objects_.size()) + " objects");
                std::this_thread::sleep_for(look_interval);
            }
            stderr_.set_status("");
        });
    }
    auto report = demo::fill_cluster(
        *cluster_, objects_, std::max(1u, std::thread::hardware_concurrency()), stop_, written);
    if (watcher.joinable()) {
        watcher.request_stop();
        watcher.join();
    }
    return report;
}

Result<void> EmbeddedRun::settle() {
    const RebuildRun run = reconstructor_->run({});
    if (run.stopped) return Error{errc::cancelled, "stopped before anything was wiped"};
    if (run.work_remains() || run.fragments() > 0)
        return Error{errc::internal, "a pass over healthy devices found work:\n" +
                                         summary_text(run.passes.back().stats, run.seconds())};
    const std::string data_dir = cluster_->policy().data_dir();
    expected_ = {};
    for (const std::string& device : cluster_->devices()) {
        const std::string path = cluster_->device_path(device);
        if (std::ranges::find(wiped_, device) == wiped_.end()) {
            auto census = demo::take_census(path, data_dir);
            if (census.has_error()) return census.error();
            others_[device] = std::move(census.value());
            continue;
        }
        const auto archives = archives_on(path, data_dir);
        if (archives.has_error()) return archives.error();
        expected_.fragments += archives->fragments;
        expected_.bytes += archives->bytes;
    }
    return {};
}

Result<void> EmbeddedRun::wipe() {
    for (const std::string& device : wiped_) {
        auto done = cluster_->wipe(device);
        if (done.has_error()) return done;
    }
    return demo::sync_file_system(cluster_->root());
}

Result<Findings> EmbeddedRun::compare() const {
    const std::string data_dir = cluster_->policy().data_dir();
    Findings findings;
    for (const std::string& device : wiped_) {
        auto found = demo::compare_devices(cluster_->lost_path(device),
                                           cluster_->device_path(device), data_dir);
        if (found.has_error()) return found.error();
        for (std::string& line : found->differences)
            line.insert(0, device + "/");
        findings.lost.add(*found);
    }
    for (const auto& [device, before] : others_) {
        findings.files_elsewhere += before.size();
        const auto after = demo::take_census(cluster_->device_path(device), data_dir);
        if (after.has_error()) return after.error();
        for (const std::string& change : demo::changes_between(before, *after))
            findings.elsewhere.push_back(device + "/" + change);
    }
    return findings;
}

}  // namespace fragmend::app
