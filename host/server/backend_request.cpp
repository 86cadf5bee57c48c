// Taking requests apart.
#include "host/server/backend_request.hpp"

#include <algorithm>

#include "host/base/bytes.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

constexpr std::string_view html_type = "text/html; charset=UTF-8";
constexpr std::string_view explanation_start = "<html><h1>";
constexpr char reserved = '\0';  ///< Begins the names of Swift's own namespace.
constexpr std::size_t hash_characters = 32;
constexpr std::size_t suffix_characters = 3;

std::string_view explanation_of(int status) {
    switch (status) {
        case 202:
            return "The request is accepted for processing.";
        case 400:
            return "The server could not comply with the request since it is either malformed or "
                   "otherwise incorrect.";
        case 403:
            return "Access was denied to this resource.";
        case 404:
            return "The resource could not be found.";
        case 405:
            return "The method is not allowed for this resource.";
        case 408:
            return "The server has waited too long for the request to be sent by the client.";
        case 409:
            return "There was a conflict when trying to complete your request.";
        case 411:
            return "Content-Length header required.";
        case 412:
            return "A precondition for this request was not met.";
        case 413:
            return "The body of your request was too large for this server.";
        case 416:
            return "The Range requested is not available.";
        case 422:
            return "Unable to process the contained instructions";
        case 499:
            return "The client was disconnected during request.";
        case 500:
            return "The server has either erred or is incapable of performing the requested "
                   "operation.";
        case 501:
            return "The requested method is not implemented by this server.";
        case 503:
            return "The server is currently unavailable. Please try again at a later time.";
        case 507:
            return "There was not enough space to save the resource. Drive: ";
        default:
            return "";
    }
}

Reply invalid_path(std::string_view path) {
    return text_reply(400, "Invalid path: " + percent_quote(path));
}

/// The policy of a request. Source:
/// swift.common.storage_policy.StoragePolicyCollection.get_by_index.
Answered<const PolicyStore*> store_of(const PolicyStores& stores, const HeaderMap& headers) {
    const auto text = headers.find("X-Backend-Storage-Policy-Index");
    std::optional<std::int64_t> index = 0;
    if (text && !text->empty()) index = swift::python_int(*text);
    for (const PolicyStore& store : stores) {
        if (index && store.policy.index == *index) return &store;
    }
    return text_reply(503, "No policy with index " + std::string(text.value_or("None")));
}

/// The first `count` segments of a path and what is left of it; nothing if one of them is missing.
/// With `count` segments alone, a slash at the end is allowed.
std::optional<std::vector<std::string_view>> segments_of(std::string_view path, std::size_t least,
                                                         std::size_t most) {
    std::vector<std::string_view> segments;
    if (!path.starts_with('/')) return std::nullopt;
    path.remove_prefix(1);
    while (segments.size() + 1 < most) {
        const auto slash = path.find('/');
        if (slash == std::string_view::npos) break;
        segments.push_back(path.substr(0, slash));
        path.remove_prefix(slash + 1);
    }
    segments.push_back(path);
    if (segments.size() < least) return std::nullopt;
    for (std::size_t i = 0; i < least; ++i) {
        if (segments[i].empty()) return std::nullopt;
    }
    return segments;
}

bool is_dots(std::string_view text) {
    return text == "." || text == "..";
}

/// Beyond Swift's check, a partition has to be a number: everything else in a data directory is
/// somebody else's.
std::optional<Reply> bad_place(const BackendRequest& request) {
    if (request.device.empty() || is_dots(request.device)) {
        return text_reply(400, "Invalid device: " + percent_quote(request.device));
    }
    const auto number = parse_digits(request.partition);
    if (!number || std::to_string(*number) != request.partition) {
        return text_reply(400, "Invalid partition: " + percent_quote(request.partition));
    }
    return std::nullopt;
}

bool is_reserved(std::string_view name) {
    return name.starts_with(reserved);
}

/// Source: swift.common.request_helpers.validate_internal_obj.
std::optional<Reply> bad_namespace(const swift::ObjectName& name) {
    const auto misplaced = [](std::string_view part) {
        return part.find(reserved) != std::string_view::npos && !is_reserved(part);
    };
    const auto refuse = [](std::string_view what) {
        return text_reply(400, std::string(what), false);
    };
    if (misplaced(name.account)) return refuse("Invalid reserved-namespace account");
    if (misplaced(name.container)) return refuse("Invalid reserved-namespace container");
    if (name.account.starts_with('.')) return std::nullopt;
    if (misplaced(name.object)) return refuse("Invalid reserved-namespace object");
    if (is_reserved(name.container) && !is_reserved(name.object)) {
        return refuse("Invalid user-namespace object in reserved-namespace container");
    }
    if (is_reserved(name.object) && !is_reserved(name.container)) {
        return refuse("Invalid reserved-namespace object in user-namespace container");
    }
    return std::nullopt;
}

}  // namespace

