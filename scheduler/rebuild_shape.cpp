// Rounds, slots, charges and the vote on the piece length.
#include "scheduler/rebuild_shape.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "host/base/buffer_pool.hpp"

namespace fragmend::scheduler {
namespace {

constexpr std::size_t payload_alignment = 64;
/// Before the header, so that the payload behind its 80 bytes is aligned.
constexpr std::size_t lead_bytes = 2 * payload_alignment - fragment_header_bytes;

}  // namespace

std::size_t RebuildShape::bytes_of_round(std::uint64_t round) const {
    FRAGMEND_ASSERT(round < rounds);
    if (round + 1 < rounds) return piece_bytes;
    return static_cast<std::size_t>(archive_bytes - (rounds - 1) * piece_bytes);
}

std::size_t RebuildShape::stride_bytes() const {
    // One byte more than a piece: the last read asks for it, to see that the archive ends.
    const std::size_t bytes = lead_bytes + piece_bytes + 1;
    return (bytes + payload_alignment - 1) / payload_alignment * payload_alignment;
}

std::size_t RebuildShape::charge_bytes() const {
    std::size_t bytes = BufferPool::capacity_for(input_bytes());
    for (std::size_t output = 0; output < outputs; ++output)
        bytes += BufferPool::capacity_for(output_bytes(output));
    return bytes;
}

ByteSpan RebuildShape::slot(ByteSpan slab, std::size_t index) const {
    return slab.subspan(index * stride_bytes() + lead_bytes, piece_bytes + 1);
}

std::size_t survivors_max(const EcScheme& scheme) {
    const int most = scheme.ec_type.starts_with("flat_xor") ? scheme.n() - 1 : scheme.k;
    return static_cast<std::size_t>(most);
}

Result<RebuildShape> fit_shape(const EcScheme& scheme, std::uint64_t archive_bytes,
                               std::size_t piece_bytes, const RebuildLimits& limits,
                               std::size_t bytes_max, std::size_t outputs) {
    FRAGMEND_ASSERT(archive_bytes > 0 && piece_bytes > 0 && outputs > 0);
    RebuildShape shape;
    shape.outputs = outputs;
    shape.archive_bytes = archive_bytes;
    shape.piece_bytes =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, archive_bytes));
    shape.rounds = (archive_bytes + shape.piece_bytes - 1) / shape.piece_bytes;
    shape.survivors_max = survivors_max(scheme);
    const auto at_most_rounds = [&shape](std::size_t count) {
        return static_cast<std::size_t>(
            std::min<std::uint64_t>(std::max<std::size_t>(count, 1), shape.rounds));
    };
    shape.input_sets = at_most_rounds(limits.input_sets);
    shape.hold_all = archive_bytes <= limits.hold_back_bytes_max;
    const std::size_t window = at_most_rounds(limits.output_slots);
    shape.output_slots = shape.hold_all ? static_cast<std::size_t>(shape.rounds) : window;
    if (shape.charge_bytes() <= bytes_max) return shape;
    shape.input_sets = 1;
    if (shape.charge_bytes() <= bytes_max) return shape;
    shape.hold_all = false;
    shape.output_slots = std::min(shape.output_slots, window);
    if (shape.charge_bytes() <= bytes_max) return shape;
    shape.output_slots = 1;
    if (shape.charge_bytes() <= bytes_max) return shape;
    return Error{errc::limit, "pieces of " + std::to_string(shape.piece_bytes) + " bytes need " +
                                  std::to_string(shape.charge_bytes()) +
                                  " bytes of memory, there are " + std::to_string(bytes_max) +
                                  " (fragmend_memory_limit)"};
}

RebuildCharge charge_of(const RebuildShape& shape, const RebuildLimits& limits,
                        std::size_t bytes_max) {
    FRAGMEND_ASSERT(shape.charge_bytes() <= bytes_max);
    RebuildCharge charge;
    charge.slab_bytes = shape.charge_bytes();
    const std::size_t room = bytes_max - charge.slab_bytes;
    const std::size_t least = limits.object_bytes + shape.survivors_max * limits.survivor_bytes;
    charge.outside_bytes = std::min(least, room);
    if (shape.archive_bytes > limits.receive_whole_bytes_max) return charge;
    const std::size_t whole =
        least + shape.survivors_max * static_cast<std::size_t>(shape.archive_bytes);
    charge.receives_whole = whole <= room;
    if (charge.receives_whole) charge.outside_bytes = whole;
    return charge;
}

bool pieces_fit(std::uint64_t archive_bytes, std::size_t piece_bytes) {
    if (piece_bytes <= fragment_header_bytes || archive_bytes == 0) return false;
    const std::uint64_t last = archive_bytes % piece_bytes;
    return last == 0 || last > fragment_header_bytes;
}

PieceChoice choose_piece(std::size_t expected, bool known, std::uint64_t archive_bytes,
                         std::span<const std::optional<std::size_t>> announced) {
    const auto can_be = [archive_bytes](const std::optional<std::size_t>& piece) {
        return piece && *piece > fragment_header_bytes && *piece <= archive_bytes;
    };
    std::map<std::size_t, std::size_t> votes;
    for (const auto& piece : announced) {
        if (can_be(piece)) ++votes[*piece];
    }
    PieceChoice choice;
    std::size_t most = 0;
    for (const auto& [piece, count] : votes) {
        if (count > most || (count == most && piece == expected)) {
            most = count;
            choice.piece_bytes = piece;
        }
    }
    if (known && votes.contains(expected)) choice.piece_bytes = expected;
    for (std::size_t position = 0; position < announced.size(); ++position) {
        if (announced[position] != choice.piece_bytes) choice.outvoted.push_back(position);
    }
    return choice;
}

}  // namespace fragmend::scheduler
