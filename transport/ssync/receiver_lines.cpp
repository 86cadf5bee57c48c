// Lines of an SSYNC receiver.
#include "transport/ssync/receiver_lines.hpp"

#include <charconv>

#include "host/base/bytes.hpp"
#include "transport/python_text.hpp"

namespace fragmend::transport::ssync {
namespace {

constexpr std::size_t hash_characters = 32;
constexpr std::string_view blanks = " \t\n\r\v\f\x1c\x1d\x1e\x1f";  ///< str.split() of ASCII text.
constexpr std::size_t delta_digits_max = 13;

Error bad(std::string text) {
    return {errc::protocol, std::move(text)};
}

std::string_view next_word(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    const auto word = rest.substr(0, rest.find_first_of(blanks));
    rest.remove_prefix(word.size());
    return word;
}

bool is_true(std::string_view text) {
    for (const std::string_view yes : {"true", "1", "yes", "on", "t", "y"}) {
        if (text.size() != yes.size()) continue;
        bool same = true;
        for (std::size_t i = 0; i < yes.size(); ++i)
            same = same && (text[i] | 0x20) == (yes[i] | 0x20);
        if (same) return true;
    }
    return false;
}

std::optional<std::uint64_t> parse_hex(std::string_view text, std::size_t digits_max) {
    std::uint64_t value = 0;
    if (text.empty() || text.size() > digits_max) return std::nullopt;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

/// `<-><hex units>[__<hex offset>]`, relative to `from`.
Result<Timestamp> apply_delta(const Timestamp& from, std::string_view text) {
    const auto refuse = [&] {
        return bad("invalid literal for int() with base 16: " + python_repr(text.substr(0, 64)));
    };
    const auto mark = text.find("__");
    auto units = text.substr(0, mark);
    const bool negative = units.starts_with('-');
    if (negative) units.remove_prefix(1);
    const auto value = parse_hex(units, delta_digits_max);
    if (!value) return refuse();
    Timestamp time{from.raw, 0};
    time.raw += negative ? -static_cast<std::int64_t>(*value) : static_cast<std::int64_t>(*value);
    if (time.raw < 0 || time.raw >= timestamp_raw_end) return refuse();
    if (mark != std::string_view::npos) {
        const auto offset = parse_hex(text.substr(mark + 2), 16);
        if (!offset) return refuse();
        time.offset = *offset;
    } else if (*value == 0) {
        time.offset = from.offset;
    }
    return time;
}

Result<void> take_extra(Offer& offer, std::string_view item) {
    const auto colon = item.find(':');
    if (colon == std::string_view::npos) return {};
    const auto key = item.substr(0, colon);
    const auto value = item.substr(colon + 1);
    if (key == "durable") {
        offer.durable = is_true(value);
        return {};
    }
    if (key != "m" && key != "t") return {};
    auto time = apply_delta(offer.data, value);
    if (time.has_error()) return time.error();
    (key == "m" ? offer.meta : offer.content_type) = *time;
    return {};
}

bool is_ascii(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    }
    return true;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

Result<Offer> decode_missing(std::string_view line) {
    if (!is_ascii(line)) return bad("an offer that is not ASCII");
    std::string_view rest = line;
    Offer offer;
    offer.object_hash = next_word(rest);
    if (!is_lower_hex(offer.object_hash, hash_characters)) {
        return bad("not an object hash: " + python_repr(line.substr(0, 64)));
    }
    const auto time = Timestamp::parse(percent_unquote(next_word(rest)));
    if (time.has_error()) return bad("could not convert string to float: " + python_repr(line));
    offer.data = *time;
    offer.durable = true;  // A sender that does not say has only durable ones.
    const std::string extras = percent_unquote(next_word(rest));
    for (std::string_view left = extras; !left.empty();) {
        const auto comma = left.find(',');
        auto taken = take_extra(offer, left.substr(0, comma));
        if (taken.has_error()) return taken.error();
        if (comma == std::string_view::npos) break;
        left.remove_prefix(comma + 1);
    }
    return offer;
}

bool is_here_not_durable(const Offer& offer, const LocalState& local) {
    const bool newer = !local.durable || *local.durable < offer.data;
    return newer && local.has_offered_fragment;
}

std::optional<Wanted> wanted_of(const Offer& offer, const LocalState& local) {
    const auto hash = ObjectHash::parse(offer.object_hash);
    FRAGMEND_ASSERT(hash.has_value());
    auto data = local.data;
    if (is_here_not_durable(offer, local) && offer.durable == false) data = offer.data;
    Wanted wanted{*hash, false, false};
    if (!data) {
        wanted.data = wanted.meta = true;
        return wanted;
    }
    const Timestamp meta = offer.meta.value_or(offer.data);
    const Timestamp content_type = offer.content_type.value_or(offer.data);
    wanted.data = offer.data > *data;
    wanted.meta =
        (local.meta && meta > *local.meta) ||
        (local.content_type && content_type > *local.content_type && content_type > offer.data);
    if (!wanted.data && !wanted.meta) return std::nullopt;
    return wanted;
}

std::string encode_wanted(const Wanted& wanted) {
    std::string line = wanted.object_hash.hex() + " ";
    if (wanted.data) line += 'd';
    if (wanted.meta) line += 'm';
    return line;
}

std::string error_line(int code, std::string_view text, bool is_bytes) {
    return ":ERROR: " + std::to_string(code) + " " +
           (is_bytes ? python_repr_bytes(text) : python_repr(text)) + "\n";
}

Result<bool> SubRequestHeadReader::take(std::string_view line) {
    bytes_ += line.size() + 2;
    if (bytes_ > head_bytes_max) return Error{errc::limit, "a sub-request head that is too long"};
    if (!begun_) {
        auto taken = take_first(line);
        if (taken.has_error()) return taken.error();
        return false;
    }
    if (line.empty()) {
        auto done = finish();
        if (done.has_error()) return done.error();
        return true;
    }
    auto taken = take_header(line);
    if (taken.has_error()) return taken.error();
    return false;
}

Result<void> SubRequestHeadReader::take_first(std::string_view line) {
    begun_ = true;
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) {
        return bad("not enough values to unpack (expected 2, got 1)");
    }
    head_.method = line.substr(0, blank);
    head_.path = line.substr(blank + 1);
    return {};
}

Result<void> SubRequestHeadReader::take_header(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
        return bad("not enough values to unpack (expected 2, got 1)");
    }
    if (head_.headers.size() == headers_max) {
        return Error{errc::limit, "a sub-request with too many headers"};
    }
    std::string name(python_strip(line.substr(0, colon)));
    for (char& c : name)
        c = lower(c);
    std::string value(python_strip(line.substr(colon + 1)));
    if (name.empty() || value.find_first_of(std::string_view("\r\0", 2)) != std::string::npos) {
        return bad("a header that is none in " + head_.method + " " + head_.path);
    }
    if (name == "content-length") {
        const auto length = parse_digits(value);
        if (!length || length_) {
            return bad("invalid literal for int() with base 10: " +
                       python_repr(std::string_view(value).substr(0, 64)));
        }
        length_ = length;
    }
    head_.headers.emplace_back(std::move(name), std::move(value));
    return {};
}

Result<void> SubRequestHeadReader::finish() {
    if (head_.method == "PUT") {
        if (!length_) return bad("No content-length sent for " + name());
        head_.content_length = *length_;
        return {};
    }
    if (head_.method != "POST" && head_.method != "DELETE") {
        return bad("Invalid subrequest method " + head_.method);
    }
    // Swift's message has the same two values in the same places.
    if (length_.value_or(0) != 0) {
        return bad(head_.method + " subrequest with content-length " + head_.path);
    }
    return {};
}

SubRequestHead SubRequestHeadReader::release() {
    SubRequestHead head = std::move(head_);
    *this = SubRequestHeadReader();
    return head;
}

}  // namespace fragmend::transport::ssync
