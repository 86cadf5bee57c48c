// PUT, POST and DELETE sub-requests.
#include "host/sync/sub_requests.hpp"

#include "transport/http/head_text.hpp"
#include "transport/ssync/sub_request.hpp"

namespace fragmend::sync {
namespace {

using transport::ssync::SubRequest;

constexpr std::string_view frag_index_key = "X-Object-Sysmeta-Ec-Frag-Index";

/// A client may fold its metadata, and Swift stores the line end. Sent as it is, it ends a session:
/// a receiver reads line by line, and a second line without a colon is no header.
std::string header_value(const swift::MetadataValue& value) {
    auto text = swift::to_text(value);
    return transport::http::folded_line(text) ? transport::http::unfolded(text) : text;
}

}  // namespace

Result<std::vector<SubRequest>> sub_requests_of(const swift::OpenObject& object,
                                                const transport::ssync::Wanted& want,
                                                Headers put_headers) {
    std::vector<SubRequest> requests;
    const auto path = object.name.path();
    if (object.tombstone) {
        if (want.data)
            requests.push_back({"DELETE", path, delete_headers(*object.tombstone), 0, nullptr});
    } else {
        if (want.data) requests.push_back({"PUT", path, std::move(put_headers), 0, nullptr});
        if (want.meta && object.meta_metadata && object.timestamp != object.data_timestamp)
            requests.push_back({"POST", path, post_headers(*object.meta_metadata), 0, nullptr});
    }
    for (const SubRequest& request : requests) {
        const auto checked = transport::ssync::check_sub_request(request);
        if (checked.has_error()) return checked.error();
    }
    return requests;
}

Headers rebuilt_put_headers(const swift::Metadata& data, int wanted_index) {
    Headers headers;
    headers.reserve(data.items().size() + 1);
    for (const auto& [key, value] : data.items()) {
        if (key == "name" || key == "Content-Length" || key == "ETag" || key == "Etag" ||
            key == frag_index_key) {
            continue;
        }
        headers.emplace_back(key, header_value(value));
    }
    headers.emplace_back(frag_index_key, std::to_string(wanted_index));
    return headers;
}

Headers reverted_put_headers(const swift::Metadata& data, int fragment_index, bool durable) {
    Headers headers;
    headers.reserve(data.items().size() + 1);
    bool names_index = false;
    for (const auto& [key, value] : data.items()) {
        if (key == "name" || key == "Content-Length") continue;
        names_index = names_index || key == frag_index_key;
        headers.emplace_back(key, header_value(value));
    }
    if (!names_index) headers.emplace_back(frag_index_key, std::to_string(fragment_index));
    if (!durable) headers.emplace_back("X-Backend-No-Commit", "True");
    return headers;
}

Headers post_headers(const swift::Metadata& meta) {
    Headers headers;
    for (const auto& [key, value] : meta.items()) {
        if (key != "name") headers.emplace_back(key, header_value(value));
    }
    return headers;
}

Headers delete_headers(const Timestamp& tombstone) {
    return {{"X-Timestamp", tombstone.internal()}};
}

std::size_t header_bytes_of(const std::vector<SubRequest>& requests) {
    std::size_t bytes = 0;
    for (const SubRequest& request : requests) {
        for (const auto& [name, value] : request.headers)
            bytes += 2 * sizeof(std::string) + name.size() + value.size();
    }
    return bytes;
}

}  // namespace fragmend::sync
