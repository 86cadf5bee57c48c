// Gathering survivors over the network.
#include "transport/fragments/gather.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>
#include <utility>

#include "transport/fragments/gather_decision.hpp"
#include "transport/http/request.hpp"

namespace fragmend::transport::fragments {
namespace {

constexpr int status_not_found = 404;

/// One candidate that was asked.
struct Ask {
    http::Abort abort;
    std::optional<http::Opened> opened;  ///< Useful and still open.
    bool whole = false;                  ///< Among the bodies that are received whole.
};

/// What the coroutines of one gathering share; lives in the frame of `gather`.
struct Gathering {
    Gathering(http::Client& http_client, const GatherRequest& what, const GatherLimits& how,
              Logger logger)
        : client(http_client),
          request(what),
          limits(how),
          decision(what, std::move(logger)),
          quoted_path(percent_quote(what.object_path)),
          asks(what.candidates.size()),
          changed(http_client.executor()) {}

    void receive_whole(Ask& one) {
        one.whole = whole_bodies < request.whole_bodies_max;
        whole_bodies += one.whole;
    }
    /// Whether it failed for want of time alone. Whoever never took the connection is gone, not
    /// slow.
    bool is_slow(const Ask& one, const Error& error) const {
        return one.abort.is_connected() && (error == errc::timeout || (over && !hurried));
    }
    void dropped(Ask& one) { whole_bodies -= std::exchange(one.whole, false); }

