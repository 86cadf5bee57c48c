// Lines and sub-request heads.
#include "transport/ssync/messages.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "transport/python_text.hpp"

namespace fragmend::transport::ssync {
namespace {

constexpr std::size_t hash_characters = 32;
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

bool breaks_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

Error bad(const SubRequest& request, std::string_view what) {
    return {errc::bad_metadata,
            request.method + " " + percent_quote(request.path) + ": " + std::string(what)};
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
    if (!is_lower_hex(hash, hash_characters)) {
        return Error{errc::protocol, "Unexpected response: " + python_repr(line.substr(0, 1024))};
    }
    Wanted wanted{std::string(hash), false, false};
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

Result<void> check_sub_request(const SubRequest& request) {
    const bool is_put = request.method == "PUT";
    if (!is_put && request.method != "POST" && request.method != "DELETE") {
        return bad(request, "not a method of a sub-request");
    }
    if (!request.path.starts_with('/')) return bad(request, "not a path");
    if (!is_put && (request.body != nullptr || request.content_length != 0)) {
        return bad(request, "a body where there can be none");
    }
    if (is_put && request.body == nullptr && request.content_length != 0) {
        return bad(request, "no body");
    }
    if (request.headers.empty()) return bad(request, "no headers");
    for (const auto& [name, value] : request.headers) {
        if (name.empty() || breaks_line(name) || name.find(':') != std::string::npos ||
            breaks_line(value)) {
            return bad(request, "a header that breaks its line: " + python_repr_bytes(name));
        }
        if (equals_ignoring_case(name, "content-length")) return bad(request, "two lengths");
    }
    return {};
}

std::string sub_request_head(const SubRequest& request) {
    using Header = std::pair<std::string_view, std::string_view>;
    const std::string length = std::to_string(request.content_length);
    std::vector<Header> headers;
    headers.reserve(request.headers.size() + 1);
    for (const auto& [name, value] : request.headers)
        headers.emplace_back(name, value);
    if (request.method == "PUT") headers.emplace_back("Content-Length", length);
    std::stable_sort(headers.begin(), headers.end(),
                     [](const Header& a, const Header& b) { return a.first < b.first; });
    std::string head = request.method + " " + percent_quote(request.path) + "\r\n";
    for (const auto& [name, value] : headers) {
        head.append(name).append(": ").append(value).append("\r\n");
    }
    head += "\r\n";
    return head;
}

}  // namespace fragmend::transport::ssync
