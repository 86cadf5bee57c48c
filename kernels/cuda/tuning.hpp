// Every number of the device part that a measurement may change.
//
// | number | device | date | command                      | why                         |
// |--------|--------|------|------------------------------|-----------------------------|
// | all    | none   |      | fragmend_kernel_bench --json | estimates, not yet measured |
#pragma once

#include <cstdint>

namespace fragmend::cuda::tuning {

/// Threads of a decode block.
inline constexpr unsigned decode_threads = 128;
/// Columns of 16 bytes a tile: each thread takes four, so a tile's set-up is spread over 8 KiB of
/// each source.
inline constexpr std::uint32_t tile_columns = 512;
/// Decode blocks a multiprocessor at most; each walks over tiles, so that a launch of many thousand
/// tiles does not pay for as many blocks.
inline constexpr unsigned decode_blocks_a_multiprocessor = 16;
/// Few, so that a few hundred streams spread over all multiprocessors.
inline constexpr unsigned md5_threads = 32;
/// How long a slot's thread looks at an event without sleeping: a sleep of any length takes 70 us
/// or more, and a small batch is done before.
inline constexpr unsigned spin_us = 30;
/// How long it then sleeps between looks.
inline constexpr unsigned poll_us = 20;
/// A batch that is under way for longer is looked at only so often.
inline constexpr unsigned prompt_ms = 1000;
inline constexpr unsigned late_poll_us = 10'000;

}  // namespace fragmend::cuda::tuning
