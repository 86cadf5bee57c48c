// The most recently used decode plans.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "host/codec/fragment_plan.hpp"

namespace fragmend::codec {

/// Which plan.
struct PlanKey {
    EcScheme scheme;
    std::vector<std::uint8_t> survivors;
    std::vector<std::uint8_t> wanted;

    auto operator<=>(const PlanKey&) const = default;
};

/// Keeps at most `plans_max` plans and forgets the one that was not asked for longest; items in
/// flight keep theirs alive. Thread-safe.
class PlanCache {
  public:
    explicit PlanCache(std::size_t plans_max) : plans_max_(plans_max) {}

    /// Null when it is not here.
    std::shared_ptr<const FragmentPlan> find(const PlanKey& key);
    void insert(PlanKey key, std::shared_ptr<const FragmentPlan> plan);
    void clear();
    std::size_t size() const;

  private:
    struct Entry {
        const PlanKey* key;  ///< In `by_key_`, whose nodes stay in place.
        std::shared_ptr<const FragmentPlan> plan;
    };
    const std::size_t plans_max_;
    mutable std::mutex mutex_;
    std::list<Entry> by_use_;  ///< The most recent first.
    std::map<PlanKey, std::list<Entry>::iterator> by_key_;
};

}  // namespace fragmend::codec
