// The running MD5s of one object's survivors, wherever they are computed.
#pragma once

#include <vector>

#include "host/codec/md5_lanes.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::codec {

/// Made by `CpuCodec::digests`. The states live here between batches, on the host, so that a lost
/// device takes nothing with it. Owned by the object's rebuild; touched by one batch at a time.
class CpuDigests final : public scheduler::SurvivorDigests {
  public:
    explicit CpuDigests(std::size_t survivor_count) : streams_(survivor_count) {}
    Md5Digest finish(std::size_t position) override { return codec::finish(streams_.at(position)); }
    std::span<Md5Stream> streams() { return streams_; }

  private:
    std::vector<Md5Stream> streams_;
};

/// The streams behind an item's digests; none when it has none.
std::span<Md5Stream> streams_of(const scheduler::SegmentWork& item);

}  // namespace fragmend::codec
