// The opcodes of a pickle that push one number or one string.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "host/swift/pickle.hpp"
#include "host/swift/pickle_input.hpp"

namespace fragmend::swift {

using PickleScalar = std::variant<PickleNone, bool, std::int64_t, double, PickleText, PickleBytes>;

bool is_pickle_scalar(std::uint8_t opcode);
/// Reads what follows a scalar opcode; nothing if it is cut short or malformed.
std::optional<PickleScalar> read_pickle_scalar(std::uint8_t opcode, PickleInput& input);

/// A whole line as a decimal number of 64 bits.
std::optional<std::int64_t> pickle_decimal(std::optional<std::string_view> line);

}  // namespace fragmend::swift
