// Range headers.
#include "host/server/ranges.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "host/base/bytes.hpp"
#include "host/server/header_map.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

constexpr std::size_t ranges_max = 50;
constexpr std::size_t overlaps_max = 2;
constexpr std::size_t unordered_max = 8;
/// What one header may list before it is not even parsed.
constexpr std::size_t specifications_max = 1000;

/// `first-last`, `first-` or `-length`.
struct Specification {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;
};

/// A number beyond 64 bits lies behind every end.
std::optional<std::uint64_t> position(std::string_view text) {
    const auto number = parse_digits(text);
    const bool is_number = swift::python_int_saturated(text).value_or(0) > 0;
    if (number || !is_number || text.find_first_not_of("0123456789") != text.npos) return number;
    return std::numeric_limits<std::uint64_t>::max();
}

std::optional<Specification> parse_one(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto first = text.substr(0, dash);
    const auto last = text.substr(dash + 1);
    Specification parsed{position(first), position(last)};
    if (!first.empty() && !parsed.first) return std::nullopt;
    if (!last.empty() && !parsed.last) return std::nullopt;
    if (!parsed.first && !parsed.last) return std::nullopt;
    if (parsed.first && parsed.last && *parsed.last < *parsed.first) return std::nullopt;
    return parsed;
}

std::optional<std::vector<Specification>> parse(std::string_view header) {
    std::string text(header);
    std::erase(text, ' ');
    constexpr std::string_view unit = "bytes=";
    if (!equals_ignoring_case(std::string_view(text).substr(0, unit.size()), unit)) {
        return std::nullopt;
    }
    std::string_view rest = std::string_view(text).substr(unit.size());
    std::vector<Specification> parsed;
    while (parsed.size() < specifications_max) {
        const auto comma = rest.find(',');
        const auto one = parse_one(rest.substr(0, comma));
        if (!one) return std::nullopt;
        parsed.push_back(*one);
        if (comma == std::string_view::npos) return parsed;
        rest.remove_prefix(comma + 1);
    }
    return std::nullopt;
}

std::optional<ByteRange> satisfy(const Specification& wanted, std::uint64_t length) {
    if (!wanted.first) {
        if (*wanted.last == 0) return std::nullopt;
        return ByteRange{length - std::min(*wanted.last, length), length};
    }
    if (*wanted.first >= length) return std::nullopt;
    if (!wanted.last || *wanted.last >= length) return ByteRange{*wanted.first, length};
    return ByteRange{*wanted.first, *wanted.last + 1};
}

bool overlap(const ByteRange& a, const ByteRange& b) {
    const auto inside = [](std::uint64_t point, const ByteRange& range) {
        return range.begin < point && point < range.end;
    };
    return inside(b.begin, a) || inside(b.end, a) || inside(a.begin, b) || inside(a.end, b);
}

bool asks_too_much(const std::vector<ByteRange>& ranges) {
    if (ranges.size() > ranges_max) return true;
    std::size_t overlaps = 0;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        for (std::size_t j = i + 1; j < ranges.size(); ++j) {
            if (overlap(ranges[i], ranges[j]) && ++overlaps > overlaps_max) return true;
        }
    }
    const bool ascending =
        std::is_sorted(ranges.begin(), ranges.end(),
                       [](const ByteRange& a, const ByteRange& b) { return a.begin < b.begin; });
    return !ascending && ranges.size() >= unordered_max;
}

}  // namespace

std::optional<std::vector<ByteRange>> ranges_of(std::string_view header, std::uint64_t length) {
    const auto wanted = parse(header);
    if (!wanted) return std::nullopt;
    std::vector<ByteRange> ranges;
    for (const auto& one : *wanted) {
        if (const auto range = satisfy(one, length)) ranges.push_back(*range);
    }
    if (asks_too_much(ranges)) ranges.clear();
    return ranges;
}

}  // namespace fragmend::server
