// PUT.
#include "host/server/object_put.hpp"

#include "host/server/conditions.hpp"
#include "host/server/container_updates.hpp"
#include "host/server/object_get.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

constexpr std::string_view index_key = "X-Object-Sysmeta-Ec-Frag-Index";

std::optional<std::uint64_t> announced_length(const BackendRequest& request,
                                              std::optional<std::uint64_t> length) {
    if (length) return length;
    // The proxy sends chunks and says ahead how many bytes of object there will be.
    const auto text = request.headers.find("X-Backend-Obj-Content-Length");
    return text ? parse_digits(*text) : std::nullopt;
}

}  // namespace

Answered<std::unique_ptr<PutOperation>> PutOperation::begin(BackendRequest request,
                                                            WriteRules rules,
                                                            std::optional<std::uint64_t> length,
                                                            bool has_length) {
    const auto timestamp = request.timestamp();
    if (!timestamp) return timestamp.error();
    auto refused = refused_creation(request, *timestamp, length, has_length, rules.constraints);
    if (refused) return std::move(*refused);
    const auto size = announced_length(request, length);
    if (!size && request.headers.contains("X-Backend-Obj-Content-Length")) {
        return text_reply(400, "Invalid X-Backend-Obj-Content-Length");
    }
    std::unique_ptr<PutOperation> put(
        new PutOperation(std::move(request), rules, *timestamp, size));
    auto index = requested_fragment_index(put->request_);
    if (!index) return index.error();
    put->requested_index_ = *index;
    if (auto conflict = put->conflict()) return std::move(*conflict);
    return put;
}

std::optional<Reply> PutOperation::conflict() {
    const auto opened =
        open_at(request_, {.frag_index = requested_index_, .frag_prefs = {}}, timestamp_);
    if (!opened) return failed_open_reply(request_, opened.error());
    const swift::OpenObject& object = opened->object;
    Timestamp present = object.data_timestamp;
    if (object.tombstone) {
        present = *object.tombstone;
    } else if (opened->expired) {
        present = object.timestamp;
    } else if (const auto none_match = request_.headers.find("If-None-Match")) {
        if (matches_tag(*none_match, object.effective.text("ETag").value_or(""))) {
            return error_reply(412);
        }
    }
    if (!object.tombstone && !opened->expired) {
        expired_at_ =
            swift::python_int_saturated(object.effective.text("X-Delete-At").value_or("0"))
                .value_or(0);
    }
    if (present < timestamp_) return std::nullopt;
    Reply reply = error_reply(409);
    reply.fields.emplace_back("X-Backend-Timestamp", present.internal());
    return reply;
}

Answered<void> PutOperation::open() {
    auto writer = swift::DiskWriter::open(request_.disk(), write_place(request_),
                                          write_options(rules_.options), length_);
    if (!writer) return failed_write_reply(request_, writer.error());
    writer_.emplace(std::move(*writer));
    return {};
}

Answered<void> PutOperation::write(ByteView bytes) {
    auto written = writer_->write(bytes);
    if (written.has_error()) return failed_write_reply(request_, written.error());
    return {};
}

Answered<swift::Metadata> PutOperation::metadata(const HeaderMap& footers) {
    swift::Metadata metadata;
    metadata.set("X-Timestamp", timestamp_.internal());
    metadata.set("Content-Type", std::string(request_.headers.get("Content-Type")));
    metadata.set("Content-Length", std::to_string(writer_->bytes_written()));
    metadata.set("ETag", etag_);
    copy_kept_headers(request_, rules_.options, true, metadata);
    for (const auto& [name, value] : footers.items()) {
        if (is_user_or_system_meta(name) || is_transient_system_meta(name)) {
            metadata.set(name, value);
        }
    }
    const auto footer_etag = footers.find("Etag");
    const auto received = without_quotes(footer_etag ? *footer_etag : request_.headers.get("Etag"));
    if (!received.empty() && received != etag_) return error_reply(422);
    return metadata;
}

Answered<int> PutOperation::fragment_index(swift::Metadata& metadata) const {
    if (!metadata.contains(index_key) && requested_index_) {
        metadata.set(index_key, std::int64_t{*requested_index_});
    }
    const auto text = metadata.text(index_key);
    const auto index = text ? swift::python_int(*text) : std::nullopt;
    if (!index || *index < 0 || *index >= request_.store->policy.unique_fragments()) {
        request_.disk().logger.error("Bad fragment index: " + text.value_or("None"));
        return error_reply(500);
    }
    return {boost::system::in_place_value, static_cast<int>(*index)};
}

Answered<void> PutOperation::store(const HeaderMap& footers, Commit commit) {
    if (length_ && *length_ != writer_->bytes_written()) return error_reply(499);
    etag_ = writer_->finish_md5();
    auto items = metadata(footers);
    if (!items) return items.error();
    swift::DiskWriter::Target target;
    if (request_.store->policy.is_erasure_coding()) {
        const auto index = fragment_index(*items);
        if (!index) return index.error();
        stored_index_ = *index;
        const bool durable = commit == Commit::now;
        target.name = swift::data_file_name(timestamp_, *index, durable);
        if (durable) target.replaces = swift::data_file_name(timestamp_, *index, false);
        target.cleanup = durable;
    } else {
        target.name = swift::data_file_name(timestamp_, -1, true);
    }
    auto done = writer_->put(std::move(*items), target);
    if (done.has_error()) return failed_write_reply(request_, done.error());
    return {};
}

Answered<void> PutOperation::commit() {
    if (!request_.store->policy.is_erasure_coding()) return {};
    auto done = swift::commit_fragment(request_.disk(), request_.place().hash_dir_path, timestamp_,
                                       stored_index_, rules_.options.fsync);
    if (done.has_error()) return failed_write_reply(request_, done.error());
    return {};
}

Answered<void> PutOperation::update_container(const HeaderMap& footers) {
    const auto expiry =
        leave_expiry_updates(request_, timestamp_, expired_at_, requested_delete_at(request_));
    if (expiry.has_error()) return failed_write_reply(request_, expiry.error());
    HeaderMap update;
    update.set("X-Size", std::to_string(writer_->bytes_written()));
    update.set("X-Content-Type", request_.headers.get("Content-Type"));
    update.set("X-Timestamp", timestamp_.internal());
    update.set("X-Etag", etag_);
    apply_container_overrides(update, request_.headers.items(), footers.items());
    auto left = leave_container_update(request_, "PUT", std::move(update), timestamp_);
    if (left.has_error()) return failed_write_reply(request_, left.error());
    return {};
}

Reply PutOperation::created() const {
    Reply reply;
    reply.status = 201;
    reply.fields = {{"Content-Type", "text/html; charset=UTF-8"}, {"Etag", '"' + etag_ + '"'}};
    return reply;
}

}  // namespace fragmend::server
