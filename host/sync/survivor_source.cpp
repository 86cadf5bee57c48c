// Opens the survivors of an object.
#include "host/sync/survivor_source.hpp"

#include <algorithm>
#include <cstring>

#include "host/swift/diskfile.hpp"
#include "host/swift/local_fragment.hpp"
#include "host/sync/solitary.hpp"

namespace fragmend::sync {
namespace {

namespace fragments = transport::fragments;
using scheduler::RebuildRequest;
using scheduler::SurvivorStream;

/// A peer that nobody read from for so long may hang up without blame: Swift's client_timeout is
/// 60 s, operators set less.
constexpr std::chrono::seconds neglect{5};
/// For waits that only a hurried coroutine ends.
constexpr bool never = false;

/// An archive that a peer sends.
class RemoteStream final : public SurvivorStream {
  public:
    RemoteStream(std::unique_ptr<fragments::Survivor> survivor, Services& services)
        : services_(services), survivor_(std::move(survivor)) {}
    std::uint8_t index() const override { return survivor_->index(); }
    const std::string& announced_md5() const override { return survivor_->announced_md5(); }
    const std::string& name() const override { return survivor_->name(); }
    std::uint32_t device_id() const override { return survivor_->node().id; }
    Awaitable<Result<std::size_t>> read(ByteSpan into) override {
        const scheduler::Throttle* throttle = services_.throttle;
        const bool waits =
            throttle != nullptr && (throttle->limits_reading() || throttle->pace() < 1);
        return waits ? read_throttled(into) : survivor_->read(into);
    }
    bool was_neglected() const override { return was_neglected_; }

  private:
    Awaitable<Result<std::size_t>> read_throttled(ByteSpan into) {
        scheduler::Throttle& throttle = *services_.throttle;
        const auto asked = services_.clock.steady();
        if (throttle.limits_reading()) {
            scheduler::Endpoint from = endpoint_of(survivor_->node());
            auto passed = co_await throttle.read(std::move(from), into.size(), never);
            if (passed.has_error()) co_return passed.error();
        }
        const auto began = services_.clock.steady();
        if (began - asked > neglect) was_neglected_ = true;
        auto got = co_await survivor_->read(into);
        if (got.has_error()) co_return got;
        auto rested = co_await throttle.rest(services_.clock.steady() - began, never);
        if (rested.has_error()) co_return rested.error();
        co_return got;
    }

    Services& services_;
    std::unique_ptr<fragments::Survivor> survivor_;
    bool was_neglected_ = false;
};

/// The archive on this node's disk, read on a disk thread.
class LocalStream final : public SurvivorStream {
  public:
    LocalStream(Services& services, UniqueFd fd, LocalArchive archive, std::uint32_t device_id)
        : services_(services),
          archive_(std::move(archive)),
          device_id_(device_id),
          file_(std::move(fd), archive_.path, archive_.archive_bytes) {}
    std::uint8_t index() const override { return archive_.index; }
    const std::string& announced_md5() const override { return archive_.md5; }
    const std::string& name() const override { return archive_.path; }
    std::uint32_t device_id() const override { return device_id_; }
    Awaitable<Result<std::size_t>> read(ByteSpan into) override {
        auto read = [this, into] { return file_.read(into); };
        co_return co_await on_disk(services_, std::move(read));
    }

  private:
    Services& services_;
    LocalArchive archive_;
    std::uint32_t device_id_;
    swift::LocalFragmentFile file_;
};

/// A small local archive, read already.
class LocalBytes final : public SurvivorStream {
  public:
    LocalBytes(LocalArchive archive, std::uint32_t device_id)
        : archive_(std::move(archive)), device_id_(device_id), left_(*archive_.content) {}
    std::uint8_t index() const override { return archive_.index; }
    const std::string& announced_md5() const override { return archive_.md5; }
    const std::string& name() const override { return archive_.path; }
    std::uint32_t device_id() const override { return device_id_; }
    Awaitable<Result<std::size_t>> read(ByteSpan into) override {
        const std::size_t bytes = std::min(into.size(), left_.size());
        std::memcpy(into.data(), left_.data(), bytes);
        left_ = left_.subspan(bytes);
        co_return bytes;
    }

