// Equal objects of one scheme with one fragment lost, as the codec and its rivals read them.
#pragma once

#include <memory>
#include <vector>

#include "host/codec/library.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::bench {

struct Shape {
    codec::EcScheme scheme;
    std::size_t segment_bytes = 0;
    std::size_t count = 1;  ///< Objects.
};

/// Fragment 0 is lost; the survivors are the last k, so that parities take part: data fragments
/// alone would make plain XORs of many patterns. Not movable: items point into it.
class Objects {
  public:
    Objects(scheduler::Codec& codec, const codec::LibraryInstance& library, const Shape& shape);
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;

    std::size_t fragment_bytes() const { return fragment_bytes_; }
    /// Of one object, headers included.
    std::size_t survivor_bytes() const { return survivor_bytes_; }
    const scheduler::DecodePlan& plan() const { return *plan_; }
    std::vector<scheduler::SegmentWork>& items() { return items_; }
    /// The next object in turn.
    scheduler::SegmentWork& next() { return items_[next_++ % items_.size()]; }
    /// Throws when an item failed.
    void check() const;

  private:
    std::size_t fragment_bytes_ = 0;
    std::size_t survivor_bytes_ = 0;
    std::size_t next_ = 0;
    std::shared_ptr<const scheduler::DecodePlan> plan_;
    std::unique_ptr<std::byte[]> memory_;
    std::vector<std::vector<ByteView>> views_;
    std::vector<ByteSpan> outputs_;
    std::vector<scheduler::SegmentWork> items_;
};

}  // namespace fragmend::bench
