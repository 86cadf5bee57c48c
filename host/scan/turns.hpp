// Whose turn it is: the devices that send to one target share its partitions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fragmend::scan {

/// A primary shares its three partners with at most six others, so seven rounds are always enough.
/// Rings of six have three.
inline constexpr std::size_t rounds_max = 7;

/// For each place of a ring row of `primaries` >= 2 places a colour, such that all who have the
/// same partner (`partners_of`) have different ones.
std::vector<std::size_t> colours_of(std::size_t primaries);

/// The round of a pass in which primary `own` sends what its partners lack; in earlier rounds it
/// only looks whether something is lacking. The senders of a target have different rounds, and from
/// one partition to the next they take turns. So those who are alive rebuild different partitions
/// of a lost device first, and what a dead one would have done is done by the others in a later
/// round. It is one round for all partners: who serves two targets reads the survivors once. `own`
/// is a place in the ring's row of `partition`, which has `primaries` places.
std::size_t round_of(std::uint32_t partition, std::size_t own, std::size_t primaries);

}  // namespace fragmend::scan
