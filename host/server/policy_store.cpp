// Where an object may lie.
#include "host/server/policy_store.hpp"

namespace fragmend::server {

void PolicyStore::refresh_ring() const {
    if (ring_file != nullptr) ring_file->current(disk.clock->steady());
}

bool PolicyStore::belongs(std::string_view object_hash, std::string_view partition) const {
    if (ring_file == nullptr) return true;
    const auto number = parse_digits(partition);
    if (!number) return false;
    const auto ring = ring_file->known();
    const std::uint64_t own = ring->partition_of(object_hash);
    if (own == *number) return true;
    // While the part power grows, partition p becomes 2p and 2p + 1, and both sides still write.
    return ring->next_part_power().has_value() && (*number / 2 == own || own / 2 == *number);
}

}  // namespace fragmend::server
