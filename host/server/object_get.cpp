// GET and HEAD.
#include "host/server/object_get.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>

#include "host/server/conditions.hpp"
#include "host/swift/mount_check.hpp"
#include "host/swift/python_text.hpp"
#include "transport/http/request.hpp"

namespace fragmend::server {
namespace {

constexpr std::int64_t raw_per_second = 100000;

/// Bytes that nobody looks at here travel in larger steps: each one costs a trip to a disk thread.
constexpr std::size_t unchecked_piece_bytes = 128 * 1024;

/// A fragment that goes to another node's rebuild, which hashes it anyway. A part of an archive is
/// never checked here, so whoever claims this wrongly deceives nobody but himself.
bool reader_verifies(const BackendRequest& request) {
    return request.is_replication() && request.store->policy.is_erasure_coding() &&
           request.headers.get(transport::http::reader_verifies_header) ==
               transport::http::reader_verifies_md5;
}

std::string random_boundary() {
    std::array<std::byte, 16> bytes{};
    FRAGMEND_ASSERT(::getrandom(bytes.data(), bytes.size(), 0) == ssize_t{16});
    return to_hex(bytes);
}

std::string range_value(const ByteRange& range, std::uint64_t size) {
    return "bytes " + std::to_string(range.begin) + "-" + std::to_string(range.end - 1) + "/" +
           std::to_string(size);
}

void set_field(Fields& fields, std::string_view name, std::string value) {
    for (auto& field : fields) {
        if (field.first == name) {
            field.second = std::move(value);
            return;
        }
    }
    fields.emplace_back(name, std::move(value));
}

Reply not_found(const BackendRequest& request, const std::optional<Timestamp>& time) {
    const auto status =
        conditional_status(request.headers, {.status = 404, .etag = {}, .last_modified_s = {}});
    Reply reply = error_reply(404);
    if (status) {
        reply.status = *status;
        reply.body.clear();
    }
    if (time) reply.fields.emplace_back("X-Backend-Timestamp", time->internal());
    return reply;
}

/// Answers with all of the object, with parts of it, or with 416.
void apply_ranges(GetAnswer& answer, const BackendRequest& request, std::uint64_t size) {
    answer.body.parts = {{"", {0, size}}};
    const auto header = request.headers.find("Range");
    const auto ranges = header ? ranges_of(*header, size) : std::nullopt;
    Fields& fields = answer.head.fields;
    if (ranges && ranges->empty()) {
        Reply refusal = error_reply(416);
        fields.emplace_back("Content-Range", "bytes */" + std::to_string(size));
        answer.head.status = 416;
        answer.head.body = std::move(refusal.body);
        answer.body.parts.clear();
    } else if (ranges && size > 0 && ranges->size() == 1) {
        answer.head.status = 206;
        answer.body.parts = {{"", ranges->front()}};
        fields.emplace_back("Content-Range", range_value(ranges->front(), size));
    } else if (ranges && size > 0) {
        answer.head.status = 206;
        const std::string boundary = random_boundary();
        const std::string type = fields.front().second;
        answer.body.parts.clear();
        for (const auto& range : *ranges) {
            std::string before = answer.body.parts.empty() ? "" : "\r\n";
            before += "--" + boundary + "\r\nContent-Type: " + type +
                      "\r\nContent-Range: " + range_value(range, size) + "\r\n\r\n";
            answer.body.parts.push_back({std::move(before), range});
        }
        answer.body.end = "\r\n--" + boundary + "--";
        set_field(fields, "Content-Type", "multipart/byteranges;boundary=" + boundary);
    }
}

/// Swift takes ranges back where the metadata say that they make no sense.
bool ignores_ranges(const BackendRequest& request, const swift::Metadata& metadata) {
    const auto names =
        swift::list_from_csv(request.headers.get("X-Backend-Ignore-Range-If-Metadata-Present"));
    for (const auto& name : names) {
        for (const auto& item : metadata.items()) {
            if (equals_ignoring_case(item.first, name)) return true;
        }
    }
    return false;
}

GetAnswer answer_opened(const BackendRequest& request, const ServerOptions& options,
                        const FragmentAudit* audit, swift::OpenObject object) {
    GetAnswer answer;
    answer.head.fields = object_fields(request, object, options.allowed_headers);
    const std::uint64_t size = object.content_length;
    const std::string etag = conditional_etag(request, object.effective);
    const auto modified = (object.timestamp.raw + raw_per_second - 1) / raw_per_second;
    const auto status = conditional_status(
        request.headers,
        {.status = 200, .etag = std::string_view(etag), .last_modified_s = modified});
    if (status) {
        answer.head.status = *status;
        answer.head.content_length = 0;
        return answer;
    }
    if (request.method == "HEAD") {
        answer.head.content_length = size;
        return answer;
    }
    if (ignores_ranges(request, object.effective)) {
        answer.body.parts = {{"", {0, size}}};
    } else {
        apply_ranges(answer, request, size);
    }
    if (answer.body.parts.empty()) return answer;
    answer.head.content_length = answer.body.bytes();
    const bool anonymous =
        !request.headers.contains("X-Auth-Token") && !request.headers.contains("X-Storage-Token");
    const bool keep = (options.keep_cache_private || anonymous) &&
                      size < static_cast<std::uint64_t>(options.keep_cache_bytes);
    const bool checks = !reader_verifies(request);
    const auto chunk_bytes = static_cast<std::size_t>(options.disk_chunk_bytes);
    answer.reader = std::make_unique<ArchiveReader>(
        *request.store, audit, request.disk().device_path(request.device), std::move(object),
        ArchiveReader::Options{
            .piece_bytes = checks ? chunk_bytes : std::max(chunk_bytes, unchecked_piece_bytes),
            .keep_cache = keep,
            .checks = checks});
    return answer;
}

}  // namespace

std::uint64_t ArchiveBody::bytes() const {
    std::uint64_t sum = end.size();
    for (const Part& part : parts)
        sum += part.before.size() + part.range.bytes();
    return sum;
}

Result<OpenedAt> open_at(const BackendRequest& request, const swift::OpenOptions& options,
                         const Timestamp& now) {
    const auto mounted = swift::check_device(request.disk(), request.device);
    if (!mounted) return mounted.error();
    swift::OpenOptions any_age = options;
    any_age.open_expired = true;
    auto place = request.place();
    auto opened = swift::open_found(request.disk(), request.device, place, any_age);
    if (!opened) return opened.error();
    OpenedAt result{std::move(*opened), false};
    const auto delete_at = result.object.effective.text("X-Delete-At");
    const auto seconds = delete_at ? swift::python_int_saturated(*delete_at) : std::nullopt;
    result.expired =
        !options.open_expired && seconds && static_cast<double>(*seconds) <= now.seconds();
    return result;
}

std::optional<Reply> failed_open_reply(const BackendRequest& request, const Error& error) {
    switch (error.code) {
        case errc::not_found:
        case errc::quarantined:
            return std::nullopt;
        case errc::not_mounted:
        case errc::no_space:
            return error_reply(507, request.device);
        case errc::name_collision:
            return error_reply(403);
        default:
            request.disk().logger.error("ERROR __call__ error with " + request.method + " " +
                                        percent_quote(request.name.path()) + " : " +
                                        to_string(error));
            return error_reply(500);
    }
}

GetAnswer answer_get(const BackendRequest& request, const ServerOptions& options,
                     const FragmentAudit* audit) {
    GetAnswer answer;
    Timestamp now = request.disk().clock->now();
    if (request.headers.contains("X-Timestamp")) {
        auto given = request.timestamp();
        if (!given) return {std::move(given.error()), nullptr, {}};
        now = *given;
    }
    swift::OpenOptions open{
        .frag_index = {}, .frag_prefs = {}, .open_expired = request.is_replication()};
    if (request.store->policy.is_erasure_coding()) {
        auto preferences = fragment_preferences(request);
        if (!preferences) {
            request.disk().logger.error(request.method + " " + percent_quote(request.name.path()) +
                                        ": " + preferences.error().detail);
            return {error_reply(500), nullptr, {}};
        }
        open.frag_prefs = std::move(*preferences);
    }
    auto opened = open_at(request, open, now);
    if (!opened) {
        auto reply = failed_open_reply(request, opened.error());
        return {reply ? std::move(*reply) : not_found(request, std::nullopt), nullptr, {}};
    }
    if (opened->object.tombstone)
        return {not_found(request, opened->object.tombstone), nullptr, {}};
    if (opened->expired) return {not_found(request, opened->object.timestamp), nullptr, {}};
    return answer_opened(request, options, audit, std::move(opened->object));
}

}  // namespace fragmend::server