  private:
    LocalArchive archive_;
    std::uint32_t device_id_;
    ByteView left_;
};

}  // namespace

scheduler::Endpoint endpoint_of(const Node& node) {
    return {node.replication_ip, node.replication_name()};
}

LocalArchive local_archive(const swift::OpenObject& object) {
    return {object.data_path,
            static_cast<std::uint8_t>(object.fragment_index),
            object.data_metadata.text("ETag").value_or(""),
            object.content_length,
            object.durable(),
            nullptr};
}

SurvivorSource::SurvivorSource(Services& services, const PolicyContext& policy,
                               std::string partition, Node local_device, Node target, Holes& holes)
    : services_(services),
      policy_(policy),
      partition_(std::move(partition)),
      local_device_(std::move(local_device)),
      target_(std::move(target)),
      holes_(holes),
      watch_(services.throttle),
      primaries_(policy.ring->primaries(
          static_cast<std::uint32_t>(parse_digits(partition_).value_or(0)))) {}

void SurvivorSource::remember(const std::string& object_hash, LocalArchive archive) {
    local_archives_.insert_or_assign(object_hash, std::move(archive));
}

void SurvivorSource::forget(const std::string& object_hash) {
    local_archives_.erase(object_hash);
}

void SurvivorSource::was_damaged(std::uint32_t device_id, const std::string& object_hash) {
    const auto node = std::ranges::find(primaries_, device_id, &Node::id);
    if (node != primaries_.end() && device_id != local_device_.id) holes_.add(*node, object_hash);
}

std::optional<fragments::DamagedArchive> SurvivorSource::archive_at(
    std::uint32_t device_id, const swift::OpenObject& object) const {
    const auto node = asked_.find(device_id);
    if (node == asked_.end()) return std::nullopt;
    return fragments::DamagedArchive{node->second,          partition_,
                                     object.name.path(),    policy_.policy.index,
                                     object.data_timestamp, object.content_length};
}

std::vector<fragments::Candidate> SurvivorSource::candidates(
    const RebuildRequest& request, const std::vector<std::uint32_t>& left_out) const {
    std::vector<fragments::Candidate> all;
    for (std::size_t i = 0; i < primaries_.size(); ++i) {
        const Node& node = primaries_[i];
        if (node.id == target_.id || node.id == local_device_.id) continue;
        if (std::find(left_out.begin(), left_out.end(), node.id) != left_out.end()) continue;
        const auto index = static_cast<std::uint8_t>(policy_.policy.backend_index(i));
        // Who lacks a fragment that is wanted beside this one has nothing to give.
        if (std::ranges::find(request.also_wanted, index) != request.also_wanted.end()) continue;
        all.push_back({node, index});
    }
    // Another first survivor for every object, so that all peers share the reading.
    const std::size_t turn = std::hash<std::string>{}(request.object_hash);
    if (!all.empty()) {
        std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(turn % all.size()),
                    all.end());
    }
    return all;
}

Awaitable<std::unique_ptr<SurvivorStream>> SurvivorSource::open_local(
    const RebuildRequest& request, const std::vector<std::uint32_t>& left_out) {
    const auto archive = local_archives_.find(request.object_hash);
    if (archive == local_archives_.end() || request.wants(archive->second.index) ||
        std::find(left_out.begin(), left_out.end(), local_device_.id) != left_out.end()) {
        co_return nullptr;
    }
    if (archive->second.content) {
        co_return std::make_unique<LocalBytes>(archive->second, local_device_.id);
    }
    // The map forgets it when the object is given up meanwhile.
    LocalArchive copy = archive->second;
    auto open = [path = copy.path, bytes = copy.archive_bytes] {
        return swift::open_data_file_again(path, bytes);
    };
    auto opened = co_await on_disk(services_, std::move(open));
    if (opened.has_error()) co_return nullptr;
    co_return std::make_unique<LocalStream>(services_, std::move(opened.value()), std::move(copy),
                                            local_device_.id);
}

