// What there is, whether it is right, what it takes.
#include "host/app/codec_survey.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <ostream>
#include <thread>

#include "host/app/codec_backend.hpp"
#include "host/app/codec_rebuild.hpp"
#include "host/codec/calibration.hpp"
#include "host/codec/library.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

struct Ability {
    codec::EcScheme scheme;
    std::string why_not;  ///< Empty when it can be rebuilt here.
};

std::vector<Ability> abilities(scheduler::Codec& codec) {
    std::vector<Ability> all;
    for (const codec::EcScheme& scheme : sample_schemes()) {
        const auto usable = codec.check(scheme);
        all.push_back({scheme, usable ? std::string() : usable.error().detail});
    }
    return all;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

std::string gpu_line(const CodecHandle& backend) {
    if (!backend.why_no_device.empty()) return "none (" + backend.why_no_device + ")";
    std::string text;
    for (const codec::DeviceStatus& status : backend.hybrid->status()) {
        if (!text.empty()) text += "; ";
        text += status.name;
        if (status.state != codec::DeviceState::ready) text += ", not used: " + status.detail;
    }
    return text;
}

std::string_view field_name(gf::Field field) {
    switch (field) {
        case gf::Field::gf2:
            return "XOR";
        case gf::Field::gf4:
            return "GF(2^4) bit matrix";
        case gf::Field::gf8:
            return "GF(2^8)";
        case gf::Field::gf16:
            return "GF(2^16)";
    }
    return "";
}

std::string size_text(std::size_t bytes) {
    return bytes >= 1 << 20 ? std::to_string(bytes >> 20) + " MiB"
                            : std::to_string(bytes >> 10) + " KiB";
}

/// From which size of batch on the GPU is expected to be done sooner.
std::string route_text(const codec::Router& router, gf::Field field) {
    std::string text;
    std::string_view last;
    for (std::size_t bytes = codec::Router::class_bytes(0); bytes <= std::size_t{16} << 20;
         bytes *= 2) {
        const auto cpu = router.estimate(codec::Path::cpu, field, bytes);
        const auto device = router.estimate(codec::Path::device, field, bytes);
        const std::string_view path = device && cpu && *device < *cpu ? "GPU" : "CPU";
        if (path == last) continue;
        if (!text.empty()) text += ", ";
        text += std::string(path) + " from " + size_text(bytes);
        last = path;
    }
    return text;
}

/// GB/s of survivors on one CPU thread.
double cpu_rate(codec::CpuCodec& cpu, const codec::EcScheme& scheme, std::size_t bytes,
                int pass_ms) {
    codec::SyntheticRounds rounds(cpu, scheme, bytes);
    using StopWatch = std::chrono::steady_clock;
    cpu.run(rounds.items());
    // The shortest run counts: what else the machine does is not asked.
    std::chrono::duration<double> shortest{};
    const auto end = StopWatch::now() + std::chrono::milliseconds(pass_ms);
    for (auto start = StopWatch::now(); start < end;) {
        cpu.run(rounds.items());
        const auto done = StopWatch::now();
        if (shortest.count() == 0 || done - start < shortest) shortest = done - start;
        start = done;
    }
    return static_cast<double>(rounds.survivor_bytes()) / shortest.count() / 1e9;
}

/// Who gave back the library's bytes in a check.
std::string checked_on(const CodecHandle& backend, Backend asked) {
    if (asked == Backend::liberasurecode) return "by liberasurecode itself";
    std::string names = "on the ";
    if (asked == Backend::gpu) {
        for (const codec::DeviceStatus& status : backend.hybrid->status())
            names += status.name + " and the ";
    }
    return names + "CPU";
}

}  // namespace

int run_codec_list(const CodecLine& line, const Clock& clock, std::ostream& out) {
    const CodecHandle backend = make_backend(Backend::automatic, clock).value();
    const std::vector<Ability> all = abilities(*backend.codec);
    const std::string decode(codec::available_kernels().back()->name);
    const std::string md5(codec::available_md5_kernels().back()->name);
    if (line.json) {
        json::array schemes;
        for (const Ability& one : all) {
            schemes.push_back({{"ec_type", one.scheme.ec_type},
                               {"usable", one.why_not.empty()},
                               {"why_not", one.why_not}});
        }
        out << json::serialize(
                   json::value{{"version", FRAGMEND_VERSION},
                               {"liberasurecode", codec::version_text(codec::library_version())},
                               {"decode", decode},
                               {"md5", md5},
                               {"cores", std::thread::hardware_concurrency()},
                               {"gpu", gpu_line(backend)},
                               {"schemes", schemes}})
            << '\n';
        return 0;
    }
    out << "fragmend           " FRAGMEND_VERSION "\n"
        << "liberasurecode     " << codec::version_text(codec::library_version()) << '\n'
        << "decode on the CPU  " << decode << '\n'
        << "MD5 on the CPU     " << md5 << ", " << codec::available_md5_kernels().back()->lanes
        << " streams a thread\n"
        << "GPU                " << gpu_line(backend) << '\n';
    for (const Ability& one : all) {
        out << "  " << padded(one.scheme.ec_type, 24)
            << (one.why_not.empty() ? "yes" : "no: " + one.why_not) << '\n';
    }
    out << "batches:\n";
    for (const codec::EcScheme& scheme : codec::calibration_schemes()) {
        const auto back_end = codec::find_back_end(scheme.ec_type);
        const gf::Field field = gf::field((*back_end)->code);
        const std::string route = backend.why_no_device.empty()
                                      ? route_text(backend.hybrid->router(), field)
                                      : "CPU (no GPU)";
        out << "  " << padded(std::string(field_name(field)), 24) << route << '\n';
    }
    return 0;
}

