// Lending from the budget.
#include "scheduler/memory_budget.hpp"

#include <string>

namespace fragmend::scheduler {

Awaitable<Result<MemoryBudget::Permit>> MemoryBudget::acquire(std::size_t bytes) {
    if (bytes > capacity_bytes()) {
        co_return Error{errc::limit,
                        std::to_string(bytes) +
                            " bytes of memory are needed and fragmend_memory_limit is " +
                            std::to_string(capacity_bytes())};
    }
    if (make_room_ && bytes > capacity_bytes() - in_use_bytes()) make_room_(bytes);
    Result<Permit> permit = co_await semaphore_.acquire(bytes);
    peak_bytes_ = std::max(peak_bytes_, in_use_bytes());
    co_return permit;
}

}  // namespace fragmend::scheduler
