// Text as Python's str methods see it.
#include "host/swift/python_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace fragmend::swift {
namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
    bool valid = false;
};

// Decodes the code point at the start of `text`, which is not empty.
CodePoint decode_front(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    std::size_t length = 0;
    char32_t value = 0;
    char32_t smallest = 0;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2, value = lead & 0x1fu, smallest = 0x80;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3, value = lead & 0x0fu, smallest = 0x800;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4, value = lead & 0x07u, smallest = 0x10000;
    } else {
        return {lead, 1, false};
    }
    if (text.size() < length) return {lead, 1, false};
    for (std::size_t at = 1; at < length; ++at) {
        if ((byte(at) & 0xc0u) != 0x80u) return {lead, 1, false};
        value = (value << 6) | (byte(at) & 0x3fu);
    }
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < smallest || value > 0x10ffff || surrogate) return {lead, 1, false};
    return {value, length, true};
}

void append_code_point(std::string& out, unsigned char value) {
    if (value < 0x80) {
        out.push_back(static_cast<char>(value));
        return;
    }
    out.push_back(static_cast<char>(0xc0u | (value >> 6)));
    out.push_back(static_cast<char>(0x80u | (value & 0x3fu)));
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Removes the underscores that Python allows between two digits; nothing if one lies elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '_') {
            out.push_back(text[at]);
            continue;
        }
        const bool between =
            at > 0 && at + 1 < text.size() && is_digit(text[at - 1]) && is_digit(text[at + 1]);
        if (!between) return std::nullopt;
    }
    return out;
}

/// Python reads no more: sys.int_info.default_max_str_digits.
constexpr std::size_t int_digits_max = 4300;

struct WholeNumber {
    std::int64_t value = 0;  ///< The nearest one that fits.
    bool too_large = false;
};

std::optional<WholeNumber> read_int(std::string_view text) {
    text = strip(text);
    bool negative = false;
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    const auto digits = without_underscores(text);
    if (!digits || digits->empty() || digits->size() > int_digits_max) return std::nullopt;
    if (!std::ranges::all_of(*digits, is_digit)) return std::nullopt;
    std::uint64_t magnitude = 0;
    const auto parsed = std::from_chars(digits->data(), digits->data() + digits->size(), magnitude);
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    WholeNumber number;
    number.too_large = parsed.ec != std::errc() || magnitude > static_cast<std::uint64_t>(largest);
    number.value = number.too_large ? largest : static_cast<std::int64_t>(magnitude);
    if (negative) number.value = -number.value;
    return number;
}

}  // namespace

bool is_python_space(char32_t c) {
    if (c >= 0x09 && c <= 0x0d) return true;
    if (c >= 0x1c && c <= 0x20) return true;
    if (c >= 0x2000 && c <= 0x200a) return true;
    switch (c) {
        case 0x85:
        case 0xa0:
        case 0x1680:
        case 0x2028:
        case 0x2029:
        case 0x202f:
        case 0x205f:
        case 0x3000:
            return true;
        default:
            return false;
    }
}

std::string_view lstrip(std::string_view text) {
    while (!text.empty()) {
        const CodePoint front = decode_front(text);
        if (!front.valid || !is_python_space(front.value)) break;
        text.remove_prefix(front.bytes);
    }
    return text;
}

std::string_view rstrip(std::string_view text) {
    while (!text.empty()) {
        std::size_t start = text.size() - 1;
        while (start > 0 && text.size() - start < 4 &&
               (static_cast<unsigned char>(text[start]) & 0xc0u) == 0x80u) {
            --start;
        }
        const CodePoint last = decode_front(text.substr(start));
        if (!last.valid || start + last.bytes != text.size() || !is_python_space(last.value)) break;
        text = text.substr(0, start);
    }
    return text;
}

std::string_view strip(std::string_view text) {
    return rstrip(lstrip(text));
}

std::size_t indent_of(std::string_view text) {
    std::size_t count = 0;
    while (!text.empty()) {
        const CodePoint front = decode_front(text);
        if (!front.valid || !is_python_space(front.value)) break;
        text.remove_prefix(front.bytes);
        ++count;
    }
    return count;
}

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const CodePoint front = decode_front(text);
        if (!front.valid) return false;
        text.remove_prefix(front.bytes);
    }
    return true;
}

std::string from_latin1(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (const char c : bytes)
        append_code_point(out, static_cast<unsigned char>(c));
    return out;
}

std::optional<std::string> to_latin1(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size());
    while (!utf8.empty()) {
        const CodePoint front = decode_front(utf8);
        if (!front.valid || front.value > 0xff) return std::nullopt;
        out.push_back(static_cast<char>(front.value));
        utf8.remove_prefix(front.bytes);
    }
    return out;
}

std::optional<std::int64_t> python_int(std::string_view text) {
    const auto number = read_int(text);
    return number && !number->too_large ? std::optional(number->value) : std::nullopt;
}

std::optional<std::int64_t> python_int_saturated(std::string_view text) {
    const auto number = read_int(text);
    return number ? std::optional(number->value) : std::nullopt;
}

std::optional<double> python_float(std::string_view text) {
    text = strip(text);
    bool negative = false;
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    const auto digits = without_underscores(text);
    // from_chars would take a second sign and a payload such as "nan(1)"; float() does not.
    if (!digits || digits->empty() || digits->front() == '-' || digits->front() == '+') {
        return std::nullopt;
    }
    if (digits->find('(') != std::string::npos) return std::nullopt;
    double value = 0;
    const char* end = digits->data() + digits->size();
    const auto parsed = std::from_chars(digits->data(), end, value);
    if (parsed.ptr != end) return std::nullopt;
    if (parsed.ec == std::errc::result_out_of_range) {
        // Python yields inf for what is too large and 0 for what is too small.
        const auto exponent = digits->find_first_of("eE");
        const bool tiny = exponent != std::string::npos && exponent + 1 < digits->size() &&
                          (*digits)[exponent + 1] == '-';
        value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    } else if (parsed.ec != std::errc()) {
        return std::nullopt;
    }
    return negative ? -value : value;
}

bool config_true_value(std::string_view text) {
    const std::string lower = lower_ascii(text);
    for (const std::string_view word : {"true", "1", "yes", "on", "t", "y"}) {
        if (lower == word) return true;
    }
    return false;
}

std::vector<std::string> list_from_csv(std::string_view text) {
    std::vector<std::string> items;
    while (true) {
        const std::size_t comma = text.find(',');
        const std::string_view item = strip(text.substr(0, comma));
        if (!item.empty()) items.emplace_back(item);
        if (comma == std::string_view::npos) return items;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace fragmend::swift
