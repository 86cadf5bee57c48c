// Python's repr and strip.
#include "transport/python_text.hpp"

namespace fragmend::transport {
namespace {

constexpr std::string_view white_space = " \t\n\r\v\f";

void append_quoted(std::string& out, std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    const bool has_single = bytes.find('\'') != std::string_view::npos;
    const char quote = has_single && bytes.find('"') == std::string_view::npos ? '"' : '\'';
    out += quote;
    for (char c : bytes) {
        const auto value = static_cast<unsigned char>(c);
        if (c == quote || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (value < 0x20 || value >= 0x7f) {
            out += "\\x";
            out += digits[value >> 4];
            out += digits[value & 15];
        } else {
            out += c;
        }
    }
    out += quote;
}

}  // namespace

std::string python_repr_bytes(std::string_view bytes) {
    std::string out = "b";
    append_quoted(out, bytes);
    return out;
}

std::string python_repr(std::string_view bytes) {
    for (char c : bytes) {
        if (static_cast<unsigned char>(c) >= 0x80) return python_repr_bytes(bytes);
    }
    std::string out;
    append_quoted(out, bytes);
    return out;
}

std::string_view python_strip(std::string_view bytes) {
    const auto first = bytes.find_first_not_of(white_space);
    if (first == std::string_view::npos) return {};
    return bytes.substr(first, bytes.find_last_not_of(white_space) - first + 1);
}

}  // namespace fragmend::transport
