// One SSYNC session of a REVERT job: what the local disk offers, sent as it stands there.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/swift/diskfile.hpp"
#include "host/swift/offers.hpp"
#include "host/swift/suffix_name.hpp"
#include "host/sync/local_body.hpp"
#include "host/sync/pacer.hpp"
#include "host/sync/services.hpp"
#include "host/sync/survivor_source.hpp"
#include "transport/ssync/ports.hpp"

namespace fragmend::sync {

/// What one session of a REVERT job is about.
struct RevertPlan {
    std::string partition;  ///< Decimal.
    Node local_device;
    /// Of the fragments that are sent; none for tombstones only.
    std::optional<int> fragment_index;
    Node target;
    std::vector<swift::SuffixName> suffixes;
    std::int64_t objects_max = 0;    ///< Offers of the job; 0 for no limit.
    std::size_t offered_before = 0;  ///< Of those, by earlier sessions of the job.
    /// Offers of this session: the suffix that reaches it is the last one.
    std::size_t offers_max = std::numeric_limits<std::size_t>::max();
};

/// What a session did; true once the receiver has acknowledged the session.
struct RevertCounts {
    std::uint64_t fragments = 0;
    std::uint64_t bytes = 0;
    std::uint64_t metas = 0;
    std::uint64_t tombstones = 0;
    std::map<errc, std::uint64_t> failures;  ///< Objects that were offered and not sent.
};

/// Implements the sender's port for a REVERT job: offers the objects of the suffixes, non-durable
/// ones too where the receiver takes them, and sends the archive, metadata and tombstones that are
/// on the disk. An archive that turns out damaged is left out and quarantined.
///
/// What was offered and then neither found in sync nor sent as it was offered is left out of
/// `delivered`, which is what may be purged when the session succeeds (Swift purges it all the
/// same). Owned by the job's frame; runs on the network thread; has no children.
/// Source: swift.obj.ssync_sender.Sender.missing_check, updates.
class RevertObjects final : public transport::ssync::SessionObjects {
  public:
    /// `services`, `policy` and `activity` (the job's) outlive the session.
    RevertObjects(Services& services, const PolicyContext& policy, RevertPlan plan,
                  Activity& activity);

    Awaitable<Result<void>> begin(bool accepts_non_durable) override;
    Awaitable<Result<std::optional<transport::ssync::Offer>>> next_offer() override;
    Awaitable<Result<void>> wanted(std::vector<transport::ssync::Wanted> objects) override;
    Awaitable<Result<std::vector<transport::ssync::SubRequest>>> next_sub_requests() override;
    void cancel() override;
    /// Closes the accounts of the object that was sent last. Before `delivered` and `counts`.
    Awaitable<void> finish();

    /// By object hash, with the times that were offered.
    std::map<std::string, swift::LocalOffer> take_delivered();
    /// Hashes of what was offered and not delivered.
    const std::set<std::string>& left_out() const { return left_out_; }
    const RevertCounts& counts() const { return counts_; }
    /// Suffixes of the plan, from the first one, that the session has been through.
    std::size_t suffixes_listed() const { return next_suffix_; }
    /// There was more to offer than the limit allows.
    bool limited() const { return limited_; }
    /// A suffix could not be listed, or an object was left out.
    bool incomplete() const { return incomplete_; }
    /// An object was given up when part of it was sent: the next session leaves it out.
    bool broke_off() const { return broke_off_; }

  private:
    Awaitable<Result<void>> list_next_suffix();
    Awaitable<Result<std::vector<transport::ssync::SubRequest>>> requests_of(
        const transport::ssync::Wanted& want, swift::OpenObject object);
    Awaitable<Result<swift::OpenObject>> open(std::string object_hash);
    Awaitable<Result<scheduler::MemoryBudget::Permit>> take_memory(const std::string& object_hash,
                                                                   std::size_t bytes);
    Awaitable<Result<void>> give_body(transport::ssync::SubRequest& put, swift::OpenObject& object);
    Result<void> check_unchanged(const swift::LocalOffer& offered,
                                 const swift::OpenObject& object) const;
    void stop_sending();
    void object_given_up(const std::string& object_hash);
    void leave_out(const std::string& object_hash, const Error& error);
    std::optional<std::vector<swift::FragmentPreference>> preferences() const;

    Services& services_;
    const PolicyContext& policy_;
    RevertPlan plan_;
    Activity& activity_;
    bool with_non_durable_ = false;
    bool cancelled_ = false;
    /// The object that waits for memory.
    struct Waiting {
        std::string hash;
        Semaphore::Cancel line;
    };
    std::optional<Waiting> waiting_;
    Pacer pacer_;
    bool limited_ = false;
    bool incomplete_ = false;
    bool broke_off_ = false;

    std::size_t next_suffix_ = 0;
    std::deque<swift::LocalOffer> offers_;
    std::map<std::string, swift::LocalOffer> offered_;
    std::deque<transport::ssync::Wanted> wanted_;

    /// The object whose archive is being sent.
    struct Sending {
        std::string hash;
        LocalArchive archive;
        BodyOutcome outcome;
        bool stopped = false;  ///< The session is, or somebody gave the object up.
    };
    std::optional<Sending> sending_;
    std::set<std::string> left_out_;
    RevertCounts counts_;
    Suspects::Listener on_given_up_;
};

}  // namespace fragmend::sync
