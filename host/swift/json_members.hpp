// A JSON object taken apart into members whose values stay as they were written.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fragmend::swift {

/// Members by name (UTF-8), each with the text of its value. What is not looked into keeps every
/// byte: numbers their digits, strings their escapes. Ordered as Python's `sort_keys` orders.
using JsonMembers = std::map<std::string, std::string, std::less<>>;

/// Nothing unless `text` is one JSON object as Python's json.loads accepts it (NaN and Infinity
/// included; of equal names the last one counts), at most `json_depth_max` levels deep. Members
/// whose names are no Unicode are left out.
std::optional<JsonMembers> split_json_object(std::string_view text);
inline constexpr std::size_t json_depth_max = 500;

/// The object again, in the form of json.dumps(sort_keys=True).
std::string join_json_object(const JsonMembers& members);

/// A string as json.dumps(ensure_ascii=True) writes it; of what is no UTF-8 only the ASCII is kept.
std::string json_string(std::string_view utf8);
/// A finite number with the digits of Python's repr().
std::string json_number(double value);

}  // namespace fragmend::swift
