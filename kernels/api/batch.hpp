// The items of a batch, as callers describe them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/api/md5_stream.hpp"
#include "kernels/api/rows.hpp"

namespace fragmend::kernels {

/// Computes source `position` back from the other sources and one rebuilt output, and compares.
/// `row` as `gf::check_row` gives it: the output stands at `position`.
struct Check {
    const Rows* row = nullptr;
    std::uint8_t position = 0;
};

/// One segment: out[o] = sum over j of rows[o][j] * sources[j] over `bytes` bytes of payload.
/// Shapes:   rows->sources() sources, rows->outputs() outputs; checks none or one an output;
/// digests
///           none, one a source, or one a source and then one an output. Without rows: no outputs,
///           no checks, up to `sources_max` sources.
/// Units:    payload bytes; pointers to payloads, of any alignment (16 is fast).
/// Digests:  a source's takes [source - prefix_bytes, source + bytes), the whole fragment with its
/// header.
///           An output's takes the payload alone: who writes the header has absorbed it before.
///           A digest that several items of a batch name takes them in the items' order.
/// Lifetime: everything named here lives, and sources do not change, until `Engine::wait` is done.
struct Item {
    const Rows* rows = nullptr;
    std::span<const std::uint8_t* const> sources;
    std::span<std::uint8_t* const> outputs;
    std::size_t bytes = 0;
    std::size_t prefix_bytes = 0;
    std::span<Md5State* const> digests;
    std::span<const Check> checks;

    bool wrong = false;  ///< Set by the engine: a check failed, the outputs must not be used.
};

}  // namespace fragmend::kernels
