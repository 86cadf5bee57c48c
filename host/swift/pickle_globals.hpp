// The globals that a pickle may name, each done here instead of looked up.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "host/swift/pickle_nodes.hpp"

namespace fragmend::swift {

/// Nothing for every name that pickles of this subject have no use for.
std::optional<PickleGlobal> pickle_global(std::string_view module, std::string_view name,
                                          PickleSubject subject);

/// What a call with these arguments makes; nothing for a call that no pickle of Swift contains.
/// Source: CPython's Modules/arraymodule.c for what arrays leave in a pickle.
std::optional<PickleNode> call_pickle_global(PickleGlobal global,
                                             std::span<const PickleNodeIndex> arguments,
                                             PickleNodes& nodes, const PickleLimits& limits);

}  // namespace fragmend::swift
