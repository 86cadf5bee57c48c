// Heads as text.
#include "transport/http/head_text.hpp"

#include <algorithm>

namespace fragmend::transport::http {
namespace {

constexpr char mask = '~';
constexpr std::string_view blanks = " \t";

bool is_blank(char c) {
    return blanks.find(c) != std::string_view::npos;
}

bool needs_mask_in_name(char c) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    return byte > 0x20 && byte != 0x7f && !plain;
}

bool needs_mask_in_value(char c) {
    return c == 0x7f || (static_cast<unsigned char>(c) < 0x20 && c != '\t');
}

}  // namespace

std::optional<std::size_t> head_length(std::string_view received, std::size_t searched) {
    std::size_t at = searched < 3 ? 0 : searched - 3;
    while ((at = received.find('\n', at)) != std::string_view::npos) {
        ++at;
        if (at < received.size() && received[at] == '\n') return at + 1;
        if (at + 1 < received.size() && received[at] == '\r' && received[at + 1] == '\n')
            return at + 2;
    }
    return std::nullopt;
}

std::string_view line_at(std::string_view text, std::size_t at) {
    auto line = text.substr(at, text.find('\n', at) - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::optional<std::size_t> folded_line(std::string_view text) {
    if (text.empty()) return std::nullopt;
    for (const char last : {'\n', '\r'}) {
        for (auto end = text.find(last); end < text.size() - 1; end = text.find(last, end + 1)) {
            if (is_blank(text[end + 1])) return end + 1;
        }
    }
    return std::nullopt;
}

std::string unfolded(std::string_view text) {
    std::string joined;
    joined.reserve(text.size());
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of("\r\n"), text.size());
        auto next = std::min(end + 1, text.size());
        if (text.substr(end).starts_with("\r\n")) ++next;
        const bool goes_on = next < text.size() && is_blank(text[next]);
        joined += text.substr(0, goes_on ? end : next);
        text.remove_prefix(next);
        if (!goes_on) continue;
        joined.erase(joined.find_last_not_of(blanks) + 1);
        joined += ' ';
        text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    }
    return joined;
}

std::string masked_head(std::string_view text) {
    std::string copy(text);
    auto at = std::min(copy.find('\n'), copy.size());
    bool in_name = true;
    for (; at < copy.size(); ++at) {
        char& c = copy[at];
        if (c == '\n' || c == '\r') {
            in_name = true;
        } else if (in_name && c == ':') {
            in_name = false;
        } else if (in_name ? needs_mask_in_name(c) : needs_mask_in_value(c)) {
            c = mask;
        }
    }
    return copy;
}

}  // namespace fragmend::transport::http
