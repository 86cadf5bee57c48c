// What gathering has shown of objects: how many of those asked had no fragment.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

namespace fragmend::sync {

/// Memory of the process, network thread only: what one session's gathers reveal orders the next
/// one, also in the next pass. Bounded: a new object takes the place of any other one.
class Risks {
  public:
    static constexpr std::size_t objects_max = 20'000;

    /// The survivors of an object were looked for, and so many candidates had none. Says nothing
    /// about those that were not asked.
    void gathered(const std::string& object_hash, std::size_t missing) {
        if (missing == 0) {
            missing_.erase(object_hash);
            return;
        }
        if (missing_.size() >= objects_max && !missing_.contains(object_hash))
            missing_.erase(missing_.begin());
        missing_[object_hash] = missing;
    }
    std::size_t missing(const std::string& object_hash) const {
        const auto found = missing_.find(object_hash);
        return found == missing_.end() ? 0 : found->second;
    }

  private:
    std::unordered_map<std::string, std::size_t> missing_;
};

}  // namespace fragmend::sync
