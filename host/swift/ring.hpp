// One loaded ring: which devices hold a partition.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/md5.hpp"
#include "host/base/node.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/ring_parts.hpp"

namespace fragmend::swift {

inline Error bad_ring(std::string why) {
    return {errc::bad_ring, std::move(why)};
}

/// An immutable ring. Jobs hold a `std::shared_ptr<const Ring>`, so that one job sees one ring
/// whatever happens to the file; RingFile and the jobs are the owners. Safe from any thread.
/// Source: swift.common.ring.Ring.
class Ring {
  public:
    /// Checks `parts` and derives the tiers. Errors: bad_ring with the reason.
    static Result<std::shared_ptr<const Ring>> make(RingParts parts);

    std::uint64_t partition_count() const { return std::uint64_t{1} << (32 - parts_.part_shift); }
    /// Rows, the last one counted as the fraction that it is.
    double replica_count() const;
    std::uint32_t row_count() const { return row_count_; }
    std::optional<std::int64_t> next_part_power() const { return parts_.next_part_power; }
    std::optional<std::int64_t> version() const { return parts_.version; }
    /// By id; nothing where a device was removed.
    const std::vector<std::optional<Node>>& devices() const { return parts_.devices; }

    std::uint32_t partition_of(const Md5Digest& object_hash) const;
    /// `object_hash` is the 32 lower-case hex digits of a hash directory.
    std::uint32_t partition_of(std::string_view object_hash) const;

    /// The nodes responsible for `partition`; a node's place in the list is its primary index.
    /// A device that occurs twice counts once, which shifts all later ones down. Empty for a
    /// partition that the ring does not have.
    std::vector<Node> primaries(std::uint32_t partition) const;
    /// The ids of the same.
    std::vector<std::uint32_t> primary_ids(std::uint32_t partition) const;
    /// The place of a device in that list; nothing when it is no primary.
    std::optional<std::size_t> primary_index(std::uint32_t partition,
                                             std::uint32_t device_id) const;

    /// Whether an erasure-coded policy can use this ring: exactly (k + m) * duplication replicas.
    /// Errors: bad_ring. Source: swift.common.storage_policy.ECStoragePolicy.validate_ring_data.
    Result<void> check_fits(const Policy& policy) const;

  private:
    friend class HandoffWalk;

    // The failure domains of one device, numbered among the devices that hold partitions.
    struct Tiers {
        std::uint32_t region = 0;
        std::uint32_t zone = 0;
        std::uint32_t ip = 0;
    };

    explicit Ring(RingParts parts) : parts_(std::move(parts)) {}
    Result<void> check_shape();
    Result<void> check_ids();
    void derive_tiers();
    std::optional<std::uint32_t> device_at(std::uint32_t row, std::uint64_t partition) const;

    RingParts parts_;
    std::uint32_t row_count_ = 0;
    std::vector<bool> assigned_;  // By device id.
    std::vector<Tiers> tiers_;    // By device id; of assigned devices only.
    std::uint32_t region_count_ = 0;
    std::uint32_t zone_count_ = 0;
    std::uint32_t ip_count_ = 0;
    std::uint32_t assigned_count_ = 0;
};

using RingPtr = std::shared_ptr<const Ring>;

}  // namespace fragmend::swift
