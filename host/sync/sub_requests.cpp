// Headers of PUT, POST and DELETE sub-requests.
#include "host/sync/sub_requests.hpp"

namespace fragmend::sync {
namespace {

constexpr std::string_view frag_index_key = "X-Object-Sysmeta-Ec-Frag-Index";

}  // namespace

Headers rebuilt_put_headers(const swift::Metadata& data, int wanted_index) {
    Headers headers;
    headers.reserve(data.items().size() + 1);
    for (const auto& [key, value] : data.items()) {
        if (key == "name" || key == "Content-Length" || key == "ETag" || key == "Etag" ||
            key == frag_index_key) {
            continue;
        }
        headers.emplace_back(key, swift::to_text(value));
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
        headers.emplace_back(key, swift::to_text(value));
    }
    if (!names_index) headers.emplace_back(frag_index_key, std::to_string(fragment_index));
    if (!durable) headers.emplace_back("X-Backend-No-Commit", "True");
    return headers;
}

Headers post_headers(const swift::Metadata& meta) {
    Headers headers;
    for (const auto& [key, value] : meta.items()) {
        if (key != "name") headers.emplace_back(key, swift::to_text(value));
    }
    return headers;
}

Headers delete_headers(const Timestamp& tombstone) {
    return {{"X-Timestamp", tombstone.internal()}};
}

}  // namespace fragmend::sync
