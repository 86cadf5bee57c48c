// POST and DELETE.
#include "host/server/object_change.hpp"

#include <algorithm>

#include "host/server/container_updates.hpp"
#include "host/server/object_get.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

constexpr std::string_view type_key = "Content-Type";
constexpr std::string_view type_time_key = "Content-Type-Timestamp";

Reply with_timestamp(int status, const Timestamp& time) {
    Reply reply = error_reply(status);
    reply.fields.emplace_back("X-Backend-Timestamp", time.internal());
    return reply;
}

/// Writes one file without a body.
std::optional<Reply> write_file(const BackendRequest& request, const WriteRules& rules,
                                swift::Metadata metadata, std::string name) {
    auto writer = swift::DiskWriter::open(request.disk(), write_place(request),
                                          write_options(rules.options), std::nullopt);
    if (!writer) return failed_write_reply(request, writer.error());
    auto done = writer->put(std::move(metadata), {.name = std::move(name), .replaces = {}});
    if (done.has_error()) return failed_write_reply(request, done.error());
    return std::nullopt;
}

/// The times that a POST is weighed with.
struct PostTimes {
    Timestamp request;
    Timestamp request_type;  ///< Zero when the request brings no type.
    Timestamp present;
    Timestamp present_type;
};

Answered<PostTimes> post_times(const BackendRequest& request, const swift::OpenObject& object,
                               const Timestamp& timestamp) {
    PostTimes times{timestamp,
                    {},
                    object.timestamp,
                    object.content_type_timestamp.value_or(object.data_timestamp)};
    if (request.headers.get(type_key).empty()) return times;
    const auto text = request.headers.find(type_time_key);
    if (!text) {
        times.request_type = timestamp;
        return times;
    }
    const auto parsed = Timestamp::parse(swift::strip(*text));
    if (!parsed) return error_reply(500);
    times.request_type = *parsed;
    return times;
}

swift::Metadata posted_metadata(const BackendRequest& request, const WriteRules& rules,
                                const swift::OpenObject& object, const PostTimes& times) {
    swift::Metadata metadata;
    if (times.request > times.present) {
        metadata.set("X-Timestamp", times.request.internal());
        copy_kept_headers(request, rules.options, false, metadata);
    } else if (object.meta_metadata) {
        // Only the content type is newer: everything else stays as it was posted.
        metadata = *object.meta_metadata;
    }
    if (times.request_type > times.present_type) {
        metadata.set(type_key, std::string(request.headers.get(type_key)));
        metadata.set(type_time_key, times.request_type.internal());
    } else if (times.present_type != object.data_timestamp) {
        metadata.set(type_key, object.effective.text(type_key).value_or(""));
        metadata.set(type_time_key, times.present_type.internal());
    }
    return metadata;
}

/// What follows `text` from `at` on of characters that a parameter of a type may consist of, or a
/// quoted string.
std::string_view parameter_part(std::string_view text, std::size_t at) {
    const auto rest = text.substr(std::min(at, text.size()));
    if (rest.starts_with('"')) {
        for (std::size_t i = 1; i < rest.size(); ++i) {
            if (rest[i] == '"') return rest.substr(0, i + 1);
            if (rest[i] == '\\') ++i;
        }
        return {};
    }
    const auto is_token = [](char c) {
        const auto code = static_cast<unsigned char>(c);
        return code > 0x20 && code != 0x7f &&
               std::string_view("()<>@,;:\"/[]?={}").find(c) == std::string_view::npos;
    };
    return rest.substr(
        0, static_cast<std::size_t>(std::ranges::find_if_not(rest, is_token) - rest.begin()));
}

