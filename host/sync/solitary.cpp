// Asking everybody who might have a fragment.
#include "host/sync/solitary.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/swift/handoff_walk.hpp"
#include "host/sync/braked_quarantine.hpp"
#include "host/sync/peer_watch.hpp"
#include "host/sync/solitary_decision.hpp"
#include "transport/http/request.hpp"

namespace fragmend::sync {

/// One request of an inquiry, while it is open.
class Question {
  public:
    Question(InquiryStop& stop, const std::string& object_hash) : stop_(stop) {
        stop_.open_.emplace(&abort_, object_hash);
        if (stop_.was_called(object_hash)) abort_.abort();
    }
    ~Question() { stop_.open_.erase(&abort_); }
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;
    transport::http::Abort& abort() { return abort_; }

  private:
    InquiryStop& stop_;
    transport::http::Abort abort_;
};

namespace {

namespace http = transport::http;
using transport::fragments::Candidate;

/// What the questions of one object share; lives in the frame of who asks.
struct Inquiry {
    Inquiry(Services& with, const PolicyContext& of, LonelyFragment what, InquiryStop& stopped_by)
        : services(with),
          policy(of),
          stop(stopped_by),
          watch(with.throttle),
          fragment(std::move(what)),
          quoted_path(percent_quote(fragment.object_path)),
          decision({fragment.data_timestamp, fragment.fragment_index, fragment.wanted_index,
                    of.policy.k, with.clock.now(), with.options.quarantine_age_s,
                    with.options.quarantine_threshold}) {}

    /// Distinct indexes of the version, the local one included.
    std::size_t indexes() const {
        std::set<int> distinct{fragment.fragment_index};
        for (const auto& other : others)
            distinct.insert(other.expected_index);
        return distinct.size();
    }
    bool is_stopped() const { return stop.was_called(fragment.object_hash); }
    bool is_enough() const { return std::cmp_greater_equal(indexes(), policy.policy.k); }

