// Encoding and laying out.
#include "bench/codec/objects.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>

namespace fragmend::bench {

Objects::Objects(scheduler::Codec& codec, const codec::LibraryInstance& library,
                 const Shape& shape) {
    std::mt19937_64 random(1);
    std::vector<std::byte> segment(shape.segment_bytes);
    std::ranges::generate(segment, [&] { return static_cast<std::byte>(random()); });
    const auto fragments = library.encode(segment).value();
    fragment_bytes_ = fragments.front().size();
    std::vector<std::uint8_t> available;
    for (int i = shape.scheme.n() - 1; i >= 0; --i) {
        available.push_back(static_cast<std::uint8_t>(i));
    }
    const auto survivors = codec.choose_survivors(shape.scheme, available, 0).value();
    plan_ = codec.plan(shape.scheme, survivors, 0).value();
    survivor_bytes_ = survivors.size() * fragment_bytes_;
    memory_ = std::make_unique<std::byte[]>(shape.count * (survivor_bytes_ + fragment_bytes_));
    items_.resize(shape.count);
    views_.resize(shape.count);
    outputs_.resize(shape.count);
    std::byte* next = memory_.get();
    for (std::size_t i = 0; i < shape.count; ++i) {
        for (std::uint8_t index : survivors) {
            std::memcpy(next, fragments[index].data(), fragment_bytes_);
            views_[i].emplace_back(next, fragment_bytes_);
            next += fragment_bytes_;
        }
        items_[i].plan = plan_;
        items_[i].survivors = views_[i];
        outputs_[i] = {next, fragment_bytes_};
        items_[i].outputs = std::span(&outputs_[i], 1);
        next += fragment_bytes_;
    }
}

void Objects::check() const {
    for (const scheduler::SegmentWork& item : items_) {
        if (item.error) throw std::runtime_error(item.error->detail);
    }
}

}  // namespace fragmend::bench
