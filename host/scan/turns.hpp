// Whose turn it is: the devices that send to one target share its partitions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fragmend::scan {

/// A primary is the left, the right and the far partner of three others, which makes three rounds.
inline constexpr std::size_t rounds_max = 3;

/// The round of a pass in which primary `own` sends what primary `target` lacks; in earlier rounds
/// it only looks whether something is lacking. For every partition and target each of the primaries
/// that have the target for a partner has another round, from 0 on, and from one partition to the
/// next they take turns. So those who are alive rebuild different partitions of a lost device
/// first, and what a dead one would have done is done by the others in their next round.
/// `own` and `target` are places in the ring's row of `partition`, which has `primaries` places.
std::size_t round_of(std::uint32_t partition, std::size_t own, std::size_t target,
                     std::size_t primaries);

}  // namespace fragmend::scan
