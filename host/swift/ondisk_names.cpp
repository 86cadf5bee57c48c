// Parsing and making of on-disk file names.
#include "host/swift/ondisk_names.hpp"

#include <charconv>
#include <cstdlib>

#include "host/base/bytes.hpp"

namespace fragmend::swift {
namespace {

constexpr int fragment_index_end = 1 << 20;

struct SplitName {
    std::string_view stem;
    std::string_view extension;  ///< With its dot, or empty.
};

/// Python's os.path.splitext: dots that lead the name never start an extension.
SplitName split_extension(std::string_view name) {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return {name, {}};
    const auto first_other = name.find_first_not_of('.');
    if (first_other == std::string_view::npos || first_other > dot) return {name, {}};
    return {name.substr(0, dot), name.substr(dot)};
}

Error bad_name(std::string_view why, std::string_view name) {
    return {errc::bad_name, std::string(why) + " '" + std::string(name) + "'"};
}

Error bad_timestamp_in(std::string_view name) {
    return bad_name("Invalid Timestamp value in filename", name);
}

/// Hex digits of a delta; more than 13 of them cannot be a time.
std::optional<std::int64_t> parse_delta(std::string_view hex) {
    std::int64_t value = 0;
    if (hex.empty() || hex.front() == '-' || hex.size() > 13) return std::nullopt;
    const auto* end = hex.data() + hex.size();
    const auto parsed = std::from_chars(hex.data(), end, value, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

std::optional<Timestamp> shifted(const Timestamp& base, std::int64_t delta) {
    if (delta == 0) return base;
    const std::int64_t raw = base.raw + delta;
    if (raw < 0 || raw >= timestamp_raw_end) return std::nullopt;
    return Timestamp{raw, 0};
}

/// `<ts>[<sign><delta>[<sign><delta>...]]`; a third time must parse, and is not used.
bool parse_meta_stem(std::string_view stem, OndiskName& out) {
    const auto first = stem.find_first_of("+-");
    const auto timestamp = Timestamp::parse(stem.substr(0, first));
    if (!timestamp) return false;
    out.timestamp = *timestamp;
    Timestamp last = *timestamp;
    auto sign_at = first;
    for (int part = 1; part <= 2 && sign_at != std::string_view::npos; ++part) {
        const auto next = stem.find_first_of("+-", sign_at + 1);
        const auto delta = parse_delta(stem.substr(sign_at + 1, next - sign_at - 1));
        if (!delta) return false;
        const auto moved = shifted(last, stem[sign_at] == '-' ? -*delta : *delta);
        if (!moved) return false;
        if (part == 1) out.content_type = *moved;
        last = *moved;
        sign_at = next;
    }
    return true;
}

Result<OndiskName> parse_data_stem(std::string_view stem, std::string_view name,
                                   int fragment_count) {
    OndiskName out;
    out.kind = OndiskKind::data;
    const auto first = stem.find('#');
    const auto timestamp = Timestamp::parse(stem.substr(0, first));
    if (!timestamp) return bad_timestamp_in(name);
    out.timestamp = *timestamp;
    if (fragment_count == no_fragments) {
        if (first != std::string_view::npos) return bad_timestamp_in(name);
        out.durable = true;
        return out;
    }
    if (first == std::string_view::npos) return bad_name("Bad fragment index in filename", name);
    const auto second = stem.find('#', first + 1);
    const auto index = parse_digits(stem.substr(first + 1, second - first - 1));
    const auto end = fragment_count == any_fragment_count ? fragment_index_end : fragment_count;
    if (!index || *index >= static_cast<std::uint64_t>(end)) {
        return bad_name("Bad fragment index in filename", name);
    }
    out.fragment_index = static_cast<int>(*index);
    if (second != std::string_view::npos) {
        const auto third = stem.find('#', second + 1);
        out.durable = stem.substr(second + 1, third - second - 1) == "d";
    }
    return out;
}

}  // namespace

Result<OndiskName> parse_ondisk_name(std::string_view name, int fragment_count) {
    const auto [stem, extension] = split_extension(name);
    if (extension == ".data") return parse_data_stem(stem, name, fragment_count);
    OndiskName out;
    if (extension == ".meta") {
        out.kind = OndiskKind::meta;
        if (!parse_meta_stem(stem, out)) return bad_timestamp_in(name);
        return out;
    }
    const auto timestamp = Timestamp::parse(stem);
    if (!timestamp) return bad_timestamp_in(name);
    out.timestamp = *timestamp;
    if (extension == ".ts") out.kind = OndiskKind::tombstone;
    if (extension == ".durable") out.kind = OndiskKind::legacy_durable;
    return out;
}

std::string data_file_name(const Timestamp& timestamp, int fragment_index, bool durable) {
    if (fragment_index < 0) return timestamp.internal() + ".data";
    return timestamp.internal() + "#" + std::to_string(fragment_index) + (durable ? "#d" : "") +
           ".data";
}

std::string tombstone_file_name(const Timestamp& timestamp) {
    return timestamp.internal() + ".ts";
}

std::string meta_file_name(const Timestamp& timestamp,
                           const std::optional<Timestamp>& content_type) {
    if (!content_type) return timestamp.internal() + ".meta";
    const std::int64_t delta = content_type->raw - timestamp.raw;
    char hex[24];
    const auto end = std::to_chars(hex, hex + sizeof hex, std::llabs(delta), 16).ptr;
    return timestamp.short_form() + (delta < 0 ? "-" : "+") + std::string(hex, end) + ".meta";
}

bool is_rsync_temp_name(std::string_view name) {
    if (name.size() < 8 || name.front() != '.' || name[name.size() - 7] != '.') return false;
    for (char c : name.substr(name.size() - 6)) {
        const bool word =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!word) return false;
    }
    return true;
}

}  // namespace fragmend::swift
