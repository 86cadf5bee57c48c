// A JSON object taken apart into members whose values stay as they were written.
#include "host/swift/json_members.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Walks JSON text without building anything, and without recursion.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool at_end() {
        skip_blanks();
        return next_ == text_.size();
    }
    bool take(char wanted) {
        skip_blanks();
        if (next_ == text_.size() || text_[next_] != wanted) return false;
        ++next_;
        return true;
    }
    /// The next string with its quotes; empty when there is none.
    std::string_view string() {
        skip_blanks();
        const auto begin = next_;
        return skip_string() ? text_.substr(begin, next_ - begin) : std::string_view();
    }
    /// The next value of any kind; empty when there is none.
    std::string_view value() {
        skip_blanks();
        const auto begin = next_;
        std::vector<char> open;
        do {
            if (!step(open)) return {};
        } while (!open.empty());
        return text_.substr(begin, next_ - begin);
    }

  private:
    static constexpr std::string_view blanks = " \t\n\r";
    static constexpr std::string_view escapes = "\"\\/bfnrt";

    void skip_blanks() {
        while (next_ < text_.size() && blanks.find(text_[next_]) != blanks.npos)
            ++next_;
    }
    char peek() const { return next_ < text_.size() ? text_[next_] : '\0'; }

    /// One scalar, or one opening bracket with what must follow it, and then the brackets and
    /// commas behind it up to where the next value begins.
    bool step(std::vector<char>& open) {
        skip_blanks();
        const char c = peek();
        if (c == '{' || c == '[') {
            if (open.size() >= json_depth_max) return false;
            ++next_;
            open.push_back(c == '{' ? '}' : ']');
            if (!take(open.back())) return c == '[' || name();
            open.pop_back();
        } else if (!(c == '"' ? skip_string() : skip_word())) {
            return false;
        }
        while (!open.empty()) {
            if (take(',')) return open.back() == ']' || name();
            if (!take(open.back())) return false;
            open.pop_back();
        }
        return true;
    }
    bool name() { return !string().empty() && take(':'); }

    bool skip_string() {
        if (peek() != '"') return false;
        for (++next_; next_ < text_.size(); ++next_) {
            const char c = text_[next_];
            if (static_cast<unsigned char>(c) < 0x20) return false;
            if (c == '"') {
                ++next_;
                return true;
            }
            if (c == '\\' && !skip_escape()) return false;
        }
        return false;
    }
    /// Leaves the last character of the escape for the caller to step over.
    bool skip_escape() {
        ++next_;
        if (escapes.find(peek()) != escapes.npos) return true;
        if (peek() != 'u') return false;
        for (int i = 0; i < 4; ++i) {
            ++next_;
            const char c = peek();
            if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) return false;
        }
        return true;
    }
    bool skip_word() {
        for (const std::string_view word :
             {"true", "false", "null", "NaN", "Infinity", "-Infinity"}) {
            if (!text_.substr(next_).starts_with(word)) continue;
            next_ += word.size();
            return true;
        }
        return skip_number();
    }
    bool skip_digits() {
        const auto begin = next_;
        while (is_digit(peek()))
            ++next_;
        return next_ > begin;
    }
    bool skip_number() {
        if (peek() == '-') ++next_;
        if (peek() == '0')
            ++next_;
        else if (!skip_digits())
            return false;
        if (peek() == '.') {
            ++next_;
            if (!skip_digits()) return false;
        }
        if (peek() != 'e' && peek() != 'E') return true;
        ++next_;
        if (peek() == '+' || peek() == '-') ++next_;
        return skip_digits();
    }

    std::string_view text_;
    std::size_t next_ = 0;
};

/// The name that a JSON string spells; nothing where that is no Unicode (lone surrogates).
std::optional<std::string> decoded_name(std::string_view quoted) {
    boost::system::error_code error;
    const auto value = boost::json::parse({quoted.data(), quoted.size()}, error);
    if (error || !value.is_string()) return std::nullopt;
    return std::string(std::string_view(value.get_string()));
}

void append_escape(std::string& out, unsigned unit) {
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", unit & 0xffff);
    out += text;
}

}  // namespace

std::optional<JsonMembers> split_json_object(std::string_view text) {
    if (!is_valid_utf8(text)) return std::nullopt;
    Scanner scanner(text);
    JsonMembers members;
    if (!scanner.take('{')) return std::nullopt;
    if (!scanner.take('}')) {
        do {
            const auto name = scanner.string();
            if (name.empty() || !scanner.take(':')) return std::nullopt;
            const auto value = scanner.value();
            if (value.empty()) return std::nullopt;
            if (auto decoded = decoded_name(name))
                members.insert_or_assign(std::move(*decoded), std::string(value));
        } while (scanner.take(','));
        if (!scanner.take('}')) return std::nullopt;
    }
    if (!scanner.at_end()) return std::nullopt;
    return members;
}

std::string join_json_object(const JsonMembers& members) {
    std::string text = "{";
    for (const auto& [name, value] : members) {
        if (text.size() > 1) text += ", ";
        text += json_string(name) + ": " + value;
    }
    return text + "}";
}

std::string json_string(std::string_view utf8) {
    constexpr std::array<std::pair<char, char>, 7> shorts = {{{'"', '"'},
                                                              {'\\', '\\'},
                                                              {'\n', 'n'},
                                                              {'\r', 'r'},
                                                              {'\t', 't'},
                                                              {'\f', 'f'},
                                                              {'\b', 'b'}}};
    const bool is_text = is_valid_utf8(utf8);
    std::string out = "\"";
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const char c = utf8[i];
        const unsigned byte = static_cast<unsigned char>(c);
        const auto* const found = std::ranges::find(shorts, c, &std::pair<char, char>::first);
        if (found != shorts.end()) {
            out.append(1, '\\').append(1, found->second);
        } else if (c >= 0x20 && c < 0x7f) {
            out += c;
        } else if (byte < 0x80) {
            append_escape(out, byte);
        } else if (is_text) {
            const int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
            unsigned point = byte & (0x3fu >> more);
            for (int j = 0; j < more; ++j)
                point = point << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3fu);
            if (point >= 0x10000) append_escape(out, 0xd800 + ((point - 0x10000) >> 10));
            append_escape(out, point >= 0x10000 ? 0xdc00 + (point & 0x3ff) : point);
        }
    }
    return out + "\"";
}

std::string json_number(double value) {
    char text[40];
    const double size = std::abs(value);
    const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e16);
    const auto end =
        std::to_chars(text, text + sizeof text, value,
                      is_plain ? std::chars_format::fixed : std::chars_format::scientific)
            .ptr;
    std::string number(text, end);
    if (is_plain && number.find('.') == number.npos) number += ".0";
    return number;
}

}  // namespace fragmend::swift
