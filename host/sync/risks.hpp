// What gathering has shown of objects: which devices that were asked had no fragment.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace fragmend::sync {

/// Memory of the process, network thread only: what one session's gathers reveal orders the next
/// one, also in the next pass. Only an answer changes it: who was not asked is as before. Bounded:
/// a new object takes the place of any other one.
class Risks {
  public:
    static constexpr std::size_t objects_max = 20'000;

    void lacks(const std::string& object_hash, std::uint32_t device_id) {
        if (missing_.size() >= objects_max && !missing_.contains(object_hash))
            missing_.erase(missing_.begin());
        auto& devices = missing_[object_hash];
        if (std::ranges::find(devices, device_id) == devices.end()) devices.push_back(device_id);
    }
    void holds(const std::string& object_hash, std::uint32_t device_id) {
        const auto found = missing_.find(object_hash);
        if (found == missing_.end()) return;
        std::erase(found->second, device_id);
        if (found->second.empty()) missing_.erase(found);
    }
    /// Whether the device had no fragment of it when it was asked last.
    bool is_missing(const std::string& object_hash, std::uint32_t device_id) const {
        const auto found = missing_.find(object_hash);
        return found != missing_.end() &&
               std::ranges::find(found->second, device_id) != found->second.end();
    }
    std::size_t missing(const std::string& object_hash) const {
        const auto found = missing_.find(object_hash);
        return found == missing_.end() ? 0 : found->second.size();
    }

  private:
    std::unordered_map<std::string, std::vector<std::uint32_t>> missing_;
};

}  // namespace fragmend::sync
