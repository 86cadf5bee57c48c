// Lending from the budget.
#include "scheduler/memory_budget.hpp"

#include <string>

namespace fragmend::scheduler {

std::size_t partitions_within(std::size_t limit_bytes, std::size_t sessions, std::size_t most) {
    const std::size_t taken = sessions * session_bytes + hashing_bytes;
    const std::size_t room = limit_bytes / 2 - std::min(limit_bytes / 2, taken);
    const std::size_t least = std::min(most, std::max(partitions_min, sessions));
    return std::clamp(room / partition_bytes, least, most);
}

std::size_t lendable_bytes(std::size_t limit_bytes, std::size_t sessions, std::size_t partitions) {
    const std::size_t hashes = partitions > 0 ? hashing_bytes + partitions * partition_bytes : 0;
    const std::size_t taken = sessions * session_bytes + hashes;
    return limit_bytes - std::min(limit_bytes / 2, taken);
}

Awaitable<Result<MemoryBudget::Permit>> MemoryBudget::acquire(std::size_t bytes,
                                                              Semaphore::Cancel* cancel) {
    if (bytes > capacity_bytes()) {
        co_return Error{errc::limit,
                        std::to_string(bytes) +
                            " bytes of memory are needed and fragmend_memory_limit is " +
                            std::to_string(capacity_bytes())};
    }
    if (make_room_ && bytes > capacity_bytes() - in_use_bytes()) make_room_(bytes);
    auto waiting =
        cancel == nullptr ? semaphore_.acquire(bytes) : semaphore_.acquire(bytes, *cancel);
    Result<Permit> permit = co_await std::move(waiting);
    peak_bytes_ = std::max(peak_bytes_, in_use_bytes());
    co_return permit;
}

}  // namespace fragmend::scheduler
