// Footers.
#include "host/server/footers.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

namespace json = boost::json;

std::string_view text_of(const json::string& text) {
    return {text.data(), text.size()};
}

/// As Python's str() shows it, in wire bytes; nothing for what no proxy sends.
std::optional<std::string> shown(const json::value& value) {
    if (const auto* text = value.if_string()) return swift::to_latin1(text_of(*text));
    if (const auto* truth = value.if_bool()) return *truth ? "True" : "False";
    if (const auto* number = value.if_int64()) return std::to_string(*number);
    if (const auto* number = value.if_uint64()) return std::to_string(*number);
    return std::nullopt;
}

}  // namespace

Answered<HeaderMap> parse_footers(std::string_view document) {
    const Reply bad = text_reply(400, "invalid JSON for footer doc", false);
    if (document.size() > footer_bytes_max) return bad;
    boost::system::error_code code;
    const auto value = json::parse({document.data(), document.size()}, code);
    const auto* object = code ? nullptr : value.if_object();
    if (object == nullptr || object->size() > footer_names_max) return bad;
    HeaderMap footers;
    for (const auto& [key, item] : *object) {
        const auto name = swift::to_latin1({key.data(), key.size()});
        if (!name) return bad;
        if (item.is_null()) {
            footers.erase(*name);
            continue;
        }
        auto text = shown(item);
        if (!text) return bad;
        if (swift::lower_ascii(*name) == "etag") text = swift::lower_ascii(*text);
        footers.set(*name, *text);
    }
    return footers;
}

}  // namespace fragmend::server
