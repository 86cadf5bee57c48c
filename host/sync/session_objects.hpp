// One SSYNC session's objects: what the local disk offers, and what is rebuilt for the receiver.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/swift/diskfile.hpp"
#include "host/swift/offers.hpp"
#include "host/sync/services.hpp"
#include "host/sync/session_order.hpp"
#include "host/sync/session_plan.hpp"
#include "host/sync/survivor_source.hpp"
#include "scheduler/read_ahead.hpp"
#include "transport/ssync/ports.hpp"

namespace fragmend::sync {

/// What a session did, for the statistics; counts become true when the receiver acknowledged them.
struct SessionCounts {
    std::uint64_t fragments = 0;
    std::uint64_t bytes = 0;
    std::uint64_t metas = 0;
    std::uint64_t tombstones = 0;
    std::uint64_t objects_failed = 0;
    std::map<errc, std::uint64_t> failures;  ///< The failed objects by class.
    /// A body failed after part of it was taken, and mostly the session with it.
    bool body_failed = false;
};

/// Implements the sender's port for a SYNC job: offers are the durable objects of the suffixes,
/// data is always rebuilt (never the local archive), several objects ahead of the one being sent.
///
/// Two children of the session at most: the opener, which looks wanted objects up on the disk ahead
/// of the session, and what the read-ahead runs. `stop` ends and joins both and must be called
/// before destruction. Owned by the job's frame; runs on the network thread.
class SessionObjects final : public transport::ssync::SessionObjects {
  public:
    /// `services`, `policy`, `activity` and `holes` (the job's) outlive the session.
    SessionObjects(Services& services, const PolicyContext& policy, SessionPlan plan,
                   Activity& activity, Holes& holes);

    Awaitable<Result<void>> begin(bool accepts_non_durable) override;
    Awaitable<Result<std::optional<transport::ssync::Offer>>> next_offer() override;
    Awaitable<Result<void>> wanted(std::vector<transport::ssync::Wanted> objects) override;
    Awaitable<Result<std::vector<transport::ssync::SubRequest>>> next_sub_requests() override;
    void cancel() override;
    Awaitable<void> stop();

    const SessionCounts& counts() const { return counts_; }
    /// Suffixes that no offer was made of: another session's.
    std::vector<swift::SuffixName> unoffered() const {
        return {plan_.suffixes.begin() + static_cast<std::ptrdiff_t>(next_suffix_),
                plan_.suffixes.end()};
    }
    /// Archives whose servers have not seen yet that they are damaged; the first `damaged_max`.
    std::vector<transport::fragments::DamagedArchive> take_damaged() { return std::move(damaged_); }
    static constexpr std::size_t damaged_max = 16;

  private:
    class Body;

    /// A wanted object on its way to the receiver.
    struct Item {
        transport::ssync::Wanted want;
        std::optional<Error> error;  ///< Could not be opened, or cannot be sent.
        swift::OpenObject object;
        std::vector<transport::ssync::SubRequest> requests;  ///< Of PUTs not yet the body.
        LocalArchive archive;                                ///< Of an object that is no tombstone.
        std::size_t header_bytes = 0;                        ///< Of the requests.
        bool started = false;                                ///< Its rebuild is in `rebuilds_`.
        std::uint64_t round_bytes = 0;   ///< Of survivors, that its rebuild asks for at a time.
        bool counted = false;            ///< Among the failed ones.
        bool sent = false;               ///< Its body, to the end.
        std::vector<Stash::Room> rooms;  ///< For what is rebuilt for later sessions, or was for us.
        bool needs_rebuild() const { return !object.tombstone && want.data; }
    };

    /// What one visit to the disk for offers brought.
    struct Listed {
        std::size_t suffixes = 0;
        std::vector<swift::LocalOffer> offers;
        std::vector<errc> failed;  ///< Suffixes that could not be listed, logged.
        std::optional<Error> unmounted;
    };
    Listed list_suffixes(std::size_t first) const;
    Awaitable<void> open_ahead();
    /// `read_bytes_max`: a local archive up to this length is read at once.
    Item open_one(transport::ssync::Wanted want, std::size_t read_bytes_max) const;
    /// Bytes of local archives that wait for their turn.
    std::size_t read_bytes_waiting() const;
    /// The same of headers.
    std::size_t header_bytes_waiting() const;
    void start_rebuilds();
    /// Takes what an earlier session left for this one, or starts the rebuild, for later ones too.
    void start_rebuild(Item& item, scheduler::RebuildRequest request);
    /// Leaves a verified rebuild's further outputs to the sessions that come later.
    void keep_for_later(Item& item);
    Stash::Key stash_key(const Item& item, int wanted) const;
    std::uint64_t ahead_bytes_max() const;
    /// Closes the accounts of the object whose sub-requests were taken last.
    Awaitable<void> finish_current();
    Awaitable<Result<std::vector<transport::ssync::SubRequest>>> requests_of(Item& item);
    /// Remembers who failed the object; a local archive that is damaged is quarantined.
    /// `failed`: why it was not sent, if it was not.
    Awaitable<void> note_culprits(const Item& item, std::vector<scheduler::Culprit> culprits,
                                  std::optional<Error> failed);
    void object_failed(Item& item, const Error& error);
    /// Somebody wants this object no longer: whoever waits for it looks up.
    void object_given_up(const std::string& object_hash);
    /// And not sent before that.
    bool is_current_given_up() const {
        return current_ && !current_->sent &&
               services_.suspects.is_given_up(current_->want.object_hash.hex());
    }
    /// The current object's body failed when part of it was taken: another session is worth a try.
    void body_broke(const Error& error);

    Services& services_;
    const PolicyContext& policy_;
    SessionPlan plan_;
    Activity& activity_;
    SurvivorSource source_;
    scheduler::ReadAhead rebuilds_;

    std::size_t next_suffix_ = 0;
    std::size_t offered_ = 0;
    std::deque<swift::LocalOffer> offers_;

    SessionOrder order_;
    std::deque<transport::ssync::Wanted> to_open_;
    std::deque<Item> opened_;
    std::optional<Item> current_;
    bool opener_done_ = false;
    bool cancelled_ = false;
    bool stops_sending_ = false;  ///< The current body: cancelled, or given up.
    Signal opened_changed_;       ///< Something was opened, or there is room, or the session ends.
    TaskGroup opener_;
    SessionCounts counts_;
    std::vector<transport::fragments::DamagedArchive> damaged_;
    Suspects::Listener on_given_up_;
};

}  // namespace fragmend::sync
