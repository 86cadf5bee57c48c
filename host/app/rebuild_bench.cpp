// Rounds of the rebuild bench.
#include "host/app/rebuild_bench.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <thread>

#include "host/app/interrupt_watch.hpp"
#include "host/app/rebuild_bench_report.hpp"
#include "host/app/result_file.hpp"
#include "host/app/summary.hpp"
#include "host/swift/directory.hpp"

namespace fragmend::app {
namespace {

/// Beside this much work of others wall times mean little.
constexpr double load_per_core_max = 0.25;

class Bench {
  public:
    Bench(const EmbeddedLine& line, const Clock& clock, std::ostream& out, std::ostream& err)
        : line_(line), clock_(clock), out_(out), err_(err) {}

    int run() {
        if (!line_.out.empty()) {
            const auto usable = ResultFile(line_.out).try_it();
            if (usable.has_error()) return fail(usable.error(), ExitCode::usage);
        }
        warn_when_busy();
        auto made = EmbeddedRun::make(
            line_, clock_, interrupt_.stop(),
            [this](const std::string& folder) { interrupt_.leaves_behind(folder); });
        if (made.has_error()) return fail(made.error(), ExitCode::usage);
        run_ = std::move(made.value());
        if (line_.keep) run_->scratch().keep();
        auto done = measure();
        if (done.has_error()) {
            const bool stopped = done.error() == errc::cancelled;
            return fail(done.error(), stopped ? ExitCode::work_remains : ExitCode::internal_error);
        }
        return conclude();
    }

  private:
    int fail(const Error& error, ExitCode code) const {
        // What the options or this machine are to blame for is told apart from our own defects.
        const bool ours = error == errc::internal;
        err_ << "fragmend: " << error.detail << std::endl;
        if (run_ != nullptr && line_.keep)
            err_ << "fragmend: " << run_->scratch().path() << " is kept" << std::endl;
        return static_cast<int>(ours ? ExitCode::internal_error : code);
    }

    void warn_when_busy() const {
        double load[1] = {0};
        if (::getloadavg(load, 1) != 1) return;
        if (load[0] > load_per_core_max * std::max(1u, std::thread::hardware_concurrency()))
            err_ << "fragmend: this machine is busy (load " << load[0] << "); wall times will lie"
                 << std::endl;
    }

    Result<void> measure() {
        introduce();
        auto filled = run_->fill();
        if (filled.has_error()) return filled.error();
        auto settled = run_->settle();
        if (settled.has_error()) return settled.error();
        say("  " + std::to_string(run_->expected().fragments) + " fragments, " +
            human_bytes(run_->expected().bytes) + ", to be rebuilt in each round");
        say(bench_heading(plain_threads()));
        for (int number = 1; number <= line_.rounds; ++number) {
            auto done = measure_round();
            if (done.has_error()) return done;
            const BenchRound& round = rounds_.back();
            say(bench_row(std::to_string(number), round) +
                (round.verdict == Verdict::as_it_was
                     ? ""
                     : "  " + std::string(verdict_name(round.verdict))));
        }
        return {};
    }

    Result<void> measure_round() {
        auto wiped = run_->wipe();
        if (wiped.has_error()) return wiped;
        BenchRound round;
        round.rebuild = run_->rebuild();
        if (round.rebuild.stopped)
            return Error{errc::cancelled, "stopped in the middle of a round"};
        const auto findings = run_->compare();
        if (findings.has_error()) return findings.error();
        round.verdict = verdict_of(round.rebuild, *findings);
        for (const std::string& difference : findings->lost.differences)
            err_ << "    " << difference << "\n";
        for (const std::string& difference : findings->elsewhere)
            err_ << "    " << difference << "\n";
        auto plain = write_plainly(1);
        if (plain.has_error()) return plain.error();
        round.plain_one = plain.value();
        plain = write_plainly(plain_threads());
        if (plain.has_error()) return plain.error();
        round.plain_many = plain.value();
        rounds_.push_back(std::move(round));
        return {};
    }

    unsigned plain_threads() const {
        return static_cast<unsigned>(run_->cluster().spec().disk_threads);
    }

