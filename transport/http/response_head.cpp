// Parsing of response heads.
#include "transport/http/response_head.hpp"

#include <algorithm>

#include "host/base/bytes.hpp"
#include "transport/python_text.hpp"

namespace fragmend::transport::http {
namespace {

constexpr std::size_t fields_max = 1000;

Error malformed(std::string_view what) {
    return {errc::protocol, std::string(what)};
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view without_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_field_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
    });
}

/// The line that starts at `at`, without its end; moves `at` behind it.
std::string_view next_line(std::string_view text, std::size_t& at) {
    const auto end = text.find('\n', at);
    auto line = text.substr(at, end - at);
    at = end == std::string_view::npos ? text.size() : end + 1;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

}  // namespace

std::optional<std::size_t> ResponseHead::length(std::string_view received, std::size_t searched) {
    std::size_t at = searched < 3 ? 0 : searched - 3;
    while ((at = received.find('\n', at)) != std::string_view::npos) {
        ++at;
        if (at < received.size() && received[at] == '\n') return at + 1;
        if (at + 1 < received.size() && received[at] == '\r' && received[at + 1] == '\n')
            return at + 2;
    }
    return std::nullopt;
}

Result<ResponseHead> ResponseHead::parse(std::string_view head) {
    if (head.size() > head_bytes_max) return malformed("a response head that is too long");
    ResponseHead result;
    result.text_.assign(head);
    result.fields_.reserve(24);
    const std::string_view text = result.text_;
    std::size_t at = 0;
    if (auto status = result.parse_status_line(next_line(text, at)); status.has_error()) {
        return status.error();
    }
    while (at < text.size()) {
        const std::size_t line_at = at;
        const auto line = next_line(text, at);
        if (line.empty()) break;
        if (auto field = result.parse_field(line, line_at); field.has_error()) return field.error();
    }
    if (auto framing = result.find_framing(); framing.has_error()) return framing.error();
    return result;
}

Result<void> ResponseHead::parse_status_line(std::string_view line) {
    const auto bad = [&] { return malformed("BadStatusLine: " + std::string(line.substr(0, 64))); };
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || (line[7] != '0' && line[7] != '1') ||
        line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) {
        return bad();
    }
    const auto status = parse_digits(line.substr(9, 3));
    if (!status || *status < 200 || *status > 599) return bad();
    status_ = static_cast<int>(*status);
    keeps_alive_ = line[7] == '1';
    return {};
}

Result<void> ResponseHead::parse_field(std::string_view line, std::size_t at) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_field_name(line.substr(0, colon))) {
        return malformed("a header line that is no field: " +
                         python_repr_bytes(line.substr(0, 64)));
    }
    if (fields_.size() == fields_max) return malformed("too many header lines");
    const auto value = without_blanks(line.substr(colon + 1));
    const auto value_at = value.empty() ? 0 : static_cast<std::size_t>(value.data() - text_.data());
    fields_.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(colon),
                       static_cast<std::uint32_t>(value_at),
                       static_cast<std::uint32_t>(value.size())});
    return {};
}

Result<void> ResponseHead::find_framing() {
    for (const Field& field : fields_) {
        const auto name = name_of(field);
        if (same_name(name, "Content-Length")) {
            const auto length = parse_digits(value_of(field));
            if (!length || (content_length_ && content_length_ != length)) {
                return malformed("contradicting Content-Length");
            }
            content_length_ = length;
        } else if (same_name(name, "Transfer-Encoding")) {
            if (!same_name(value_of(field), "chunked"))
                return malformed("unknown Transfer-Encoding");
            chunked_ = true;
        } else if (same_name(name, "Connection")) {
            if (same_name(value_of(field), "close")) keeps_alive_ = false;
        }
    }
    if (chunked_ && content_length_) return malformed("both Content-Length and Transfer-Encoding");
    if (status_ == 204 || status_ == 304) {
        if (chunked_) return malformed("a chunked body where there can be none");
        content_length_ = 0;
    }
    return {};
}

std::string_view ResponseHead::name_of(const Field& field) const {
    return std::string_view(text_).substr(field.name_at, field.name_bytes);
}

std::string_view ResponseHead::value_of(const Field& field) const {
    return std::string_view(text_).substr(field.value_at, field.value_bytes);
}

std::optional<std::string_view> ResponseHead::find(std::string_view name) const {
    for (const Field& field : fields_) {
        if (same_name(name_of(field), name)) return value_of(field);
    }
    return std::nullopt;
}

}  // namespace fragmend::transport::http
