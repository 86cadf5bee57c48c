// Dealing devices out.
#include "host/app/worker_plan.hpp"

#include <algorithm>

namespace fragmend::app {

std::string Share::log_prefix(int pid) const {
    if (!is_worker()) return {};
    return "[worker " + std::to_string(worker_index + 1) + "/" + std::to_string(worker_count) +
           " pid=" + std::to_string(pid) + "] ";
}

std::vector<Share> deal_out(std::int64_t workers_max, const std::set<std::string>& local_devices,
                            const std::vector<std::string>& overrides,
                            const std::vector<std::uint64_t>& partitions) {
    std::vector<std::string> devices;
    for (const std::string& device : local_devices) {
        if (overrides.empty() || std::ranges::find(overrides, device) != overrides.end())
            devices.push_back(device);
    }
    if (devices.empty()) return {Share{overrides, partitions, 0, 1}};
    const auto count = static_cast<std::size_t>(
        std::clamp<std::int64_t>(workers_max, 1, static_cast<std::int64_t>(devices.size())));
    std::vector<Share> shares(count);
    for (std::size_t i = 0; i < devices.size(); ++i)
        shares[i % count].devices.push_back(std::move(devices[i]));
    for (std::size_t i = 0; i < count; ++i) {
        shares[i].partitions = partitions;
        shares[i].worker_index = static_cast<int>(i);
        shares[i].worker_count = static_cast<int>(count);
    }
    return shares;
}

}  // namespace fragmend::app