    Result<demo::PlainReport> write_plainly(unsigned threads) const {
        const std::string target = run_->cluster().root() + "/plain";
        std::vector<std::string> sources;
        for (const std::string& device : run_->wiped())
            sources.push_back(run_->cluster().lost_path(device));
        auto made = swift::make_directories(target);
        if (made.has_value()) made = demo::sync_file_system(run_->cluster().root());
        if (made.has_error()) return made.error();
        auto report = demo::write_plainly(sources, target, threads, line_.fsync, interrupt_.stop());
        std::error_code failed;
        std::filesystem::remove_all(target, failed);
        if (failed) return Error{errc::io, "remove " + target + ": " + failed.message()};
        return report;
    }

    void introduce() const {
        const auto& spec = run_->cluster().spec();
        say("fragmend bench rebuild: EC " + std::to_string(spec.scheme.k) + "+" +
            std::to_string(spec.scheme.m) + " " + spec.scheme.ec_type + ", " +
            std::to_string(spec.devices) + " devices behind " + std::to_string(spec.servers) +
            " servers, " + std::to_string(line_.objects) + " objects, " +
            human_bytes(run_->objects_bytes()));
        if (!run_->note().empty()) say("  " + run_->note());
        say("  decoding on the " + decoders_ready(run_->reconstructor().devices()) + "; on " +
            file_system_of(run_->cluster().root()) +
            (spec.fsync ? ", every file synced" : ", nothing synced") + "; in " +
            run_->scratch().path() + (line_.keep ? ", which is kept" : ""));
    }

    void say(const std::string& text) const {
        if (!line_.json) out_ << text << std::endl;
    }

    /// Whoever asked for GPUs hears what became of them.
    void warn_of_devices(std::span<const codec::DeviceStatus> devices) const {
        if (line_.backend != Backend::gpu) return;
        for (const std::string& warning : device_warnings(devices))
            err_ << "fragmend: " << warning << std::endl;
    }

    int conclude() const {
        const auto result = bench_json(line_, *run_, rounds_, plain_threads(), clock_.now());
        warn_of_devices(run_->reconstructor().devices());
        if (line_.json) {
            // A file that others read names no folder of this machine.
            auto told = result;
            if (line_.keep) told["folder"] = run_->scratch().path();
            out_ << boost::json::serialize(told) << std::endl;
        }
        const auto& medians = result.at("medians").as_object();
        char text[200];
        std::snprintf(
            text, sizeof text,
            "fragmend: median %.2f s, %.0f fragments/s, %.1f MB/s; %.2f times what a plain "
            "program takes that only writes%s the same files",
            medians.at("wall_s").as_double(), medians.at("fragments_per_s").as_double(),
            medians.at("mb_per_s").as_double(), medians.at("times_plain").as_double(),
            line_.fsync ? " and syncs" : "");
        say(text);
        if (!line_.out.empty()) {
            const auto written = ResultFile(line_.out).write(bench_file_text(result));
            if (written.has_error()) return fail(written.error(), ExitCode::internal_error);
        }
        return static_cast<int>(worst_exit());
    }

    ExitCode worst_exit() const {
        ExitCode worst = ExitCode::done;
        for (const BenchRound& round : rounds_) {
            const ExitCode code = exit_code_of(round.verdict);
            if (code == ExitCode::internal_error) return code;
            if (code != ExitCode::done) worst = code;
        }
        return worst;
    }

    const EmbeddedLine& line_;
    const Clock& clock_;
    std::ostream& out_;
    std::ostream& err_;
    InterruptWatch interrupt_;
    std::unique_ptr<EmbeddedRun> run_;
    std::vector<BenchRound> rounds_;
};

}  // namespace

int run_bench_command(std::span<const std::string_view> words, const Clock& clock,
                      std::ostream& out, std::ostream& err) {
    const auto line = parse_bench_line(words);
    if (line.has_error()) {
        err << line.error().message;
        return line.error().exit_code;
    }
    if (line->wants_help) {
        out << embedded_help_text(true);
        return static_cast<int>(ExitCode::done);
    }
    return Bench(*line, clock, out, err).run();
}

}  // namespace fragmend::app
