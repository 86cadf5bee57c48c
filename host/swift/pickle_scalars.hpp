// The opcodes of a pickle that push one number or one string.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/swift/pickle_input.hpp"
#include "host/swift/pickle_nodes.hpp"

namespace fragmend::swift {

/// Reads what follows the opcode of a number; nothing if it is cut short or malformed.
std::optional<PickleNode> read_pickle_number(std::uint8_t opcode, PickleInput& input);
/// Reads what follows the opcode of a string; what escapes stand for is kept in `nodes`. Nothing if
/// it is cut short or malformed.
std::optional<PickleNode> read_pickle_string(std::uint8_t opcode, PickleInput& input,
                                             PickleNodes& nodes);

/// A whole line as a decimal number of 64 bits.
std::optional<std::int64_t> pickle_decimal(std::optional<std::string_view> line);

}  // namespace fragmend::swift
