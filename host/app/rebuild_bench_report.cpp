// Table and JSON of the rebuild bench.
#include "host/app/rebuild_bench_report.hpp"

#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

#include "host/codec/dot_kernels.hpp"
#include "host/codec/library.hpp"
#include "host/codec/md5_kernels.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

double per_second(std::uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

template <typename Get>
double median(const std::vector<BenchRound>& rounds, Get get) {
    std::vector<double> values;
    for (const BenchRound& round : rounds)
        values.push_back(get(round));
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    utsname machine{};
    return ::uname(&machine) == 0 ? machine.machine : "unknown";
}

}  // namespace

json::object machine_json() {
    utsname machine{};
    static_cast<void>(::uname(&machine));
    const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE)) *
                        static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
    double load[1] = {0};
    static_cast<void>(::getloadavg(load, 1));
    return {{"cpu", cpu_name()},
            {"cores", std::thread::hardware_concurrency()},
            {"memory_mib", memory >> 20},
            {"kernel", machine.release},
            {"load_after", load[0]},
            {"decode", codec::available_kernels().back()->name},
            {"md5", codec::available_md5_kernels().back()->name},
            {"liberasurecode", codec::version_text(codec::library_version())}};
}

namespace {

json::object parameters_json(const EmbeddedLine& line, const EmbeddedRun& run,
                             unsigned plain_threads) {
    const auto& spec = run.cluster().spec();
    json::array sizes;
    for (const demo::SizeRange& range : line.sizes)
        sizes.push_back(json::array{range.min, range.max});
    return {{"ec_type", spec.scheme.ec_type},
            {"k", spec.scheme.k},
            {"m", spec.scheme.m},
            {"devices", spec.devices},
            {"servers", spec.servers},
            {"part_power", spec.part_power},
            {"objects", line.objects},
            {"object_bytes", std::move(sizes)},
            {"wiped", run.wiped().size()},
            {"decoder", decoders_seen(run.reconstructor().devices())},
            {"fsync", spec.fsync},
            {"answer_delay_ms", static_cast<double>(spec.answer_delay.count()) / 1000},
            {"plain_threads", plain_threads},
            {"seed", line.seed}};
}

json::object round_json(const BenchRound& round) {
    const RebuildRun& rebuild = round.rebuild;
    return {{"verdict", verdict_name(round.verdict)},
            {"wall_s", rebuild.seconds()},
            {"cpu_s", rebuild.cpu_seconds},
            {"passes", rebuild.passes.size()},
            {"fragments", rebuild.fragments()},
            {"bytes", rebuild.bytes()},
            {"survivor_bytes", rebuild.survivor_bytes()},
            {"memory_peak_bytes", rebuild.memory_peak_bytes},
            {"fragments_per_s", per_second(rebuild.fragments(), rebuild.seconds())},
            {"mb_per_s", per_second(rebuild.bytes(), rebuild.seconds()) / 1e6},
            {"plain_one_thread_s", round.plain_one.seconds},
            {"plain_many_threads_s", round.plain_many.seconds},
            {"times_plain", round.ratio()}};
}

json::object medians_json(const std::vector<BenchRound>& rounds) {
    json::object medians;
    const auto add = [&](const char* name, auto get) { medians[name] = median(rounds, get); };
    add("wall_s", [](const BenchRound& r) { return r.rebuild.seconds(); });
    add("cpu_s", [](const BenchRound& r) { return r.rebuild.cpu_seconds; });
    add("fragments_per_s",
        [](const BenchRound& r) { return per_second(r.rebuild.fragments(), r.rebuild.seconds()); });
    add("mb_per_s", [](const BenchRound& r) {
        return per_second(r.rebuild.bytes(), r.rebuild.seconds()) / 1e6;
    });
    add("plain_one_thread_s", [](const BenchRound& r) { return r.plain_one.seconds; });
    add("plain_many_threads_s", [](const BenchRound& r) { return r.plain_many.seconds; });
    add("times_plain", [](const BenchRound& r) { return r.ratio(); });
    return medians;
}

/// On one line, with numbers as people write them.
std::string plain_json(const json::value& value) {
    std::string text;
    const char* separator = "";
    if (const auto* object = value.if_object()) {
        for (const auto& [name, member] : *object) {
            text += separator + json::serialize(json::value(name)) + ": " + plain_json(member);
            separator = ", ";
        }
        return "{" + text + "}";
    }
    if (const auto* list = value.if_array()) {
        for (const json::value& member : *list) {
            text += separator + plain_json(member);
            separator = ", ";
        }
        return "[" + text + "]";
    }
    if (!value.is_double()) return json::serialize(value);
    char number[32];
    std::snprintf(number, sizeof number, "%.6g", value.get_double());
    return number;
}

std::string date_text(const Timestamp& now) {
    const auto seconds = static_cast<std::time_t>(now.seconds());
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char date[32] = {};
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return date;
}

}  // namespace

