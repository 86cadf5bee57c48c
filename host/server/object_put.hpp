// PUT: from its checks to a safe file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/server/object_rules.hpp"

namespace fragmend::server {

/// One PUT on its way to the disk. Blocking; runs on disk threads, one call at a time. Destroyed
/// before `store`, it leaves nothing behind. Plain PUTs and those of SSYNC go the same way.
/// Source: swift.obj.server.ObjectController.PUT.
class PutOperation {
  public:
    /// Checks the request against the rules and what is on the disk. `length`: of the body, if
    /// known. Answers: 400, 409, 411, 412, 413, 500, 503, 507.
    static Answered<std::unique_ptr<PutOperation>> begin(BackendRequest request, WriteRules rules,
                                                         std::optional<std::uint64_t> length,
                                                         bool has_length);

    /// Opens the file, before anything is written. Answers: 500, 507.
    Answered<void> open();
    /// Answers: 500, 507.
    Answered<void> write(ByteView bytes);

    enum class Commit { now, later, never };
    /// Everything came: checks length and etag and puts the file in its place; durable when
    /// committed now. `footers` go over the request's headers. Answers: 422, 499, 500, 507.
    Answered<void> store(const HeaderMap& footers, Commit commit);
    /// The second phase of `Commit::later`. Answers: 500, 507.
    Answered<void> commit();
    /// Tells the container, where the request names one. After everything else. Answers: 500, 507.
    Answered<void> update_container(const HeaderMap& footers);
    Reply created() const;

    const BackendRequest& request() const { return request_; }

  private:
    PutOperation(BackendRequest request, WriteRules rules, const Timestamp& timestamp,
                 std::optional<std::uint64_t> length)
        : request_(std::move(request)), rules_(rules), timestamp_(timestamp), length_(length) {}
    std::optional<Reply> conflict();
    Answered<swift::Metadata> metadata(const HeaderMap& footers);
    /// The index that the fragment is stored under. Answers: 500.
    Answered<int> fragment_index(swift::Metadata& metadata) const;

    BackendRequest request_;
    WriteRules rules_;
    Timestamp timestamp_;
    std::optional<std::uint64_t> length_;
    std::optional<int> requested_index_;
    int stored_index_ = -1;
    std::optional<swift::DiskWriter> writer_;
    std::string etag_;
    std::int64_t expired_at_ = 0;  ///< X-Delete-At of what this object takes the place of.
};

}  // namespace fragmend::server
