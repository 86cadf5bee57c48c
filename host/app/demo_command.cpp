// The demo's story.
#include "host/app/demo_command.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iomanip>
#include <ostream>

#include "host/app/embedded_run.hpp"
#include "host/app/interrupt_watch.hpp"
#include "host/app/summary.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

constexpr std::size_t differences_shown_max = 10;

std::string seconds_text(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", seconds);
    return text;
}

std::string rate_text(const RebuildRun& run) {
    char text[96];
    const double seconds = std::max(run.seconds(), 1e-6);
    std::snprintf(text, sizeof text, "%.0f fragments/s, %.1f MB/s",
                  static_cast<double>(run.fragments()) / seconds,
                  static_cast<double>(run.bytes()) / seconds / 1e6);
    return text;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string counted(std::uint64_t count, const std::string& one) {
    return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

/// File names carry whatever bytes objects are called.
std::string shown(std::string text) {
    if (!swift::is_valid_utf8(text))
        std::ranges::replace_if(
            text, [](char c) { return (c & 0x80) != 0; }, '?');
    return text;
}

class Demo {
  public:
    Demo(const EmbeddedLine& line, const Clock& clock, std::ostream& out, std::ostream& err)
        : line_(line), clock_(clock), out_(out), err_(err) {}

    int run(const BeforeComparison& before_comparison) {
        began_ = clock_.steady();
        auto made = EmbeddedRun::make(
            line_, clock_, interrupt_.stop(),
            [this](const std::string& folder) { interrupt_.leaves_behind(folder); });
        if (made.has_error()) return fail(made.error(), ExitCode::usage);
        run_ = std::move(made.value());
        if (line_.keep) run_->scratch().keep();
        introduce();
        auto done = play(before_comparison);
        if (done.has_error()) {
            const bool stopped = done.error() == errc::cancelled;
            return fail(done.error(), stopped ? ExitCode::work_remains : ExitCode::internal_error);
        }
        const Verdict verdict = verdict_of(rebuilt_, findings_);
        conclude(verdict);
        return static_cast<int>(exit_code_of(verdict));
    }

  private:
    Result<void> play(const BeforeComparison& before_comparison) {
        auto filled = run_->fill();
        if (filled.has_error()) return filled.error();
        filled_ = filled.value();
        step("Fill", counted(line_.objects, "object") + ", " + human_bytes(run_->objects_bytes()) +
                         ", as " + counted(filled_.files, "file"));
        auto settled = run_->settle();
        if (settled.has_error()) return settled.error();
        step("Look", "a pass over healthy devices finds nothing to rebuild");
        auto wiped = run_->wipe();
        if (wiped.has_error()) return wiped;
        step("Wipe", "all of " + joined(run_->wiped()) + ": " +
                         counted(run_->expected().fragments, "fragment") + ", " +
                         human_bytes(run_->expected().bytes));
        rebuilt_ = run_->rebuild();
        step("Rebuild", counted(rebuilt_.fragments(), "fragment") + " in " +
                            seconds_text(rebuilt_.seconds()) + ": " + rate_text(rebuilt_));
        more(human_bytes(rebuilt_.survivor_bytes()) +
             " of survivors read, every byte checked against its MD5; " +
             seconds_text(rebuilt_.cpu_seconds) + " of CPU, servers included");
        if (before_comparison) before_comparison(run_->cluster());
        auto findings = run_->compare();
        if (findings.has_error()) return findings.error();
        findings_ = std::move(findings.value());
        step("Compare", std::to_string(findings_.lost.equal) + " of " +
                            counted(findings_.lost.files, "file") +
                            " came back equal in name, bytes and metadata");
        more(findings_.elsewhere.empty() ? counted(findings_.files_elsewhere, "file") +
                                               " on the other devices were not touched"
                                         : counted(findings_.elsewhere.size(), "file") +
                                               " changed on devices that were not wiped");
        return {};
    }

    void introduce() {
        const auto& spec = run_->cluster().spec();
        head_ = "fragmend demo: EC " + std::to_string(spec.scheme.k) + "+" +
                std::to_string(spec.scheme.m) + " " + spec.scheme.ec_type + ", " +
                counted(static_cast<std::uint64_t>(spec.devices), "device") + " behind " +
                counted(static_cast<std::uint64_t>(spec.servers), "server") + " in this process";
        if (line_.json) return;
        out_ << head_ << "\n";
        if (!run_->note().empty()) more(run_->note());
        more("decoding on the " + decoders_ready(run_->reconstructor().devices()) + "; in " +
             run_->scratch().path() +
             (line_.keep ? ", which is kept" : ", which is removed at the end"));
        out_ << std::flush;
    }

    void step(const std::string& what, const std::string& text) {
        if (line_.json) return;
        out_ << "  " << std::left << std::setw(9) << what << text << std::endl;
    }

    void more(const std::string& text) { step("", text); }

    /// Whoever asked for GPUs hears what became of them.
    void warn_of_devices(std::span<const codec::DeviceStatus> devices) const {
        if (line_.backend != Backend::gpu) return;
        for (const std::string& warning : device_warnings(devices))
            err_ << "fragmend: " << warning << std::endl;
    }

    void conclude(Verdict verdict) {
        warn_of_devices(run_->reconstructor().devices());
        if (line_.json) {
            out_ << json::serialize(result_json(verdict)) << std::endl;
            return;
        }
        tell_differences();
        const std::chrono::duration<double> took = clock_.steady() - began_;
        out_ << "fragmend: " << verdict_text(verdict) << " (" << seconds_text(took.count()) << ")"
             << std::endl;
    }

    void tell_differences() {
        std::size_t told = 0;
        for (const auto* list : {&findings_.lost.differences, &findings_.elsewhere}) {
            for (const std::string& line : *list) {
                if (told++ < differences_shown_max) out_ << "    " << shown(line) << "\n";
            }
        }
        const std::uint64_t all = findings_.lost.missing + findings_.lost.different +
                                  findings_.lost.extra + findings_.elsewhere.size();
        if (all > differences_shown_max)
            out_ << "    and " << all - differences_shown_max << " more\n";
    }

    json::object result_json(Verdict verdict) const {
        const auto& spec = run_->cluster().spec();
        const auto devices = run_->reconstructor().devices();
        json::array passes;
        for (const PassRun& pass : rebuilt_.passes)
            passes.push_back(json::parse(summary_json(pass.stats, pass.seconds)));
        json::array differences;
        for (const auto* list : {&findings_.lost.differences, &findings_.elsewhere})
            for (const std::string& line : *list)
                differences.push_back(json::value(shown(line)));
        json::array wiped(run_->wiped().begin(), run_->wiped().end());
        return {{"verdict", verdict_name(verdict)},
                {"ec_type", spec.scheme.ec_type},
                {"k", spec.scheme.k},
                {"m", spec.scheme.m},
                {"devices", spec.devices},
                {"servers", spec.servers},
                {"decoder", decoders_seen(devices)},
                {"gpus", devices_json(devices)},
                {"folder", line_.keep ? run_->scratch().path() : std::string()},
                {"objects", line_.objects},
                {"object_bytes", run_->objects_bytes()},
                {"files", filled_.files},
                {"wiped", std::move(wiped)},
                {"fragments_lost", run_->expected().fragments},
                {"bytes_lost", run_->expected().bytes},
                {"rebuild",
                 {{"seconds", rebuilt_.seconds()},
                  {"cpu_seconds", rebuilt_.cpu_seconds},
                  {"memory_peak_bytes", rebuilt_.memory_peak_bytes},
                  {"fragments", rebuilt_.fragments()},
                  {"bytes", rebuilt_.bytes()},
                  {"survivor_bytes", rebuilt_.survivor_bytes()},
                  {"passes", std::move(passes)}}},
                {"comparison",
                 {{"files", findings_.lost.files},
                  {"bytes", findings_.lost.bytes},
                  {"equal", findings_.lost.equal},
                  {"missing", findings_.lost.missing},
                  {"different", findings_.lost.different},
                  {"extra", findings_.lost.extra},
                  {"files_elsewhere", findings_.files_elsewhere},
                  {"changed_elsewhere", findings_.elsewhere.size()},
                  {"differences", std::move(differences)}}}};
    }

    int fail(const Error& error, ExitCode code) {
        // What the options or this machine are to blame for is told apart from our own defects.
        const bool ours = error == errc::internal;
        err_ << "fragmend: " << error.detail << std::endl;
        if (run_ != nullptr && line_.keep)
            err_ << "fragmend: " << run_->scratch().path() << " is kept" << std::endl;
        return static_cast<int>(ours ? ExitCode::internal_error : code);
    }

    const EmbeddedLine& line_;
    const Clock& clock_;
    std::ostream& out_;
    std::ostream& err_;
    InterruptWatch interrupt_;
    std::chrono::steady_clock::time_point began_;
    std::unique_ptr<EmbeddedRun> run_;
    std::string head_;
    demo::FillReport filled_;
    RebuildRun rebuilt_;
    Findings findings_;
};

}  // namespace

int run_demo_command(std::span<const std::string_view> words, const Clock& clock, std::ostream& out,
                     std::ostream& err, const BeforeComparison& before_comparison) {
    const auto line = parse_demo_line(words);
    if (line.has_error()) {
        err << line.error().message;
        return line.error().exit_code;
    }
    if (line->wants_help) {
        out << embedded_help_text(false);
        return static_cast<int>(ExitCode::done);
    }
    return Demo(*line, clock, out, err).run(before_comparison);
}

}  // namespace fragmend::app