    Services& services;
    const PolicyContext& policy;
    InquiryStop& stop;
    PeerWatch watch;
    LonelyFragment fragment;
    std::string quoted_path;
    SolitaryDecision decision;
    std::vector<Candidate> others;  ///< Who has a useful fragment of the version.
    std::int64_t asked = 0;
};

/// What an answer says, and its fragment index. What lacks anything that Swift looks at counts as
/// no answer. Source: swift.obj.reconstructor.ObjectReconstructor._handle_fragment_response.
SolitaryAnswer answer_of(const http::ResponseHead& head, int indexes, std::optional<int>& index) {
    if (head.status() != status_ok) return {head.status(), std::nullopt};
    auto text = head.find("X-Backend-Data-Timestamp");
    if (!text) text = head.find("X-Backend-Timestamp");
    const auto number = parse_digits(head.find("X-Object-Sysmeta-Ec-Frag-Index").value_or(""));
    if (!text || !number || std::cmp_greater_equal(*number, indexes)) return {};
    if (head.find("X-Object-Sysmeta-Ec-Etag").value_or("").empty()) return {};
    const auto time = Timestamp::parse(*text);
    if (time.has_error()) return {};
    index = static_cast<int>(*number);
    return {status_ok, *time};
}

Awaitable<void> ask(Inquiry& inquiry, Node node) {
    Services& services = inquiry.services;
    const LonelyFragment& fragment = inquiry.fragment;
    const auto& policy = inquiry.policy.policy;
    const auto& timeouts = services.gather_limits.timeouts;
    const http::Peer peer = http::replication_peer(node);
    std::string head = http::get_head(peer, services.client.user_agent(), node.device,
                                      fragment.partition, inquiry.quoted_path, policy.index,
                                      fragment.data_timestamp, transport::http::Verifies::server);
    Question question(inquiry.stop, fragment.object_hash);
    std::optional<transport::WatchedAsk> watched(std::in_place, &inquiry.watch, node);
    // The connection is not kept: nobody wants the body.
    auto opened = co_await services.client.open(peer, std::move(head), timeouts.conn, timeouts.node,
                                                0, question.abort());
    if (inquiry.is_stopped()) co_return;
    if (opened.has_value())
        watched->answered();
    else if (opened.error() == errc::timeout && question.abort().is_connected())
        watched->no_answer();
    watched.reset();
    if (opened.has_error()) {
        services.log.error("Trying to GET " +
                           transport::fragments::full_path(node, fragment.partition,
                                                           fragment.object_path, policy.index) +
                           ": " + opened.error().detail);
        inquiry.decision.add({});
        co_return;
    }
    std::optional<int> index;
    const auto answer = answer_of(opened->head, policy.unique_fragments(), index);
    inquiry.decision.add(answer);
    if (index && *index != fragment.wanted_index &&
        answer.data_timestamp == fragment.data_timestamp) {
        inquiry.others.push_back({std::move(node), static_cast<std::uint8_t>(*index)});
    }
}

Awaitable<void> ask_all(Inquiry& inquiry, const std::vector<Node>& nodes) {
    inquiry.asked += static_cast<std::int64_t>(nodes.size());
    TaskGroup asks(inquiry.services.network);
    for (const Node& node : nodes)
        asks.spawn(ask(inquiry, node));
    co_await asks.join();
}

/// The next handoffs of the walk, this machine's other devices included.
std::vector<Node> next_handoffs(swift::HandoffWalk& walk, std::size_t count_max,
                                std::uint32_t target) {
    std::vector<Node> nodes;
    while (nodes.size() < count_max) {
        const auto handoff = walk.next();
        if (!handoff) break;
        // Where a handoff stands in for an unmounted primary, it is the target itself.
        nodes.push_back(handoff->node);
    }
    std::erase_if(nodes, [&](const Node& node) { return node.id == target; });
    return nodes;
}

/// Asks the primaries, and handoffs if their answers allow it, until it is clear what to do.
Awaitable<void> ask_everybody(Inquiry& inquiry) {
    const LonelyFragment& fragment = inquiry.fragment;
    const auto partition = static_cast<std::uint32_t>(parse_digits(fragment.partition).value_or(0));
    auto primaries = inquiry.policy.ring->primaries(partition);
    const auto primary_count = static_cast<std::int64_t>(primaries.size());
    std::erase_if(primaries, [&](const Node& node) {
        return node.id == fragment.target.id || node.id == fragment.local_device.id;
    });
    co_await ask_all(inquiry, primaries);
    if (inquiry.is_stopped() || !inquiry.decision.is_candidate()) co_return;

    const auto nodes_max = inquiry.services.options.request_node_count.nodes(primary_count);
    std::int64_t left = std::max(primary_count, nodes_max) - primary_count;
    swift::HandoffWalk walk(inquiry.policy.ring, partition);
    // One who has a fragment ends the quarantine; others may have enough to rebuild.
    while (left > 0 && !inquiry.is_enough() &&
           (inquiry.decision.is_candidate() || !inquiry.others.empty())) {
        const auto batch = std::min(left, primary_count);
        const auto handoffs =
            next_handoffs(walk, static_cast<std::size_t>(batch), fragment.target.id);
        left -= batch;
        if (handoffs.empty()) break;
        co_await ask_all(inquiry, handoffs);
        if (inquiry.is_stopped()) co_return;
    }
}

}  // namespace

Awaitable<std::vector<Candidate>> find_on_handoffs(Services& services, const PolicyContext& policy,
                                                   LonelyFragment fragment, InquiryStop& stop) {
    Inquiry inquiry(services, policy, std::move(fragment), stop);
    if (!inquiry.decision.is_possible()) co_return std::vector<Candidate>();
    co_await ask_everybody(inquiry);
    if (inquiry.is_stopped() || !inquiry.is_enough()) co_return std::vector<Candidate>();
    services.log.info(
        "Reconstructing frag from handoffs, node_count=" + std::to_string(inquiry.asked) + ": " +
        transport::fragments::full_path(inquiry.fragment.target, inquiry.fragment.partition,
                                        inquiry.fragment.object_path, policy.policy.index));
    co_return std::move(inquiry.others);
}

Awaitable<bool> quarantine_if_solitary(Services& services, const PolicyContext& policy,
                                       const SessionPlan& plan, const swift::OpenObject& object,
                                       InquiryStop& stop) {
    Inquiry inquiry(services, policy,
                    {plan.partition, object.name.path(), object.hash, object.data_timestamp,
                     object.fragment_index, plan.local_device, plan.target, plan.wanted_index},
                    stop);
    if (!inquiry.decision.is_possible()) co_return false;
    co_await ask_everybody(inquiry);
    if (inquiry.is_stopped() || !inquiry.decision.is_candidate()) co_return false;
    std::string reason = "Solitary fragment #" + std::to_string(object.fragment_index);
    // The answers took a while and say nothing about our own disk: a client may have deleted or
    // replaced the object since it was opened, and the whole directory goes, with its tombstone.
    std::function<bool()> is_still_there = [disk = policy.disk, device = plan.local_device.device,
                                            partition = plan.partition, hash = object.hash,
                                            index = plan.local_index, path = object.data_path] {
        const swift::OpenOptions options{
            .frag_index = index, .frag_prefs = std::nullopt, .open_expired = true};
        const auto now = swift::open_object(disk, device, partition, hash, options);
        return now.has_value() && now->data_path == path;
    };
    co_return co_await quarantine_braked(services, policy, plan.local_device.device,
                                         object.data_path, std::move(reason),
                                         std::move(is_still_there));
}

}  // namespace fragmend::sync
