// Offers and sub-requests on the disk.
#include "host/server/ssync_objects.hpp"

#include <fcntl.h>

#include <algorithm>
#include <chrono>

#include "host/server/object_change.hpp"
#include "host/server/object_put.hpp"
#include "host/server/request_timing.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

using transport::ssync::LocalState;
using transport::ssync::Offer;
using transport::ssync::OpenPut;
using transport::ssync::SubRequestHead;
using transport::ssync::Verdict;
using transport::ssync::Wanted;

/// Bytes that a large PUT collects for one trip to the disk; as many more come meanwhile.
constexpr std::size_t write_buffer_bytes = 256 * 1024;

Verdict verdict_of(const Reply& reply) {
    return {reply.status, reply.body};
}

void note_fragments(LocalState& local, const swift::OndiskFiles& files, const Offer& offer,
                    std::optional<int> frag_index) {
    local.durable = files.durable_timestamp();
    if (!frag_index) return;
    for (const auto& set : files.recorded) {
        if (set.timestamp != offer.data) continue;
        local.has_offered_fragment =
            std::ranges::any_of(set.members, [&](const swift::OndiskFile& file) {
                return file.parsed.fragment_index == *frag_index;
            });
    }
}

LocalState local_state(const BackendRequest& session, swift::FoundObject& found, const Offer& offer,
                       std::optional<int> frag_index) {
    LocalState local;
    const auto opened =
        swift::open_found(session.disk(), session.device, found,
                          {.frag_index = frag_index, .frag_prefs = {}, .open_expired = true});
    if (opened && opened->tombstone) {
        local.data = opened->tombstone;
        // Above it there may be the very fragment on offer, waiting for its commit.
        note_fragments(local, opened->files, offer, frag_index);
        return local;
    }
    if (opened) {
        local.data = opened->data_timestamp;
        local.meta = opened->timestamp;
        local.content_type = opened->content_type_timestamp;
        note_fragments(local, opened->files, offer, frag_index);
        return local;
    }
    // Nothing that counts, but maybe the very fragment on offer, waiting for its commit.
    const std::string parent = found.hash_dir_path.substr(0, found.hash_dir_path.rfind('/'));
    const auto directory = swift::read_hash_dir({AT_FDCWD, parent, found.hash});
    if (!directory) return local;
    const auto files = swift::select_ondisk_files(
        directory->names, {.frag_index = frag_index,
                           .frag_prefs = {},
                           .fragment_count = session.disk().fragment_count});
    note_fragments(local, files, offer, frag_index);
    return local;
}

bool wants_commit(const BackendRequest& request) {
    return !request.headers.is_true("X-Backend-No-Commit");
}

/// Tells log and metrics how one sub-request ended, as Swift's server does, which routes each to
/// itself.
class SubRequestNote {
  public:
    SubRequestNote(const SessionSetup& setup, const BackendRequest& session,
                   const SubRequestHead& head)
        : log_(setup.log), metrics_(setup.metrics), method_(head.method) {
        if (!log_.wants(LogLevel::debug)) return;
        AccessEntry entry;
        entry.method = head.method;
        entry.path = "/" + session.device + "/" + session.partition + percent_unquote(head.path);
        entry.policy_index = std::to_string(session.store->policy.index);
        entry_ = std::move(entry);
    }

    void ended(const Verdict& verdict) {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
        time_request(metrics_, method_, verdict.status, took);
        if (!entry_) return;
        entry_->status = verdict.status;
        entry_->seconds = took.count();
        log_.write(LogLevel::debug, *entry_);
    }

  private:
    const AccessLog& log_;
    Metrics* metrics_;
    std::string method_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::optional<AccessEntry> entry_;  ///< Made only where it will be seen.
};

/// One trip to a disk thread for a whole small PUT.
Verdict put_at_once(BackendRequest request, WriteRules rules, ByteView body) {
    const auto commit =
        wants_commit(request) ? PutOperation::Commit::now : PutOperation::Commit::never;
    auto put = PutOperation::begin(std::move(request), rules, body.size(), true);
    if (!put) return verdict_of(put.error());
    auto done = (*put)->open();
    if (done) done = (*put)->write(body);
    if (done) done = (*put)->store({}, commit);
    return done ? verdict_of((*put)->created()) : verdict_of(done.error());
}

