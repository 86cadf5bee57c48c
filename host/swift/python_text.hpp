// Text as Python's str methods see it, on UTF-8 bytes: white space, strip, int(), float(), lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fragmend::swift {

/// True for the code points that str.isspace() names, which is also what `\s` matches.
bool is_python_space(char32_t code_point);

/// str.strip(), str.lstrip(), str.rstrip() without arguments.
std::string_view strip(std::string_view text);
std::string_view lstrip(std::string_view text);
std::string_view rstrip(std::string_view text);

/// How many code points of white space lead `text`.
std::size_t indent_of(std::string_view text);

/// Lower case for ASCII; other letters stay as they are, no Swift option contains one.
std::string lower_ascii(std::string_view text);

/// True for well-formed UTF-8 as Python's strict decoder accepts it.
bool is_valid_utf8(std::string_view text);
/// Every byte as the code point of the same number, and back. `to_latin1` needs code points <=
/// 0xff.
std::string from_latin1(std::string_view bytes);
std::optional<std::string> to_latin1(std::string_view utf8);

/// int(text): blanks around, one sign, digits with single underscores between them.
/// Nothing for other text and for what does not fit into 64 bits.
std::optional<std::int64_t> python_int(std::string_view text);
/// The same where a number beyond 64 bits is merely a large one: the nearest that fits.
std::optional<std::int64_t> python_int_saturated(std::string_view text);

/// float(text), with `inf` and `nan` as Python reads them.
std::optional<double> python_float(std::string_view text);

/// swift.common.utils.config_true_value: true 1 yes on t y in any case, all else is false.
bool config_true_value(std::string_view text);

/// swift.common.utils.list_from_csv: stripped items, empty ones left out.
std::vector<std::string> list_from_csv(std::string_view text);

}  // namespace fragmend::swift