/// The swift_bytes parameter that a manifest's type carries; empty when there is none.
/// Source: swift.common.utils.extract_swift_bytes.
std::string_view swift_bytes_of(std::string_view type) {
    const auto after_blanks = [type](std::size_t at) {
        return std::min(type.find_first_not_of(" \t", at), type.size());
    };
    std::string_view bytes;
    auto at = type.find(';');
    while (at != std::string_view::npos) {
        const auto key = parameter_part(type, after_blanks(at + 1));
        if (key.empty() || key.starts_with('"')) {
            at = type.find(';', at + 1);
            continue;
        }
        auto end = static_cast<std::size_t>(key.end() - type.begin());
        std::string_view value;
        if (const auto sign = after_blanks(end); sign < type.size() && type[sign] == '=') {
            value = parameter_part(type, after_blanks(sign + 1));
            if (!value.empty()) end = static_cast<std::size_t>(value.end() - type.begin());
        }
        if (key == "swift_bytes") bytes = value;
        at = type.find(';', end);
    }
    return bytes;
}

/// The type in force after a POST, as containers and proxies are told of it: the size that the data
/// file's type carries stays with a posted one.
std::string told_type(const BackendRequest& request, const swift::OpenObject& object,
                      const PostTimes& times) {
    const bool newer_type = times.request_type > times.present_type;
    std::string type = newer_type ? std::string(request.headers.get(type_key))
                                  : object.effective.text(type_key).value_or("");
    if (!newer_type && times.present_type == object.data_timestamp) return type;
    const std::string stored = object.data_metadata.text(type_key).value_or("");
    const auto bytes = swift_bytes_of(stored);
    if (!bytes.empty()) type.append(";swift_bytes=").append(bytes);
    return type;
}

/// What a container is told of a POST. Source: swift.obj.server.ObjectController.POST.
HeaderMap posted_update(const BackendRequest& request, const swift::OpenObject& object,
                        const PostTimes& times, const Timestamp& meta_time) {
    const auto item = [&](std::string_view key) { return object.effective.text(key); };
    const bool newer_type = times.request_type > times.present_type;
    HeaderMap update;
    update.set(
        "X-Size",
        item("X-Object-Sysmeta-Ec-Content-Length").value_or(item("Content-Length").value_or("0")));
    update.set("X-Content-Type", told_type(request, object, times));
    update.set("X-Timestamp", object.data_timestamp.internal());
    update.set("X-Content-Type-Timestamp",
               (newer_type ? times.request_type : times.present_type).internal());
    update.set("X-Meta-Timestamp", meta_time.internal());
    update.set("X-Etag", item("X-Object-Sysmeta-Ec-Etag").value_or(item("ETag").value_or("")));
    std::vector<HeaderMap::Item> items;
    for (const auto& [key, value] : object.effective.items())
        items.emplace_back(key, swift::to_text(value));
    apply_container_overrides(update, items, {});
    return update;
}

Reply accepted(const BackendRequest& request, const swift::OpenObject& object,
               const PostTimes& times) {
    Reply reply = error_reply(202);
    reply.fields.emplace_back("X-Backend-Content-Type", told_type(request, object, times));
    for (const auto& [key, value] : object.effective.items()) {
        if (swift::is_object_sysmeta(key)) reply.fields.emplace_back(key, swift::to_text(value));
    }
    return reply;
}

}  // namespace

