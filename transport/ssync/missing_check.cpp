// Lines of an SSYNC session.
#include "transport/ssync/missing_check.hpp"

#include <charconv>

#include "host/base/bytes.hpp"
#include "transport/python_text.hpp"

namespace fragmend::transport::ssync {
namespace {

constexpr std::string_view blanks = " \t\n\r\v\f\x1c\x1d\x1e\x1f";  ///< str.split() of ASCII text.

std::string hex(std::uint64_t value) {
    char text[24];
    const auto printed = std::to_chars(text, text + sizeof text, value, 16);
    return {text, printed.ptr};
}

/// Python's `%x` of the difference, and the later time's own offset.
std::string delta(const Timestamp& from, const Timestamp& to) {
    const std::int64_t units = to.raw - from.raw;
    std::string text = units < 0 ? "-" : "";
    text += hex(static_cast<std::uint64_t>(units < 0 ? -units : units));
    if (to.offset != 0) text += "__" + hex(to.offset);
    return text;
}

}  // namespace

std::string encode_missing(const Offer& offer) {
    std::string line = offer.object_hash + " " + offer.data.internal();
    std::string extras;
    if (offer.meta && *offer.meta != offer.data) {
        extras = "m:" + delta(offer.data, *offer.meta);
        if (offer.content_type && *offer.content_type != offer.data) {
            extras += ",t:" + delta(offer.data, *offer.content_type);
        }
    }
    if (offer.durable == false) extras += extras.empty() ? "durable:False" : ",durable:False";
    if (!extras.empty()) line += " " + extras;
    return line;
}

Result<Wanted> decode_wanted(std::string_view line) {
    const auto hash = line.substr(0, line.find_first_of(blanks));
    const auto object_hash = ObjectHash::parse(hash);
    if (!object_hash) {
        return Error{errc::protocol, "Unexpected response: " + python_repr(line.substr(0, 1024))};
    }
    Wanted wanted{*object_hash, false, false};
    line.remove_prefix(hash.size());
    if (const auto at = line.find_first_not_of(blanks); at != std::string_view::npos) {
        line.remove_prefix(at);
        const auto parts = line.substr(0, line.find_first_of(blanks));
        wanted.data = parts.find('d') != std::string_view::npos;
        wanted.meta = parts.find('m') != std::string_view::npos;
    }
    if (!wanted.meta) wanted.data = true;
    return wanted;
}

}  // namespace fragmend::transport::ssync
