// Hostile ring files. The first byte chooses: a packed file, or the unpacked bytes of version 1, 2
// or 0 (as 3), which a fuzzer could hardly reach through the checksums of gzip.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/swift/handoff_walk.hpp"
#include "host/swift/ring_decode.hpp"

using namespace fragmend;

namespace {

void use(const swift::RingPtr& ring) {
    const auto partitions = static_cast<std::uint32_t>(ring->partition_count() - 1);
    for (const std::uint32_t partition : {0u, partitions / 2, partitions}) {
        const auto primaries = ring->primaries(partition);
        FRAGMEND_ASSERT(!primaries.empty() && primaries.size() <= ring->row_count());
        for (std::size_t index = 0; index < primaries.size(); ++index) {
            FRAGMEND_ASSERT(ring->primary_index(partition, primaries[index].id) == index);
        }
        swift::HandoffWalk walk(ring, partition);
        std::size_t count = 0;
        while (const auto handoff = walk.next()) {
            FRAGMEND_ASSERT(handoff->handoff_index == count++);
            FRAGMEND_ASSERT(!ring->primary_index(partition, handoff->node.id));
        }
        FRAGMEND_ASSERT(count + primaries.size() <= ring->devices().size());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const swift::RingLimits limits{
        .unpacked_bytes_max = 1u << 20, .json_bytes_max = 1u << 16, .pickle_items_max = 20'000};
    if (data[0] == 0) {
        const auto ring = swift::decode_ring(as_bytes_view(bytes), limits);
        if (ring) use(*ring);
        return 0;
    }
    auto parts = data[0] == 1   ? swift::parse_ring_v1(bytes, limits)
                 : data[0] == 2 ? swift::parse_ring_v2(bytes, limits)
                                : swift::parse_ring_v0(bytes, limits);
    if (!parts) return 0;
    const auto ring = swift::Ring::make(std::move(*parts));
    if (ring) use(*ring);
    return 0;
}