fragments::GatherRequest SurvivorSource::gather_request(
    const RebuildRequest& request, const SurvivorStream* local,
    std::vector<fragments::Candidate> candidates) {
    fragments::GatherRequest gather;
    gather.policy_index = request.policy_index;
    gather.partition = request.partition;
    gather.object_path = request.object_path;
    gather.target = target_;
    gather.wanted = request.wanted;
    gather.also_wanted = request.also_wanted;
    gather.k = request.scheme.k;
    gather.n = request.scheme.n();
    gather.data_timestamp = request.data_timestamp;
    gather.ec_etag = request.ec_etag;
    gather.archive_bytes = request.archive_bytes;
    if (request.receive_whole) gather.whole_bodies_max = scheduler::survivors_max(request.scheme);
    if (local) gather.local_index = local->index();
    gather.local_durable = true;
    gather.candidates = std::move(candidates);
    gather.choose = [&codec = services_.codec, scheme = request.scheme, wanted = request.wanted,
                     also = request.also_wanted](std::span<const std::uint8_t> available) {
        auto chosen = codec.choose_survivors(scheme, available, wanted);
        for (const std::uint8_t index : also) {
            if (!chosen) break;
            const auto same = codec.choose_survivors(scheme, *chosen, index);
            if (!same || same->size() != chosen->size()) chosen.reset();
        }
        return chosen;
    };
    gather.watch = &watch_;
    return gather;
}

Awaitable<Result<std::vector<std::unique_ptr<SurvivorStream>>>> SurvivorSource::open(
    const RebuildRequest& request, const std::vector<std::uint32_t>& left_out) {
    std::unique_ptr<SurvivorStream> local = co_await open_local(request, left_out);
    auto gather = gather_request(request, local.get(), candidates(request, left_out));
    std::vector<Node> missing;
    gather.on_missing = [&missing, &hash = request.object_hash,
                         risks = services_.risks](const Node& node) {
        missing.push_back(node);
        if (risks != nullptr) risks->lacks(hash, node.id);
    };
    const auto asked = services_.clock.steady();
    auto sources = co_await fragments::gather(services_.client, std::move(gather),
                                              services_.gather_limits, services_.log);
    if (sources.has_error() && sources.error() == errc::too_few_fragments && local &&
        left_out.empty() && request.outputs() == 1) {
        LonelyFragment lonely{request.partition,
                              request.object_path,
                              request.object_hash,
                              request.data_timestamp,
                              local->index(),
                              local_device_,
                              target_,
                              request.wanted};
        auto others = co_await find_on_handoffs(services_, policy_, std::move(lonely), inquiries_);
        if (others.empty()) co_return sources.error();
        gather = gather_request(request, local.get(), std::move(others));
        sources = co_await fragments::gather(services_.client, std::move(gather),
                                             services_.gather_limits, services_.log);
    }
    if (sources.has_error()) co_return sources.error();
    for (const Node& node : missing)
        holes_.add(node, request.object_hash);
    scheduler::Throttle* throttle = services_.throttle;
    if (throttle != nullptr && throttle->pace() < 1) {
        // The streams are open meanwhile; a rest is far shorter than any server's patience.
        auto rested = co_await throttle->rest(services_.clock.steady() - asked, never);
        if (rested.has_error()) co_return rested.error();
    }

    std::vector<std::unique_ptr<SurvivorStream>> streams;
    streams.reserve(sources->size());
    for (auto& source : sources.value()) {
        if (source.survivor) {
            asked_.insert_or_assign(source.survivor->node().id, source.survivor->node());
            if (services_.risks != nullptr)
                services_.risks->holds(request.object_hash, source.survivor->node().id);
            streams.push_back(
                std::make_unique<RemoteStream>(std::move(source.survivor), services_));
        } else {
            FRAGMEND_ASSERT(local != nullptr);
            streams.push_back(std::move(local));
        }
    }
    co_return streams;
}

}  // namespace fragmend::sync