/// A PUT that is written while it comes: while a disk thread hashes and writes one buffer, the next
/// one fills.
class LargePut final : public OpenPut {
  public:
    LargePut(asio::any_io_executor network, asio::any_io_executor disks, SubRequestNote note)
        : disks_(std::move(disks)), note_(std::move(note)), writer_(std::move(network)) {}
    ~LargePut() override {
        // Giving back the blocks of a large file that nobody wants takes a while.
        if (put_ != nullptr) asio::post(disks_, [put = std::move(put_)] {});
    }

    /// Waits for memory until `give_up`: whoever has it may be slow.
    Awaitable<void> open(Answered<BackendRequest> request, WriteRules rules, std::uint64_t length,
                         Semaphore& memory, std::chrono::steady_clock::time_point give_up) {
        if (!request) {
            verdict_ = verdict_of(request.error());
            co_return;
        }
        auto permit = co_await memory.acquire(2 * write_buffer_bytes, give_up);
        if (permit.has_error()) {
            verdict_ = verdict_of(error_reply(503));
            co_return;
        }
        memory_ = std::move(*permit);
        commit_ = wants_commit(*request) ? PutOperation::Commit::now : PutOperation::Commit::never;
        auto work = [begun = std::move(*request), rules,
                     length]() mutable -> Answered<std::unique_ptr<PutOperation>> {
            auto checked = PutOperation::begin(std::move(begun), rules, length, true);
            if (!checked) return checked;
            auto opened = (*checked)->open();
            if (!opened) return opened.error();
            return checked;
        };
        auto put = co_await offload(disks_, std::move(work));
        if (put) {
            put_ = std::move(*put);
            filling_.reserve(write_buffer_bytes);
            written_.reserve(write_buffer_bytes);
        } else {
            verdict_ = verdict_of(put.error());
        }
    }

    Awaitable<void> write(ByteView bytes) override {
        while (!bytes.empty() && !verdict_) {
            const auto part =
                bytes.first(std::min(bytes.size(), write_buffer_bytes - filling_.size()));
            filling_.insert(filling_.end(), part.begin(), part.end());
            bytes = bytes.subspan(part.size());
            if (filling_.size() < write_buffer_bytes) continue;
            co_await writer_.join();
            if (verdict_) co_return;
            filling_.swap(written_);
            filling_.clear();
            writer_.spawn(flush());
        }
    }

    Awaitable<Verdict> finish() override {
        co_await writer_.join();
        if (!verdict_) co_await store();
        note_.ended(*verdict_);
        co_return *verdict_;
    }

    Awaitable<void> abandon() override { co_await writer_.join(); }

  private:
    Awaitable<void> store() {
        auto work = [this]() -> Answered<void> {
            auto last = put_->write(filling_);
            return last ? put_->store({}, commit_) : last;
        };
        auto stored = co_await offload(disks_, std::move(work));
        verdict_ = stored ? verdict_of(put_->created()) : verdict_of(stored.error());
    }

    Awaitable<void> flush() {
        auto work = [this] { return put_->write(written_); };
        auto written = co_await offload(disks_, std::move(work));
        if (!written) verdict_ = verdict_of(written.error());
    }

    asio::any_io_executor disks_;
    Semaphore::Permit memory_;
    std::unique_ptr<PutOperation> put_;
    PutOperation::Commit commit_ = PutOperation::Commit::now;
    std::vector<std::byte> filling_;
    std::vector<std::byte> written_;  ///< A disk thread reads it while `writer_` runs.
    std::optional<Verdict> verdict_;  ///< Once there, nothing more is written.
    SubRequestNote note_;
    TaskGroup writer_;
};

}  // namespace

Result<std::optional<Wanted>> look_at_offer(const BackendRequest& session, const Offer& offer,
                                            std::optional<int> frag_index, bool fsync) {
    if (!session.store->belongs(offer.object_hash, session.partition)) {
        return Error{errc::name_collision,
                     offer.object_hash + " does not belong to partition " + session.partition};
    }
    auto found =
        swift::find_object(session.disk(), session.device, session.partition, offer.object_hash);
    if (!found) return transport::ssync::wanted_of(offer, {});
    LocalState local = local_state(session, *found, offer, frag_index);
    if (offer.durable.value_or(true) && transport::ssync::is_here_not_durable(offer, local)) {
        const auto committed = swift::commit_fragment(session.disk(), found->hash_dir_path,
                                                      offer.data, *frag_index, fsync);
        if (committed) {
            found = swift::find_object(session.disk(), session.device, session.partition,
                                       offer.object_hash);
            if (!found) return transport::ssync::wanted_of(offer, {});
            local = local_state(session, *found, offer, frag_index);
        } else {
            session.disk().logger.error(session.device + "/" + session.partition +
                                        " EXCEPTION in ssync.Receiver while attempting commit of " +
                                        found->hash_dir_path + ": " + to_string(committed.error()));
        }
    }
    return transport::ssync::wanted_of(offer, local);
}

