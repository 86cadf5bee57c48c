// A batch as the threads see it: plain arrays that a device can hold.
#pragma once

#include <cstdint>

#include "kernels/api/load_store.hpp"
#include "kernels/api/rows.hpp"
#include "kernels/gf/reference.hpp"

namespace fragmend::kernels {

/// One decode or one check. Its pointers are `sources` sources, then its outputs; for a check, what
/// the one output should be. Offsets count pointers and table words.
struct DecodeTask {
    std::uint64_t bytes = 0;
    std::uint32_t item = 0;
    std::uint32_t first_pointer = 0;
    std::uint32_t first_table_word = 0;
    std::uint8_t sources = 0;
    bool aligned = false;  ///< All pointers are multiples of 16.
};

/// Tasks for one launch: same kernel, same number of outputs, decode or check. `tile_columns`
/// columns of one task are a tile, the work of one block; tiles count from 0 in each group.
struct TaskGroup {
    Kernel kernel = Kernel::exclusive_or;
    std::uint8_t sources = 0;  ///< Of all tasks, or 0 when they differ.
    std::uint8_t outputs = 0;
    bool check = false;
    std::uint32_t first_task = 0;
    std::uint32_t task_count = 0;
    std::uint32_t tiles = 0;
    std::uint32_t tile_columns = 0;
};

/// What one MD5 takes from one fragment.
struct StreamPart {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
};

/// All parts of one MD5 in a batch, in order: the work of one thread.
struct StreamTask {
    std::uint32_t first_part = 0;
    std::uint32_t part_count = 0;
};

/// A thread handles 16 bytes of each fragment; of each of the four packets for `packets`.
FRAGMEND_HD constexpr std::uint64_t columns(Kernel kernel, std::uint64_t bytes) {
    if (kernel == Kernel::packets) return bytes / (4 * column_bytes);
    return (bytes + column_bytes - 1) / column_bytes;
}

/// Which task of a group tile `tile` belongs to: the last whose first tile is not beyond it.
/// first_tile[i] is the sum of the tiles of the tasks before i.
FRAGMEND_HD constexpr std::uint32_t task_of_tile(const std::uint32_t* first_tile,
                                                 std::uint32_t task_count, std::uint32_t tile) {
    std::uint32_t low = 0;
    std::uint32_t high = task_count;
    while (high - low > 1) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (first_tile[middle] <= tile) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

}  // namespace fragmend::kernels