int run_codec_check(const CodecLine& line, const Clock& clock, std::ostream& out,
                    std::ostream& err) {
    ErrorLines device_lines(err);
    const auto backend =
        make_backend(line.backend, clock, Logger(&device_lines, LogLevel::warning));
    if (!backend) {
        err << "fragmend: " << backend.error().detail << '\n';
        return static_cast<int>(ExitCode::usage);
    }
    if (line.scheme) {
        const auto usable = backend->codec->check(*line.scheme);
        if (usable) {
            out << codec::to_string(*line.scheme) << ": every fragment is the library's, "
                << checked_on(*backend, line.backend) << '\n';
            return 0;
        }
        err << "fragmend: " << usable.error().detail << '\n';
        return static_cast<int>(usable.error() == errc::wrong_bytes ? ExitCode::internal_error
                                                                    : ExitCode::usage);
    }
    int code = 0;
    out << "checked " << checked_on(*backend, line.backend) << '\n';
    for (const codec::EcScheme& scheme : sample_schemes()) {
        // What the library itself cannot do cannot be compared, and is no fault of anybody.
        const bool there = codec::find_back_end(scheme.ec_type).has_value() &&
                           codec::LibraryInstance::create(scheme).has_value();
        const auto usable = backend->codec->check(scheme);
        out << padded(codec::to_string(scheme), 32)
            << (usable ? "right" : (there ? "WRONG: " : "not here: ") + usable.error().detail)
            << '\n';
        if (!usable && there) code = static_cast<int>(ExitCode::internal_error);
    }
    return code;
}

int run_codec_bench(const CodecLine& line, const Clock& clock, std::ostream& out) {
    const CodecHandle backend = make_backend(Backend::automatic, clock).value();
    codec::CpuCodec cpu;
    json::array rows;
    if (!line.json) {
        out << "GB/s of survivors, MD5s and checks included; CPU: one thread of "
            << std::thread::hardware_concurrency() << ", GPU: " << gpu_line(backend) << '\n';
    }
    for (const codec::EcScheme& scheme : codec::calibration_schemes()) {
        const gf::Field field = gf::field((*codec::find_back_end(scheme.ec_type))->code);
        for (std::size_t bytes = codec::Router::class_bytes(0); bytes <= std::size_t{16} << 20;
             bytes *= 8) {
            const double rate = cpu_rate(cpu, scheme, bytes, line.pass_ms);
            const auto device =
                backend.hybrid->router().estimate(codec::Path::device, field, bytes);
            const auto on_cpu = backend.hybrid->router().estimate(codec::Path::cpu, field, bytes);
            const double device_rate = device ? static_cast<double>(bytes) / *device / 1e9 : 0;
            const std::string_view path = device && on_cpu && *device < *on_cpu ? "GPU" : "CPU";
            if (line.json) {
                rows.push_back({{"scheme", codec::to_string(scheme)},
                                {"batch_bytes", bytes},
                                {"cpu_gb_per_s", rate},
                                {"gpu_gb_per_s", device ? json::value(device_rate) : json::value()},
                                {"path", path}});
                continue;
            }
            char text[160];
            std::snprintf(text, sizeof text, "%-32s %8s  CPU %6.2f",
                          codec::to_string(scheme).c_str(), size_text(bytes).c_str(), rate);
            out << text;
            if (device) {
                std::snprintf(text, sizeof text, "  GPU %6.2f  -> %s", device_rate,
                              std::string(path).c_str());
                out << text;
            }
            out << std::endl;
        }
    }
    if (line.json) {
        out << json::serialize(json::value{{"gpu", gpu_line(backend)}, {"rows", rows}}) << '\n';
    }
    return 0;
}

int run_codec_command(std::span<const std::string_view> words, const Clock& clock,
                      std::ostream& out, std::ostream& err) {
    const auto line = parse_codec_line(words);
    if (line.has_error()) {
        err << line.error().message;
        return line.error().exit_code;
    }
    switch (line->action) {
        case CodecAction::help:
            out << codec_help_text(line->help_topic);
            return 0;
        case CodecAction::list:
            return run_codec_list(*line, clock, out);
        case CodecAction::check:
            return run_codec_check(*line, clock, out, err);
        case CodecAction::bench:
            return run_codec_bench(*line, clock, out);
        case CodecAction::rebuild:
            return run_codec_rebuild(*line, clock, out, err);
    }
    return 0;
}

}  // namespace fragmend::app