    http::Client& client;
    const GatherRequest& request;
    const GatherLimits& limits;
    GatherDecision decision;
    std::string quoted_path;
    std::vector<Ask> asks;
    asio::steady_timer changed;  ///< Cancelled after every event; expires when it is time to hedge.
    std::size_t whole_bodies = 0;
    bool over = false;     ///< Late answers are dropped.
    bool hurried = false;  ///< Nobody waits for the survivors.
};

ResponseFacts facts_of(const http::ResponseHead& head) {
    ResponseFacts facts;
    facts.status = head.status();
    facts.frag_index = head.find("X-Object-Sysmeta-Ec-Frag-Index");
    facts.data_timestamp = head.find("X-Backend-Data-Timestamp");
    facts.timestamp = head.find("X-Backend-Timestamp");
    facts.durable_timestamp = head.find("X-Backend-Durable-Timestamp");
    facts.ec_etag = head.find("X-Object-Sysmeta-Ec-Etag");
    facts.etag = head.find("Etag");
    if (!head.chunked()) facts.content_length = head.content_length();
    return facts;
}

/// An answer whose body nobody wants: its connection is kept when the body is here already.
void dismiss(http::Client& client, const http::Peer& peer, http::Opened opened) {
    if (const auto length = opened.head.content_length()) {
        client.finish(peer, std::move(opened), *length);
    }
}

/// Waits until the whole small body is buffered.
Awaitable<Result<void>> receive_body(http::Connection& connection, std::size_t body_bytes,
                                     Deadline deadline) {
    while (connection.buffered().size() < body_bytes) {
        auto filled = co_await connection.fill(body_bytes - connection.buffered().size(), deadline);
        if (filled.has_error()) co_return filled.error();
        if (*filled == 0) {
            co_return Error{errc::disconnected, "a fragment archive that ended early"};
        }
    }
    co_return Result<void>();
}

/// One GET up to its verdict.
Awaitable<void> ask(Gathering& gathering, std::size_t candidate) {
    const GatherRequest& request = gathering.request;
    const Timeouts& timeouts = gathering.limits.timeouts;
    const Node& node = request.candidates[candidate].node;
    Ask& mine = gathering.asks[candidate];
    const http::Peer peer = http::replication_peer(node);
    std::string head = http::get_head(
        peer, gathering.client.user_agent(), node.device, request.partition, gathering.quoted_path,
        request.policy_index, request.data_timestamp, http::Verifies::reader);
    gathering.receive_whole(mine);
    const std::size_t hint = mine.whole ? static_cast<std::size_t>(request.archive_bytes) : 0;
    std::optional<WatchedAsk> watched(std::in_place, request.watch, node);
    auto opened = co_await gathering.client.open(peer, std::move(head), timeouts.conn,
                                                 timeouts.node, hint, mine.abort);
    if (opened.has_value())
        watched->answered();
    else if (gathering.is_slow(mine, opened.error()))
        watched->no_answer();
    watched.reset();
    std::optional<Error> failure;
    if (opened.has_error()) {
        failure = opened.error();
    } else if (!gathering.over && mine.whole && opened->head.status() == 200 &&
               opened->head.content_length() == request.archive_bytes) {
        auto received = co_await receive_body(opened->connection, hint,
                                              Deadline::exception(timeouts.node, "Timeout"));
        if (received.has_error()) failure = received.error();
    }
    if (gathering.over) co_return;
    mine.abort.forget();
    if (!failure && request.on_missing && opened->head.status() == status_not_found) {
        request.on_missing(node);
    }
    if (failure) {
        gathering.decision.failed(candidate, *failure);
    } else if (gathering.decision.answered(candidate, facts_of(opened->head))) {
        mine.opened = std::move(*opened);
    } else {
        dismiss(gathering.client, peer, std::move(*opened));
    }
    if (!mine.opened) gathering.dropped(mine);
    gathering.changed.cancel();
}

/// Waits for the next event, or until it is time to ask one more.
Awaitable<void> next_event(Gathering& gathering) {
    boost::system::error_code woken;
    co_await gathering.changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (woken) co_return;
    gathering.decision.hedge();
    const auto delay = gathering.limits.hedge_delay;
    gathering.changed.expires_after(delay);
}

GatheredSource take(Gathering& gathering, const Pick& pick) {
    GatheredSource source;
    source.index = pick.index;
    if (!pick.candidate) return source;
    auto opened = std::exchange(gathering.asks[*pick.candidate].opened, std::nullopt);
    FRAGMEND_ASSERT(opened.has_value());
    std::string_view md5 = opened->head.find("Etag").value_or("");
    if (md5.starts_with('"')) md5 = md5.substr(1, md5.size() - 2);
    std::string announced(md5);
    source.survivor = std::make_unique<Survivor>(
        gathering.client, std::move(*opened), gathering.request.candidates[*pick.candidate].node,
        pick.index, std::move(announced), gathering.request.archive_bytes,
        gathering.limits.timeouts.node);
    return source;
}

}  // namespace

Awaitable<Result<std::vector<GatheredSource>>> gather(http::Client& client, GatherRequest request,
                                                      GatherLimits limits, Logger logger) {
    Gathering gathering(client, request, limits, std::move(logger));
    TaskGroup group(client.executor());
    if (limits.hedge_delay.count() > 0)
        gathering.changed.expires_after(limits.hedge_delay);
    else
        gathering.changed.expires_at(asio::steady_timer::time_point::max());
    while (gathering.decision.outcome() == GatherDecision::Outcome::open && !gathering.hurried) {
        const auto asks = gathering.decision.take_asks();
        for (const std::size_t candidate : asks)
            group.spawn(ask(gathering, candidate));
        // A child may have had its event already, so waiting is right only when nobody was asked.
        if (asks.empty()) co_await next_event(gathering);
        // Whoever hurries us wants no survivors any more, and the peers may be silent for long.
        const auto state = co_await asio::this_coro::cancellation_state;
        gathering.hurried = state.cancelled() != asio::cancellation_type::none;
    }
    gathering.over = true;
    for (Ask& one : gathering.asks) {
        if (!one.opened) one.abort.abort();
    }
    co_await group.join();
    if (gathering.hurried)
        co_return Error{errc::cancelled, "nobody waits for the survivors any more"};
    if (gathering.decision.outcome() == GatherDecision::Outcome::too_few) {
        co_return Error{errc::too_few_fragments, "Unable to reconstruct EC archive"};
    }
    std::vector<GatheredSource> sources;
    for (const Pick& pick : gathering.decision.picks())
        sources.push_back(take(gathering, pick));
    for (std::size_t i = 0; i < gathering.asks.size(); ++i) {
        if (!gathering.asks[i].opened) continue;
        dismiss(client, http::replication_peer(request.candidates[i].node),
                std::move(*gathering.asks[i].opened));
    }
    co_return sources;
}

}  // namespace fragmend::transport::fragments
