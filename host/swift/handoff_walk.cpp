// The nodes that stand in for a partition's primaries, in Swift's order.
#include "host/swift/handoff_walk.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace fragmend::swift {
namespace {

constexpr std::uint64_t looks_max = 65536;

// Marks `at`, and counts it when it was not marked before.
void mark(std::vector<bool>& marks, std::uint32_t at, std::uint32_t& count) {
    if (!marks[at]) ++count;
    marks[at] = true;
}

}  // namespace

HandoffWalk::HandoffWalk(RingPtr ring, std::uint32_t partition)
    : ring_(std::move(ring)),
      used_(ring_->devices().size()),
      regions_(ring_->region_count_),
      zones_(ring_->zone_count_),
      ips_(ring_->ip_count_) {
    for (const std::uint32_t id : ring_->primary_ids(partition))
        take(id);
    Md5 md5;
    md5.update(std::to_string(partition));
    start_ = ring_->partition_of(md5.finish());
    increment_ = std::max<std::uint64_t>(ring_->partition_count() / looks_max, 1);
    start_pass(Pass::regions);
}

bool HandoffWalk::pass_complete() const {
    switch (pass_) {
        case Pass::regions:
            return region_count_ == ring_->region_count_;
        case Pass::zones:
            return zone_count_ == ring_->zone_count_;
        case Pass::ips:
            return ip_count_ == ring_->ip_count_;
        case Pass::devices:
            return used_count_ == ring_->assigned_count_;
        case Pass::over:
            return true;
    }
    return true;
}

bool HandoffWalk::is_wanted(std::uint32_t id) const {
    if (used_[id]) return false;
    const Ring::Tiers& tiers = ring_->tiers_[id];
    switch (pass_) {
        case Pass::regions:
            return !regions_[tiers.region];
        case Pass::zones:
            return !zones_[tiers.zone];
        case Pass::ips:
            return !ips_[tiers.ip];
        default:
            return true;
    }
}

void HandoffWalk::take(std::uint32_t id) {
    const Ring::Tiers& tiers = ring_->tiers_[id];
    mark(used_, id, used_count_);
    mark(regions_, tiers.region, region_count_);
    mark(zones_, tiers.zone, zone_count_);
    mark(ips_, tiers.ip, ip_count_);
}

void HandoffWalk::start_pass(Pass pass) {
    pass_ = pass;
    partition_ = start_;
    row_ = 0;
    wrapped_ = false;
}

// Goes to the next row, partition or pass. After the end of the ring the visit goes on at what
// would be one increment further, which for an increment of 1 leaves partition 0 out, as in Swift.
void HandoffWalk::step() {
    if (++row_ < ring_->row_count()) return;
    row_ = 0;
    partition_ += increment_;
    const std::uint64_t count = ring_->partition_count();
    if (!wrapped_ && partition_ >= count) {
        wrapped_ = true;
        partition_ = increment_ - (count - start_) % increment_;
    }
    if (wrapped_ && partition_ >= start_) {
        start_pass(static_cast<Pass>(static_cast<std::uint8_t>(pass_) + 1));
    }
}

std::optional<Handoff> HandoffWalk::next() {
    while (pass_ != Pass::over) {
        if (pass_complete()) {
            start_pass(static_cast<Pass>(static_cast<std::uint8_t>(pass_) + 1));
            continue;
        }
        const auto id = ring_->device_at(row_, partition_);
        const bool wanted = id && is_wanted(*id);
        if (wanted) take(*id);
        step();
        if (wanted) return Handoff{*ring_->devices()[*id], emitted_++};
    }
    return std::nullopt;
}

}  // namespace fragmend::swift
