// Conditional requests.
#include "host/server/conditions.hpp"

#include <array>
#include <ctime>
#include <string>

#include "host/swift/python_text.hpp"

namespace fragmend::server {

std::string_view without_quotes(std::string_view etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
        return etag.substr(1, etag.size() - 2);
    }
    return etag;
}

bool matches_tag(std::string_view list, std::string_view etag) {
    while (true) {
        const auto comma = list.find(',');
        const auto tag = without_quotes(swift::strip(list.substr(0, comma)));
        if (tag == "*" || (!tag.empty() && tag == without_quotes(etag))) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
    constexpr std::array<const char*, 3> forms{"%a, %d %b %Y %H:%M:%S GMT",
                                               "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
    const std::string copy(swift::strip(text));
    for (const char* form : forms) {
        std::tm parts{};
        const char* end = ::strptime(copy.c_str(), form, &parts);
        if (end != nullptr && *end == '\0') return static_cast<std::int64_t>(::timegm(&parts));
    }
    return std::nullopt;
}

std::optional<int> conditional_status(const HeaderMap& headers, const ConditionSubject& subject) {
    const auto none_match = headers.find("If-None-Match");
    const auto match = headers.find("If-Match");
    if (subject.etag && !subject.etag->empty()) {
        if (none_match && matches_tag(*none_match, *subject.etag)) return 304;
        if (match && !matches_tag(*match, *subject.etag)) return 412;
    }
    if (subject.status == 404 && match && matches_tag(*match, "*")) return 412;
    if (!subject.last_modified_s) return std::nullopt;
    const auto seconds_of = [&](std::string_view name) -> std::optional<std::int64_t> {
        const auto text = headers.find(name);
        return text ? parse_http_date(*text) : std::nullopt;
    };
    const auto modified = seconds_of("If-Modified-Since");
    if (modified && *subject.last_modified_s <= *modified) return 304;
    const auto unmodified = seconds_of("If-Unmodified-Since");
    if (unmodified && *subject.last_modified_s > *unmodified) return 412;
    return std::nullopt;
}

}  // namespace fragmend::server
