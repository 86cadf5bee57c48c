// Rules for stored objects.
#include "host/server/object_rules.hpp"

#include <algorithm>

#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

constexpr std::string_view user_prefix = "X-Object-Meta-";

std::size_t code_points(std::string_view utf8) {
    return static_cast<std::size_t>(std::ranges::count_if(
        utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Source: swift.common.constraints.check_delete_headers.
std::optional<Reply> refused_expiry(BackendRequest& request, const Timestamp& timestamp) {
    const double now = timestamp.seconds();
    constexpr double end_of_time = 9999999999;
    if (const auto after = request.headers.find("X-Delete-After")) {
        const auto seconds = swift::python_int_saturated(*after);
        if (!seconds) return text_reply(400, "Non-integer X-Delete-After");
        const double at = std::clamp(now + static_cast<double>(*seconds), 0.0, end_of_time);
        const auto whole = static_cast<std::int64_t>(at);
        if (static_cast<double>(whole) <= now) return text_reply(400, "X-Delete-After in past");
        std::string text = std::to_string(whole);
        text.insert(0, 10 - std::min<std::size_t>(10, text.size()), '0');
        request.headers.set("X-Delete-At", text);
        request.headers.erase("X-Delete-After");
    }
    if (const auto at = request.headers.find("X-Delete-At")) {
        const auto seconds = swift::python_int_saturated(*at);
        if (!seconds) return text_reply(400, "Non-integer X-Delete-At");
        const double when = std::clamp(static_cast<double>(*seconds), 0.0, end_of_time);
        if (when <= now && !request.is_replication()) return text_reply(400, "X-Delete-At in past");
    }
    return std::nullopt;
}

/// Source: swift.common.constraints.check_metadata.
std::optional<Reply> refused_metadata(const HeaderMap& headers,
                                      const swift::Constraints& constraints) {
    const auto beyond = [](std::size_t size, std::int64_t most) {
        return static_cast<std::int64_t>(size) > most;
    };
    std::size_t count = 0, bytes = 0;
    for (const auto& [name, value] : headers.items()) {
        if (beyond(value.size(), constraints.max_header_size)) {
            return text_reply(
                400,
                "Header value too long: " +
                    name.substr(0, static_cast<std::size_t>(constraints.max_meta_name_length)));
        }
        if (!name.starts_with(user_prefix)) continue;
        const std::string key = name.substr(user_prefix.size());
        if (key.empty()) return text_reply(400, "Metadata name cannot be empty");
        ++count;
        bytes += key.size() + value.size();
        if (beyond(key.size(), constraints.max_meta_name_length)) {
            return text_reply(400, "Metadata name too long: x-object-meta-" + key);
        }
        if (beyond(value.size(), constraints.max_meta_value_length)) {
            return text_reply(400, "Metadata value longer than " +
                                       std::to_string(constraints.max_meta_value_length) +
                                       ": x-object-meta-" + key);
        }
        if (beyond(count, constraints.max_meta_count)) {
            return text_reply(
                400, "Too many metadata items; max " + std::to_string(constraints.max_meta_count));
        }
        if (beyond(bytes, constraints.max_meta_overall_size)) {
            return text_reply(400, "Total metadata too large; max " +
                                       std::to_string(constraints.max_meta_overall_size));
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<Reply> refused_creation(BackendRequest& request, const Timestamp& timestamp,
                                      std::optional<std::uint64_t> length, bool has_length,
                                      const swift::Constraints& constraints) {
    if (length && *length > static_cast<std::uint64_t>(constraints.max_file_size)) {
        return text_reply(413, "Your request is too large.");
    }
    if (!has_length) return text_reply(411, "Missing Content-Length header.");
    const std::size_t name_length = code_points(request.name.object);
    if (static_cast<std::int64_t>(name_length) > constraints.max_object_name_length) {
        return text_reply(400, "Object name length of " + std::to_string(name_length) +
                                   " longer than " +
                                   std::to_string(constraints.max_object_name_length));
    }
    const auto type = request.headers.find("Content-Type");
    if (!type) return text_reply(400, "No content type");
    if (auto refused = refused_expiry(request, timestamp)) return refused;
    if (type->empty() || !swift::is_valid_utf8(*type) || type->find('\0') != type->npos) {
        return text_reply(400, "Invalid Content-Type");
    }
    return refused_metadata(request.headers, constraints);
}

Answered<std::optional<int>> requested_fragment_index(const BackendRequest& request) {
    const auto text = request.headers.find("X-Backend-Ssync-Frag-Index");
    if (!text || !request.store->policy.is_erasure_coding()) return std::optional<int>();
    const auto index = swift::python_int(*text);
    if (!index || *index < 0 || *index >= request.store->policy.unique_fragments()) {
        return error_reply(500);
    }
    return std::optional<int>(static_cast<int>(*index));
}

swift::WritePlace write_place(const BackendRequest& request) {
    return {request.disk().device_path(request.device), request.place().hash_dir_path,
            request.store->policy.tmp_dir(), request.name.path()};
}

swift::WriteOptions write_options(const ServerOptions& options) {
    return {.sync_bytes = options.sync_bytes,
            .disable_fallocate = options.disable_fallocate,
            .reserve = options.fallocate_reserve,
            .fsync = options.fsync};
}

void copy_kept_headers(const BackendRequest& request, const ServerOptions& options,
                       bool with_system_meta, swift::Metadata& metadata) {
    for (const auto& [name, value] : request.headers.items()) {
        const bool kept = is_user_meta(name) || is_transient_system_meta(name) ||
                          (with_system_meta && is_user_or_system_meta(name));
        if (kept) metadata.set(name, value);
    }
    const auto copy = [&](std::string_view name) {
        const auto value = request.headers.find(name);
        if (value) metadata.set(swift::title_case(name), std::string(*value));
    };
    std::string_view rest = request.headers.get("X-Backend-Replication-Headers");
    while (!rest.empty()) {
        const auto blank = rest.find(' ');
        const auto name = rest.substr(0, blank);
        if (!name.empty()) copy(name);
        if (blank == std::string_view::npos) break;
        rest.remove_prefix(blank + 1);
    }
    for (const auto& name : options.allowed_headers)
        copy(name);
}

Reply failed_write_reply(const BackendRequest& request, const Error& error) {
    request.disk().logger.error(request.method + " " + percent_quote(request.name.path()) + " on " +
                                request.device + " failed: " + to_string(error));
    if (error == errc::no_space || error == errc::not_mounted) {
        return error_reply(507, request.device);
    }
    return error_reply(500);
}

}  // namespace fragmend::server
