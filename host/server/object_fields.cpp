// Headers of objects.
#include "host/server/object_fields.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>

#include "host/server/conditions.hpp"
#include "host/swift/python_text.hpp"
#include "transport/http/head_text.hpp"

namespace fragmend::server {
namespace {

namespace json = boost::json;

constexpr std::int64_t raw_per_second = 100000;
constexpr std::size_t preferences_max = 1000;
constexpr std::size_t preferences_bytes_max = 64 * 1024;

bool breaks_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

/// As eventlet writes names: the first letter of each part upper, all others lower.
std::string capitalized(std::string_view name) {
    std::string out(name);
    bool first = true;
    for (char& c : out) {
        if (first && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (!first && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        first = c == '-';
    }
    return out;
}

bool is_answered(std::string_view key, const AllowedHeaders& allowed) {
    return is_user_or_system_meta(key) || is_transient_system_meta(key) ||
           allowed.contains(swift::lower_ascii(key));
}

/// The smallest whole number of seconds that is not before `time`.
Timestamp rounded_up(const Timestamp& time) {
    return {(time.raw + raw_per_second - 1) / raw_per_second * raw_per_second, 0};
}

std::optional<Timestamp> time_of(const json::value& value) {
    Result<Timestamp> parsed = Error{errc::bad_name, {}};
    if (const auto* text = value.if_string()) {
        parsed = Timestamp::parse(swift::strip({text->data(), text->size()}));
    } else if (value.is_number()) {
        const double seconds = value.to_number<double>();
        if (std::isfinite(seconds) && seconds >= 0 && seconds < 1e10) {
            parsed = Timestamp{static_cast<std::int64_t>(std::llround(seconds * 1e5)), 0};
        }
    }
    if (!parsed) return std::nullopt;
    return *parsed;
}

std::optional<int> index_of(const json::value& value) {
    std::optional<std::int64_t> index;
    if (const auto* number = value.if_int64()) index = *number;
    if (const auto* text = value.if_string())
        index = swift::python_int({text->data(), text->size()});
    constexpr std::int64_t index_end = 1 << 20;
    if (!index || *index < 0 || *index >= index_end) return std::nullopt;
    return static_cast<int>(*index);
}

std::optional<swift::FragmentPreference> preference_of(const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) return std::nullopt;
    const auto* timestamp = object->if_contains("timestamp");
    const auto* exclude = object->if_contains("exclude");
    if (timestamp == nullptr || exclude == nullptr || !exclude->is_array()) return std::nullopt;
    const auto time = time_of(*timestamp);
    if (!time) return std::nullopt;
    swift::FragmentPreference preference{*time, {}};
    for (const auto& one : exclude->as_array()) {
        const auto index = index_of(one);
        if (!index) return std::nullopt;
        preference.exclude.push_back(*index);
    }
    return preference;
}

}  // namespace

std::string fragments_json(const swift::OndiskFiles& files) {
    if (files.recorded.empty()) return {};
    std::string text = "{";
    for (const auto& set : files.recorded) {
        if (text.size() > 1) text += ", ";
        text += '"' + set.timestamp.internal() + "\": [";
        for (std::size_t i = 0; i < set.members.size(); ++i) {
            if (i > 0) text += ", ";
            text += std::to_string(set.members[i].parsed.fragment_index);
        }
        text += ']';
    }
    return text + "}";
}

Fields object_fields(const BackendRequest& request, const swift::OpenObject& object,
                     const AllowedHeaders& allowed) {
    const swift::Metadata& metadata = object.effective;
    Fields fields;
    fields.emplace_back("Content-Type",
                        metadata.text("Content-Type").value_or("application/octet-stream"));
    for (const auto& [key, value] : metadata.items()) {
        if (!is_answered(key, allowed)) continue;
        fields.emplace_back(capitalized(key), transport::http::unfolded(swift::to_text(value)));
    }
    fields.emplace_back("Etag", '"' + metadata.text("ETag").value_or("") + '"');
    fields.emplace_back("Last-Modified", transport::http::http_date(rounded_up(object.timestamp)));
    fields.emplace_back("X-Timestamp", object.timestamp.normal());
    fields.emplace_back("X-Backend-Timestamp", object.timestamp.internal());
    fields.emplace_back("X-Backend-Data-Timestamp", object.data_timestamp.internal());
    if (object.durable_timestamp) {
        fields.emplace_back("X-Backend-Durable-Timestamp", object.durable_timestamp->internal());
    }
    auto fragments = fragments_json(object.files);
    if (!fragments.empty()) fields.emplace_back("X-Backend-Fragments", std::move(fragments));
    std::erase_if(fields, [&](const auto& field) {
        const bool bad = breaks_line(field.first) || breaks_line(field.second);
        if (bad) {
            request.disk().logger.warning("Metadata of " + object.data_path +
                                          " left out of an answer: " + percent_quote(field.first));
        }
        return bad;
    });
    return fields;
}

Result<std::optional<std::vector<swift::FragmentPreference>>> fragment_preferences(
    const BackendRequest& request) {
    using Preferences = std::optional<std::vector<swift::FragmentPreference>>;
    const auto text = request.headers.find("X-Backend-Fragment-Preferences");
    if (!text || text->empty()) return Preferences();
    if (text->size() > preferences_bytes_max) return Error{errc::bad_name, "too long"};
    boost::system::error_code code;
    const auto value = json::parse({text->data(), text->size()}, code);
    if (code || value.is_null()) return Preferences();
    const auto* list = value.if_array();
    if (list == nullptr || list->size() > preferences_max) {
        return Error{errc::bad_name, "Bad frag_prefs"};
    }
    std::vector<swift::FragmentPreference> preferences;
    for (const auto& one : *list) {
        auto preference = preference_of(one);
        if (!preference) return Error{errc::bad_name, "Bad frag_prefs"};
        preferences.push_back(std::move(*preference));
    }
    return Preferences(std::move(preferences));
}

std::string conditional_etag(const BackendRequest& request, const swift::Metadata& metadata) {
    for (const auto& name : swift::list_from_csv(request.headers.get("X-Backend-Etag-Is-At"))) {
        for (const auto& [key, value] : metadata.items()) {
            if (equals_ignoring_case(key, name)) return swift::to_text(value);
        }
    }
    return metadata.text("ETag").value_or("");
}

}  // namespace fragmend::server