double BenchRound::ratio() const {
    return plain_best_s() > 0 ? rebuild.seconds() / plain_best_s() : 0;
}

std::string bench_heading(unsigned plain_threads) {
    char text[160];
    const std::string many = "plain(" + std::to_string(plain_threads) + ") s";
    std::snprintf(text, sizeof text, "  %-8s%9s%9s%14s%9s%12s%13s%8s", "round", "wall s", "CPU s",
                  "fragments/s", "MB/s", "plain(1) s", many.c_str(), "ratio");
    return text;
}

std::string bench_row(const std::string& label, const BenchRound& round) {
    char text[200];
    const RebuildRun& rebuild = round.rebuild;
    std::snprintf(text, sizeof text, "  %-8s%9.2f%9.2f%14.0f%9.1f%12.2f%13.2f%8.2f", label.c_str(),
                  rebuild.seconds(), rebuild.cpu_seconds,
                  per_second(rebuild.fragments(), rebuild.seconds()),
                  per_second(rebuild.bytes(), rebuild.seconds()) / 1e6, round.plain_one.seconds,
                  round.plain_many.seconds, round.ratio());
    return text;
}

json::object bench_json(const EmbeddedLine& line, const EmbeddedRun& run,
                        const std::vector<BenchRound>& rounds, unsigned plain_threads,
                        const Timestamp& now) {
    json::array rows;
    for (const BenchRound& round : rounds)
        rows.push_back(round_json(round));
    json::object machine = machine_json();
    machine["devices_on"] = file_system_of(run.cluster().root());
    return {{"bench", "embedded rebuild"},
            {"date", date_text(now)},
            {"commit", FRAGMEND_COMMIT},
            {"command", line.command},
            {"machine", std::move(machine)},
            {"parameters", parameters_json(line, run, plain_threads)},
            {"rounds", std::move(rows)},
            {"medians", medians_json(rounds)},
            {"gpus", devices_json(run.reconstructor().devices())}};
}

std::string bench_file_text(const json::object& result) {
    std::string text = "{";
    const char* separator = "\n ";
    for (const auto& [name, value] : result) {
        text += separator + json::serialize(json::value(name)) + ": ";
        const bool is_list = value.is_array() && !value.get_array().empty();
        if (!is_list) text += plain_json(value);
        for (std::size_t i = 0; is_list && i < value.get_array().size(); ++i)
            text += (i == 0 ? "[\n  " : ",\n  ") + plain_json(value.get_array()[i]);
        if (is_list) text += "\n ]";
        separator = ",\n ";
    }
    return text + "\n}\n";
}

std::string file_system_of(const std::string& path) {
    struct Kind {
        std::uint32_t number;
        const char* name;
    };
    static constexpr Kind kinds[] = {{0xef53, "ext4"},        {0x58465342, "xfs"},
                                     {0x9123683e, "btrfs"},   {0x01021994, "tmpfs"},
                                     {0x794c7630, "overlay"}, {0x2fc12fc1, "zfs"}};
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) return "unknown";
    const auto number = static_cast<std::uint32_t>(status.f_type);
    for (const Kind& kind : kinds)
        if (kind.number == number) return kind.name;
    char text[24];
    std::snprintf(text, sizeof text, "0x%x", number);
    return text;
}

}  // namespace fragmend::app
