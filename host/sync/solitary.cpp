// Asking everybody who might have a fragment.
#include "host/sync/solitary.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/swift/handoff_walk.hpp"
#include "host/sync/braked_quarantine.hpp"
#include "host/sync/solitary_decision.hpp"
#include "transport/http/request.hpp"

namespace fragmend::sync {
namespace {

namespace http = transport::http;

/// What the questions of one object share; lives in the frame of `quarantine_if_solitary`.
struct Inquiry {
    Services& services;
    const PolicyContext& policy;
    const SessionPlan& plan;
    const swift::OpenObject& object;
    std::string quoted_path;
    SolitaryDecision decision;
};

SolitaryAnswer answer_of(const http::ResponseHead& head) {
    SolitaryAnswer answer{head.status(), std::nullopt};
    auto text = head.find("X-Backend-Data-Timestamp");
    if (!text) text = head.find("X-Backend-Timestamp");
    if (!text) return answer;
    const auto time = Timestamp::parse(*text);
    if (time.has_value()) answer.data_timestamp = *time;
    return answer;
}

Awaitable<void> ask(Inquiry& inquiry, Node node) {
    Services& services = inquiry.services;
    const auto& timeouts = services.gather_limits.timeouts;
    const http::Peer peer = http::replication_peer(node);
    std::string head = http::get_head(peer, services.client.user_agent(), node.device,
                                      inquiry.plan.partition, inquiry.quoted_path,
                                      inquiry.policy.policy.index, inquiry.object.data_timestamp);
    http::Abort abort;
    // The connection is not kept: nobody wants the body.
    auto opened = co_await services.client.open(peer, std::move(head), timeouts.conn, timeouts.node,
                                                0, abort);
    if (opened.has_value()) {
        inquiry.decision.add(answer_of(opened->head));
        co_return;
    }
    services.log.error("Trying to GET " +
                       transport::fragments::full_path(node, inquiry.plan.partition,
                                                       inquiry.object.name.path(),
                                                       inquiry.policy.policy.index) +
                       ": " + opened.error().detail);
    inquiry.decision.add({});
}

Awaitable<void> ask_all(Inquiry& inquiry, const std::vector<Node>& nodes) {
    TaskGroup asks(inquiry.services.network);
    for (const Node& node : nodes)
        asks.spawn(ask(inquiry, node));
    co_await asks.join();
}

std::uint32_t partition_number(const SessionPlan& plan) {
    return static_cast<std::uint32_t>(parse_digits(plan.partition).value_or(0));
}

/// The next handoffs of the walk, this machine's other devices included.
std::vector<Node> next_handoffs(swift::HandoffWalk& walk, std::size_t count_max,
                                const SessionPlan& plan) {
    std::vector<Node> nodes;
    while (nodes.size() < count_max) {
        const auto handoff = walk.next();
        if (!handoff) break;
        // Where a handoff stands in for an unmounted primary, it is the target itself.
        nodes.push_back(handoff->node);
    }
    std::erase_if(nodes, [&](const Node& node) { return node.id == plan.target.id; });
    return nodes;
}

}  // namespace

Awaitable<bool> quarantine_if_solitary(Services& services, const PolicyContext& policy,
                                       const SessionPlan& plan, const swift::OpenObject& object) {
    const auto& options = services.options;
    Inquiry inquiry{services,
                    policy,
                    plan,
                    object,
                    percent_quote(object.name.path()),
                    SolitaryDecision({object.data_timestamp, object.fragment_index,
                                      plan.wanted_index, policy.policy.k, services.clock.now(),
                                      options.quarantine_age_s, options.quarantine_threshold})};
    if (!inquiry.decision.is_possible()) co_return false;

    auto primaries = policy.ring->primaries(partition_number(plan));
    const auto primary_count = static_cast<std::int64_t>(primaries.size());
    std::erase_if(primaries, [&](const Node& node) {
        return node.id == plan.target.id || node.id == plan.local_device.id;
    });
    co_await ask_all(inquiry, primaries);

    std::int64_t left =
        std::max(primary_count, options.request_node_count.nodes(primary_count)) - primary_count;
    swift::HandoffWalk walk(policy.ring, partition_number(plan));
    while (left > 0 && inquiry.decision.is_candidate()) {
        const auto batch = std::min(left, primary_count);
        const auto handoffs = next_handoffs(walk, static_cast<std::size_t>(batch), plan);
        left -= batch;
        if (handoffs.empty()) break;
        co_await ask_all(inquiry, handoffs);
    }
    if (!inquiry.decision.is_candidate()) co_return false;
    std::string reason = "Solitary fragment #" + std::to_string(object.fragment_index);
    co_return co_await quarantine_braked(services, policy, plan.local_device.device,
                                         object.data_path, std::move(reason));
}

}  // namespace fragmend::sync
