// Which survivors failed an object before: left out when the object is tried again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fragmend::sync {

/// Memory of one pass, on the network thread. A survivor that was caught with wrong bytes, or that
/// failed while it was read, is not asked again for this object in this pass, whichever session
/// tries. Bounded: past `objects_max` objects nothing more is learned, and the retry finds out by
/// itself.
class Suspects {
  public:
    static constexpr std::size_t objects_max = 100'000;

    void add(const std::string& object_hash, std::uint32_t device_id) {
        if (by_object_.size() >= objects_max && !by_object_.contains(object_hash)) return;
        auto& devices = by_object_[object_hash];
        for (std::uint32_t known : devices) {
            if (known == device_id) return;
        }
        devices.push_back(device_id);
    }
    std::vector<std::uint32_t> of(const std::string& object_hash) const {
        const auto found = by_object_.find(object_hash);
        return found == by_object_.end() ? std::vector<std::uint32_t>() : found->second;
    }

  private:
    std::map<std::string, std::vector<std::uint32_t>> by_object_;
};

}  // namespace fragmend::sync
