// Recon cache updates in Swift's keys.
#include "host/app/recon_report.hpp"

#include <algorithm>
#include <optional>

#include "host/swift/python_text.hpp"

namespace fragmend::app {
namespace {

constexpr const char* time_key = "object_reconstruction_time";
constexpr const char* last_key = "object_reconstruction_last";
constexpr const char* per_disk_key = "object_reconstruction_per_disk";

swift::JsonMembers scalars(double minutes, double finished_s) {
    return {{time_key, swift::json_number(minutes)}, {last_key, swift::json_number(finished_s)}};
}

std::optional<double> number_of(const swift::JsonMembers& members, const char* key) {
    const auto found = members.find(key);
    return found == members.end() ? std::nullopt : swift::python_float(found->second);
}

struct Lap {
    double start_s;
    double finish_s;
};

std::optional<Lap> lap_of(const swift::JsonMembers& per_disk, const std::string& device) {
    const auto entry = per_disk.find(device);
    if (entry == per_disk.end()) return std::nullopt;
    const auto members = swift::split_json_object(entry->second);
    if (!members) return std::nullopt;
    const auto last = number_of(*members, last_key);
    const auto minutes = number_of(*members, time_key);
    if (!last || !minutes) return std::nullopt;
    return Lap{*last - *minutes * 60, *last};
}

}  // namespace

swift::ReconUpdate report_of_single_process(const PassReport& report) {
    return {scalars(report.minutes, report.finished_s), {{per_disk_key, {}}}};
}

swift::ReconUpdate report_of_worker(const PassReport& report, int pid) {
    if (report.devices.empty()) return report_of_single_process(report);
    auto entry = scalars(report.minutes, report.finished_s);
    entry.emplace("pid", std::to_string(pid));
    swift::ReconUpdate update;
    for (const std::string& device : report.devices)
        update.nested[per_disk_key].emplace(device, swift::join_json_object(entry));
    return update;
}

swift::ReconUpdate aggregate_reports(const swift::JsonMembers& cache,
                                     const std::set<std::string>& local_devices, double now_s) {
    swift::JsonMembers per_disk;
    if (const auto found = cache.find(per_disk_key); found != cache.end())
        per_disk = swift::split_json_object(found->second).value_or(swift::JsonMembers{});

    Lap all{now_s, 0};
    bool all_reported = true;
    for (const std::string& device : local_devices) {
        const auto lap = lap_of(per_disk, device);
        all_reported = all_reported && lap;
        if (!lap) continue;
        all.start_s = std::min(all.start_s, lap->start_s);
        all.finish_s = std::max(all.finish_s, lap->finish_s);
    }
    swift::ReconUpdate update;
    if (all_reported && all.finish_s > 0)
        update.values = scalars((all.finish_s - all.start_s) / 60, all.finish_s);
    for (const auto& [device, entry] : per_disk) {
        if (!local_devices.contains(device)) update.nested[per_disk_key].emplace(device, "");
    }
    return update;
}

}  // namespace fragmend::app
