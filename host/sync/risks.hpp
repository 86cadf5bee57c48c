// What gathering and comparing have shown: who had no fragment of an object, who has lost most of
// what is his.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fragmend::sync {

/// Memory of the process, network thread only: what one session's gathers reveal orders the next
/// one, and what suffix hashes tell of devices orders the partitions, also in the next pass. Only
/// an answer changes it: who was not asked is as before. Bounded: a new object takes the place of
/// any other one; devices are as many as the rings have.
class Risks {
  public:
    static constexpr std::size_t objects_max = 20'000;
    /// A device that is filled again has whole partitions and empty ones: it counts as lost until
    /// so many in a row were whole.
    static constexpr int whole_answers = 16;

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

    /// A partition of the device was compared: most of what it should have is missing, or nobody
    /// answered for it; or not.
    void compared(int policy_index, std::uint32_t device_id, bool is_lost) {
        if (is_lost) {
            losses_changed_ +=
                lost_.insert_or_assign({policy_index, device_id}, whole_answers).second;
            return;
        }
        const auto found = lost_.find({policy_index, device_id});
        if (found == lost_.end() || --found->second > 0) return;
        lost_.erase(found);
        ++losses_changed_;
    }
    /// Policy index and device id, which is its ring's: a device that is thought to be lost, or to
    /// be empty, and how many whole answers it lacks.
    using Losses = std::map<std::pair<int, std::uint32_t>, int>;
    const Losses& losses() const { return lost_; }
    /// How often one has joined or left them.
    std::uint64_t losses_changed() const { return losses_changed_; }

  private:
    std::unordered_map<std::string, std::vector<std::uint32_t>> missing_;
    Losses lost_;
    std::uint64_t losses_changed_ = 0;
};

}  // namespace fragmend::sync