SsyncObjects::SsyncObjects(const SessionSetup& setup, BackendRequest request,
                           std::optional<int> frag_index)
    : setup_(setup), request_(std::move(request)), frag_index_(frag_index) {}

Awaitable<Result<void>> SsyncObjects::lock() {
    auto place = setup_.places.take();
    if (!place) co_return Error{errc::limit, "too many sessions"};
    place_.emplace(std::move(*place));
    const swift::PartitionPath path(request_.disk(), request_.device, request_.partition);
    auto lock = co_await lock_session(setup_.network, setup_.disks, setup_.lines, path,
                                      setup_.rules.options.replication_locks);
    if (lock.has_error()) co_return lock.error();
    lock_.emplace(std::move(*lock));
    co_return Result<void>();
}

Awaitable<std::vector<Result<std::optional<Wanted>>>> SsyncObjects::check(
    std::vector<Offer> offers) {
    auto work = [this, offers = std::move(offers)] {
        std::vector<Result<std::optional<Wanted>>> results;
        results.reserve(offers.size());
        for (const Offer& offer : offers) {
            results.push_back(
                look_at_offer(request_, offer, frag_index_, setup_.rules.options.fsync));
        }
        return results;
    };
    co_return co_await offload(setup_.disks, std::move(work));
}

Answered<BackendRequest> SsyncObjects::sub_request(SubRequestHead head) const {
    HeaderMap headers;
    std::string names;
    for (const auto& [name, value] : head.headers) {
        headers.set(name, value);
        if (name == "etag" || name == "x-backend-no-commit") continue;
        names.append(names.empty() ? "" : " ").append(name);
    }
    headers.set("X-Backend-Storage-Policy-Index", std::to_string(request_.store->policy.index));
    headers.set("X-Backend-Replication", "True");
    if (frag_index_) headers.set("X-Backend-Ssync-Frag-Index", std::to_string(*frag_index_));
    if (!names.empty()) headers.set("X-Backend-Replication-Headers", names);
    const std::string path =
        "/" + request_.device + "/" + request_.partition + percent_unquote(head.path);
    if (!swift::is_valid_utf8(path)) {
        return text_reply(412, "Invalid UTF8 or contains NULL", false);
    }
    auto request = object_request(setup_.stores, head.method, path, std::move(headers));
    if (request && !request_.store->belongs(request->object_hash, request_.partition)) {
        return text_reply(400, "Object does not belong to partition " + request_.partition);
    }
    return request;
}

Awaitable<Verdict> SsyncObjects::serve(SubRequestHead head, ByteView body) {
    SubRequestNote note(setup_, request_, head);
    auto request = sub_request(std::move(head));
    const Verdict verdict = co_await answer(std::move(request), body);
    note.ended(verdict);
    co_return verdict;
}

Awaitable<Verdict> SsyncObjects::answer(Answered<BackendRequest> request, ByteView body) {
    if (!request) co_return verdict_of(request.error());
    auto work = [served = std::move(*request), rules = setup_.rules, body]() mutable {
        if (served.method == "PUT") return put_at_once(std::move(served), rules, body);
        return verdict_of(served.method == "POST" ? answer_post(served, rules)
                                                  : answer_delete(served, rules));
    };
    co_return co_await offload(setup_.disks, std::move(work));
}

Awaitable<std::unique_ptr<OpenPut>> SsyncObjects::open_put(SubRequestHead head) {
    const std::uint64_t length = head.content_length;
    const std::chrono::duration<double> patience(setup_.rules.options.client_timeout_s);
    const auto give_up = std::chrono::steady_clock::now() +
                         std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience);
    auto put = std::make_unique<LargePut>(setup_.network, setup_.disks,
                                          SubRequestNote(setup_, request_, head));
    auto request = sub_request(std::move(head));
    co_await put->open(std::move(request), setup_.rules, length, setup_.memory, give_up);
    co_return put;
}

}  // namespace fragmend::server
