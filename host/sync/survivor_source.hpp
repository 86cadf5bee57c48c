// Survivors of one session's objects: the local archive from disk, the others over the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/swift/diskfile.hpp"
#include "host/sync/holes.hpp"
#include "host/sync/peer_watch.hpp"
#include "host/sync/services.hpp"
#include "host/sync/solitary.hpp"
#include "scheduler/fragment_source.hpp"
#include "transport/fragments/second_look.hpp"

namespace fragmend::sync {

/// A local archive of at most so many bytes is read whole when its object is opened.
inline constexpr std::size_t small_local_archive_bytes_max = 32768;

/// This node's own archive of an object, as it was when the object was opened.
struct LocalArchive {
    std::string path;
    std::uint8_t index = 0;
    std::string md5;  ///< ETag of its metadata.
    std::uint64_t archive_bytes = 0;
    bool durable = false;
    /// All its bytes, of a small one that could be read.
    std::shared_ptr<const std::vector<std::byte>> content;
};

/// Where a device's bytes come from or go to, in the throttle's terms.
scheduler::Endpoint endpoint_of(const Node& node);

/// The archive of an opened fragment, without its bytes.
LocalArchive local_archive(const swift::OpenObject& object);

/// Implements the scheduler's port for the objects of one session. All primaries of the partition
/// may be asked, except those who lack what is wanted, and for a single wanted fragment handoffs
/// where Swift would (`find_on_handoffs`); the local archive is read from disk instead of over
/// HTTP. Owned by the session's objects; outlives their rebuilds. Runs on the network thread.
class SurvivorSource final : public scheduler::FragmentSource {
  public:
    /// `target` is the device to rebuild for; `services`, `policy` and `holes` outlive the source.
    SurvivorSource(Services& services, const PolicyContext& policy, std::string partition,
                   Node local_device, Node target, Holes& holes);

    /// What is on the local disk of `object_hash`; forgotten with `forget`.
    void remember(const std::string& object_hash, LocalArchive archive);
    void forget(const std::string& object_hash);

    /// A survivor of the object was damaged: whoever holds it will have moved it away.
    void was_damaged(std::uint32_t device_id, const std::string& object_hash);
    /// A survivor that was read from another server; nothing for the local one, or for one that was
    /// not asked.
    std::optional<transport::fragments::DamagedArchive> archive_at(
        std::uint32_t device_id, const swift::OpenObject& object) const;

    /// Ends what is asked of handoffs, from now on.
    InquiryStop& inquiries() { return inquiries_; }

    Awaitable<Result<std::vector<std::unique_ptr<scheduler::SurvivorStream>>>> open(
        const scheduler::RebuildRequest& request,
        const std::vector<std::uint32_t>& left_out) override;

  private:
    std::vector<transport::fragments::Candidate> candidates(
        const scheduler::RebuildRequest& request, const std::vector<std::uint32_t>& left_out) const;
    transport::fragments::GatherRequest gather_request(
        const scheduler::RebuildRequest& request, const scheduler::SurvivorStream* local,
        std::vector<transport::fragments::Candidate> candidates);
    /// The local archive of the object, unless there is none to use.
    Awaitable<std::unique_ptr<scheduler::SurvivorStream>> open_local(
        const scheduler::RebuildRequest& request, const std::vector<std::uint32_t>& left_out);

    Services& services_;
    const PolicyContext& policy_;
    std::string partition_;
    Node local_device_;
    Node target_;
    Holes& holes_;
    PeerWatch watch_;
    std::vector<Node> primaries_;
    std::map<std::string, LocalArchive> local_archives_;
    InquiryStop inquiries_;
    std::map<std::uint32_t, Node> asked_;  ///< By device: those whose survivors were used.
};

}  // namespace fragmend::sync
