// From an object on the disk to what has to be rebuilt of it.
#include "host/sync/rebuild_request.hpp"

#include <utility>

#include "host/base/bytes.hpp"

namespace fragmend::sync {

Result<scheduler::RebuildRequest> rebuild_request_of(const swift::OpenObject& object,
                                                     const SessionPlan& plan,
                                                     const swift::Policy& policy,
                                                     scheduler::Codec& codec) {
    const auto etag = object.data_metadata.text("X-Object-Sysmeta-Ec-Etag");
    if (!etag || etag->empty()) {
        return Error{errc::bad_metadata, object.data_path + ": no X-Object-Sysmeta-Ec-Etag"};
    }
    if (object.stored_fragment_index() &&
        *object.stored_fragment_index() != object.fragment_index) {
        return Error{errc::bad_metadata,
                     object.data_path + ": its metadata names another fragment index"};
    }
    std::size_t segment_bytes = policy.segment_bytes;
    bool is_stored = false;
    if (const auto stored = object.data_metadata.text("X-Object-Sysmeta-Ec-Segment-Size")) {
        const auto number = parse_digits(*stored);
        if (number && *number > 0 && *number <= (std::uint64_t{1} << 32)) {
            segment_bytes = *number;
            is_stored = true;
        }
    }
    scheduler::RebuildRequest request;
    request.scheme = {policy.ec_type, policy.k, policy.m};
    request.policy_index = policy.index;
    request.partition = plan.partition;
    request.object_path = object.name.path();
    request.object_hash = object.hash;
    request.data_timestamp = object.data_timestamp;
    request.ec_etag = *etag;
    request.archive_bytes = object.content_length;
    request.fragment_bytes = codec.fragment_bytes(request.scheme, segment_bytes);
    request.fragment_bytes_known = is_stored;
    request.wanted = static_cast<std::uint8_t>(plan.wanted_index);
    return request;
}

void keep_what_is_looked_up(swift::OpenObject& object) {
    swift::Metadata kept;
    for (const char* key : {"ETag", "X-Object-Sysmeta-Ec-Etag", "X-Object-Sysmeta-Ec-Frag-Index",
                            "X-Object-Sysmeta-Ec-Segment-Size"}) {
        if (const auto* value = object.data_metadata.find(key)) kept.set(key, *value);
    }
    object.data_metadata = std::move(kept);
    object.meta_metadata.reset();
    object.effective = swift::Metadata();
}

}  // namespace fragmend::sync