Reply answer_post(const BackendRequest& request, WriteRules rules) {
    const auto timestamp = request.timestamp();
    if (!timestamp) return timestamp.error();
    const auto delete_at_text = request.headers.get("X-Delete-At");
    const auto delete_at =
        swift::python_int_saturated(delete_at_text.empty() ? "0" : delete_at_text);
    if (!delete_at) return error_reply(500);
    if (*delete_at != 0 && static_cast<double>(*delete_at) < timestamp->seconds()) {
        return text_reply(400, "X-Delete-At in past");
    }
    auto opened = open_at(
        request, {.frag_index = {}, .frag_prefs = {}, .open_expired = request.is_replication()},
        *timestamp);
    if (!opened) {
        auto failed = failed_open_reply(request, opened.error());
        if (failed) return std::move(*failed);
        // For SSYNC a 404 is success, after which a revert purges what it sent from: not for an
        // object that was here until it turned out damaged.
        const bool lost_here = request.is_replication() && opened.error() == errc::quarantined;
        return error_reply(lost_here ? 500 : 404);
    }
    const swift::OpenObject& object = opened->object;
    if (object.tombstone || opened->expired) return error_reply(404);
    const auto times = post_times(request, object, *timestamp);
    if (!times) return times.error();
    const bool has_newer_metadata = times->request > times->present;
    const bool has_newer_type = times->request_type > times->present_type;
    if (!has_newer_metadata && (!has_newer_type || !object.meta_metadata)) {
        return with_timestamp(409, times->present);
    }
    swift::Metadata metadata = posted_metadata(request, rules, object, *times);
    const auto file_time = metadata.timestamp("X-Timestamp");
    if (!file_time) return failed_write_reply(request, file_time.error());
    std::optional<Timestamp> type_time;
    if (metadata.contains(type_time_key)) {
        const auto parsed = metadata.timestamp(type_time_key);
        if (!parsed) return failed_write_reply(request, parsed.error());
        type_time = *parsed;
    }
    auto failed = write_file(request, rules, std::move(metadata),
                             swift::meta_file_name(*file_time, type_time));
    if (failed) return std::move(*failed);
    auto expiry = leave_expiry_updates(
        request, *timestamp,
        has_newer_metadata
            ? swift::python_int_saturated(object.effective.text("X-Delete-At").value_or("0"))
                  .value_or(0)
            : *delete_at,
        *delete_at);
    if (expiry.has_error()) return failed_write_reply(request, expiry.error());
    auto told = leave_container_update(
        request, "PUT", posted_update(request, object, *times, *file_time), *file_time);
    if (told.has_error()) return failed_write_reply(request, told.error());
    return accepted(request, object, *times);
}

Reply answer_delete(const BackendRequest& request, WriteRules rules) {
    const auto timestamp = request.timestamp();
    if (!timestamp) return timestamp.error();
    const auto opened = open_at(request, {}, *timestamp);
    Timestamp present{};
    int status = 404;
    std::string type, delete_at = "0";
    if (opened) {
        const swift::OpenObject& object = opened->object;
        if (object.tombstone) {
            present = *object.tombstone;
        } else {
            present = opened->expired ? object.timestamp : object.data_timestamp;
            if (!opened->expired) status = present < *timestamp ? 204 : 409;
            type = object.effective.text(type_key).value_or("");
            delete_at = object.effective.text("X-Delete-At").value_or("0");
        }
    } else if (auto failed = failed_open_reply(request, opened.error())) {
        return std::move(*failed);
    }
    if (const auto condition = request.headers.find("X-If-Delete-At")) {
        const auto wanted = Timestamp::parse(swift::strip(*condition));
        if (!wanted) return text_reply(400, "Bad X-If-Delete-At header value", false);
        if (present == Timestamp{}) return error_reply(404);
        if (present >= *timestamp) return error_reply(409);
        const auto found = Timestamp::parse(swift::strip(delete_at));
        if (!found || *found != *wanted) {
            return text_reply(412, "X-If-Delete-At and X-Delete-At do not match", false);
        }
        status = 204;
    }
    const auto old_delete_at = swift::python_int_saturated(delete_at).value_or(0);
    auto expiry = leave_expiry_updates(request, *timestamp, old_delete_at, 0);
    if (expiry.has_error()) return failed_write_reply(request, expiry.error());
    if (present < *timestamp) {
        swift::Metadata metadata;
        metadata.set("X-Timestamp", timestamp->internal());
        auto failed =
            write_file(request, rules, std::move(metadata), swift::tombstone_file_name(*timestamp));
        if (failed) return std::move(*failed);
        HeaderMap update;
        update.set("X-Timestamp", timestamp->internal());
        auto told = leave_container_update(request, "DELETE", std::move(update), *timestamp);
        if (told.has_error()) return failed_write_reply(request, told.error());
    }
    Reply reply = with_timestamp(status, std::max(present, *timestamp));
    reply.fields.emplace_back("X-Backend-Content-Type", type);
    return reply;
}

}  // namespace fragmend::server
