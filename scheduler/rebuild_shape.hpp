// How one object is cut into rounds and how much memory its rebuild takes: arithmetic, no I/O.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "scheduler/fragment_source.hpp"

namespace fragmend::scheduler {

/// Source: liberasurecode fragment_header_t.
inline constexpr std::size_t fragment_header_bytes = 80;
using FragmentHeader = std::array<std::byte, fragment_header_bytes>;

struct RebuildLimits {
    /// An archive up to this length is sent only after all of it is verified, so that a bad
    /// survivor costs nothing but a second try. Longer ones hold back their last piece.
    std::size_t hold_back_bytes_max = std::size_t{1} << 20;
    /// Pieces of a longer archive that may be rebuilt ahead of the session.
    std::size_t output_slots = 4;
    /// Rounds of survivor bytes in memory: 2 reads round r + 1 while round r is decoded.
    std::size_t input_sets = 2;
    /// An archive up to this length is received whole while its survivors are opened, so that a
    /// short or broken one is replaced at once.
    std::size_t receive_whole_bytes_max = 32 * 1024;
    /// What an object takes beside its slabs: names, plan, digests, coroutines; and each of its
    /// survivors: a connection, the head of its answer.
    std::size_t object_bytes = 12 * 1024;
    std::size_t survivor_bytes = 8 * 1024;
    /// Fresh sets of survivors that are tried for one object.
    int attempts_max = 4;
    /// Waited longer than this for the session, an attempt takes a survivor's hang-up for what it
    /// is: a Swift server gives up a client that does not read for client_timeout (60 s).
    std::chrono::milliseconds stall_ms_max{5000};
};

/// One object's rounds and its memory. A round is one piece of every survivor and one piece of
/// output.
struct RebuildShape {
    std::uint64_t archive_bytes = 0;
    std::size_t piece_bytes =
        0;  ///< A whole fragment, header included; the last piece may be shorter.
    std::uint64_t rounds = 0;
    std::size_t survivors_max = 0;
    std::size_t input_sets = 0;
    std::size_t output_slots = 0;
    /// Fragments that are rebuilt side by side, each with its own slab. All but the first have room
    /// for the whole archive: their consumers come later.
    std::size_t outputs = 1;
    bool hold_all = false;  ///< Nothing is sent before everything is verified.

    std::size_t bytes_of_round(std::uint64_t round) const;
    /// From one slot to the next in a slab.
    std::size_t stride_bytes() const;
    std::size_t input_bytes() const { return input_sets * survivors_max * stride_bytes(); }
    std::size_t slots_of(std::size_t output) const {
        return output == 0 ? output_slots : static_cast<std::size_t>(rounds);
    }
    std::size_t output_bytes(std::size_t output = 0) const {
        return slots_of(output) * stride_bytes();
    }
    /// What all slabs take from the budget.
    std::size_t charge_bytes() const;
    /// Slot `index` of `slab`: room for a piece and one byte more, the payload 64-byte aligned.
    ByteSpan slot(ByteSpan slab, std::size_t index) const;
};

/// The most survivors that a plan of `scheme` asks for: k, or all others for a flat XOR code.
std::size_t survivors_max(const EcScheme& scheme);

/// The shape of `archive_bytes` > 0 in pieces of `piece_bytes`, reduced step by step until it takes
/// at most `bytes_max` with `outputs`: one input set, no more held back than the last piece, a
/// window of one. Errors: limit.
Result<RebuildShape> fit_shape(const EcScheme& scheme, std::uint64_t archive_bytes,
                               std::size_t piece_bytes, const RebuildLimits& limits,
                               std::size_t bytes_max, std::size_t outputs = 1);

/// What a rebuild is charged for while its survivors are open.
struct RebuildCharge {
    std::size_t slab_bytes = 0;     ///< `RebuildShape::charge_bytes`.
    std::size_t outside_bytes = 0;  ///< Everything else.
    bool receives_whole = false;    ///< With the archives of all survivors in receive buffers.
    std::size_t bytes() const { return slab_bytes + outside_bytes; }
};

/// The charge of `shape` in a budget of `bytes_max`, which holds its slabs. Receive buffers are
/// left out where the rest fits without them only; and an object that fits with its slabs alone
/// takes the whole budget: nothing is refused for what goes on around it.
RebuildCharge charge_of(const RebuildShape& shape, const RebuildLimits& limits,
                        std::size_t bytes_max);

/// Whether an archive of `archive_bytes` can consist of pieces of `piece_bytes`: each has a header
/// and at least one byte.
bool pieces_fit(std::uint64_t archive_bytes, std::size_t piece_bytes);

/// Whose first header to believe about the length of a piece.
struct PieceChoice {
    std::size_t piece_bytes = 0;
    std::vector<std::size_t> outvoted;  ///< Positions whose header says something else, or nothing.
};

/// `announced` (`Codec::announced_bytes`) by survivor: `expected` if it is `known` and anybody
/// announces it, otherwise what most announce, `expected` among equals: an operator who changed
/// ec_object_segment_size has objects whose headers agree on another length than the policy's, and
/// one of the survivors may hold another object's archive. What cannot be of an archive of
/// `archive_bytes` counts for nothing; where nothing counts everybody is outvoted.
PieceChoice choose_piece(std::size_t expected, bool known, std::uint64_t archive_bytes,
                         std::span<const std::optional<std::size_t>> announced);

}  // namespace fragmend::scheduler