Reply error_reply(int status, std::string_view drive) {
    Reply reply;
    reply.status = status;
    reply.fields.emplace_back("Content-Type", html_type);
    const auto explanation = explanation_of(status);
    if (explanation.empty()) return reply;
    reply.body = std::string(explanation_start) + std::string(transport::http::reason_of(status)) +
                 "</h1><p>";
    reply.body += explanation;
    if (status == 507) reply.body += drive.empty() ? "unknown" : drive;
    reply.body += "</p></html>";
    return reply;
}

bool is_explanation(const Reply& reply) {
    return reply.body.starts_with(explanation_start);
}

Reply text_reply(int status, std::string body, bool is_plain) {
    Reply reply;
    reply.status = status;
    reply.fields.emplace_back("Content-Type", is_plain ? "text/plain" : html_type);
    reply.body = std::move(body);
    return reply;
}

HeaderMap headers_of(const transport::http::RequestHead& head) {
    HeaderMap headers;
    for (std::size_t i = 0; i < head.field_count(); ++i) {
        const auto [name, value] = head.field(i);
        headers.add(name, value);
    }
    // As in eventlet, a type that is not given is an empty one.
    if (!headers.contains("Content-Type")) headers.set("Content-Type", "");
    return headers;
}

Answered<Timestamp> BackendRequest::timestamp() const {
    const auto text = headers.find("X-Timestamp");
    if (!text) return text_reply(400, "Missing X-Timestamp header");
    auto parsed = Timestamp::parse(swift::strip(*text));
    if (!parsed) return text_reply(400, "Invalid X-Timestamp header");
    return *parsed;
}

bool BackendRequest::is_to_be_relinked() const {
    const auto text = headers.get("X-Backend-Next-Part-Power");
    if (text.empty()) return false;
    constexpr int hash_bits = 32;
    const auto power = swift::python_int(text);
    if (!power || *power < 0 || *power > hash_bits) return true;
    const auto front = std::stoull(object_hash.substr(0, 8), nullptr, 16);
    return std::to_string(front >> (hash_bits - *power)) != partition;
}

swift::FoundObject BackendRequest::place() const {
    swift::FoundObject found;
    found.hash = object_hash;
    found.name = name;
    const swift::PartitionPath partition_path(disk(), device, partition);
    found.hash_dir_path =
        partition_path.suffix_path(object_hash.substr(hash_characters - suffix_characters)) + "/" +
        object_hash;
    return found;
}

Answered<BackendRequest> object_request(const PolicyStores& stores, std::string_view method,
                                        std::string_view path, HeaderMap headers) {
    auto store = store_of(stores, headers);
    if (!store) return store.error();
    constexpr std::size_t parts = 5;
    const auto segments = segments_of(path, parts, parts);
    if (!segments) return invalid_path(path);
    BackendRequest request;
    request.method = method;
    request.headers = std::move(headers);
    request.store = *store;
    request.device = (*segments)[0];
    request.partition = (*segments)[1];
    request.name = {std::string((*segments)[2]), std::string((*segments)[3]),
                    std::string((*segments)[4])};
    if (auto bad = bad_place(request)) return std::move(*bad);
    if (auto bad = bad_namespace(request.name)) return std::move(*bad);
    request.object_hash = swift::object_hash_of(request.disk(), request.name.path());
    return request;
}

Answered<BackendRequest> partition_request(const PolicyStores& stores, std::string_view method,
                                           std::string_view path, HeaderMap headers,
                                           bool with_suffixes) {
    auto store = store_of(stores, headers);
    if (!store) return store.error();
    const auto segments = segments_of(path, 2, 3);
    const bool has_more = segments && segments->size() == 3 && !(*segments)[2].empty();
    if (!segments || (has_more && !with_suffixes)) return invalid_path(path);
    BackendRequest request;
    request.method = method;
    request.headers = std::move(headers);
    request.store = *store;
    request.device = (*segments)[0];
    request.partition = (*segments)[1];
    if (has_more) request.suffixes = (*segments)[2];
    if (auto bad = bad_place(request)) return std::move(*bad);
    return request;
}

}  // namespace fragmend::server
