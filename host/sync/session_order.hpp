// The order in which one session serves what the receiver wants.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "host/base/timestamp.hpp"
#include "host/sync/risks.hpp"
#include "host/sync/session_plan.hpp"
#include "transport/ssync/ports.hpp"

namespace fragmend::sync {

/// Remembers how old the offered objects are, 16 bytes each, and sorts the wanted ones by risk.
class SessionOrder {
  public:
    /// Of more than these the age is not known: they come as if they were the newest.
    static constexpr std::size_t offers_max = 65'536;

    void offered(const ObjectHash& object_hash, const Timestamp& data);
    /// Puts the objects in the order of scheduler::risk_order and forgets the offers. Fragments
    /// count as missing that nobody had of late, and those that later targets of `plan` may lack.
    void sort(std::vector<transport::ssync::Wanted>& objects, const SessionPlan& plan,
              const Risks* risks);

  private:
    /// Half of the hash, and the time: two objects that share the half share an age, no more.
    std::vector<std::pair<std::uint64_t, std::int64_t>> offers_;
};

}  // namespace fragmend::sync
