// Delivery, windows and ends of the links.
#include "tests/sim/network.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::sim {

void Timeline::after(Duration delay, std::function<void()> what) {
    events_.push({VirtualTime::now() + delay, number_++, std::move(what)});
}

void Timeline::run_due() {
    while (!events_.empty() && events_.top().when <= VirtualTime::now()) {
        // The queue orders by what stays; the function may go.
        auto what = std::move(const_cast<Event&>(events_.top()).what);
        events_.pop();
        what();
    }
}

Duration Network::latency() {
    return Duration(dice.between(10'000, static_cast<std::uint64_t>(latency_max.count())));
}

void Network::wake(Link& link) {
    if (link.wake) link.wake();
}

LinkPtr Network::connect(const transport::http::Peer& peer) {
    auto link = std::make_shared<Link>();
    link->peer = peer;
    link->began = VirtualTime::now();
    ++links;
    timeline.after(latency(), [this, link, peer] {
        if (link->client_closed) return;
        const Answer answer = accept(peer, link);
        if (answer == Answer::silence) return;
        link->opening = answer == Answer::accept ? Link::Opening::open : Link::Opening::refused;
        link->room = dice.between(512, 16 * 1024);
        link->window = dice.between(512, 16 * 1024);
        wake(*link);
    });
    return link;
}

void Network::send_to_server(const LinkPtr& link, std::string sent) {
    FRAGMEND_ASSERT(sent.size() <= link->room);
    if (client_is_dead) return;
    link->room -= sent.size();
    link->at_server = std::max(link->at_server, VirtualTime::now() + latency());
    timeline.after(link->at_server - VirtualTime::now(), [this, link, sent = std::move(sent)] {
        if (link->server_closed) {
            link->peer_reset = true;
            return wake(*link);
        }
        bytes += sent.size();
        link->unread += sent.size();
        link->server->receive(sent);
        if (!link->stalled) give_room(link);
    });
}

void Network::give_room(const LinkPtr& link) {
    const std::size_t given = std::exchange(link->unread, 0);
    timeline.after(latency(), [link, given] {
        link->room += given;
        wake(*link);
    });
}

void Network::stall(const LinkPtr& link, Duration length) {
    link->stalled = true;
    timeline.after(length, [this, link] {
        link->stalled = false;
        give_room(link);
    });
}

void Network::take(const LinkPtr& link, std::size_t taken) {
    link->arrived.erase(0, taken);
    link->under_way -= taken;
    link->taken += taken;
    pump(link);
}

void Network::close_by_client(const LinkPtr& link) {
    link->client_closed = true;
    link->wake = nullptr;
    --links;
    if (link->server_closed || link->opening != Link::Opening::open) return;
    link->at_server = std::max(link->at_server, VirtualTime::now() + latency());
    timeline.after(link->at_server - VirtualTime::now(), [link] {
        if (std::exchange(link->server_closed, true)) return;
        link->server->client_closed();
    });
}

void Network::send_to_client(const LinkPtr& link, std::string_view sent) {
    if (link->server_closed || link->client_closed) return;
    link->outbox += sent;
    pump(link);
}

void Network::pump(const LinkPtr& link) {
    if (link->client_closed) return;
    const std::size_t room = link->window - std::min(link->window, link->under_way);
    std::string part = link->outbox.substr(0, std::min(room, link->outbox.size()));
    link->outbox.erase(0, part.size());
    link->under_way += part.size();
    link->at_client = std::max(link->at_client, VirtualTime::now() + latency());
    const bool last = link->outbox.empty() && link->ends_after_outbox;
    if (!part.empty() || last) {
        if (last) link->ends_after_outbox = false;
        timeline.after(link->at_client - VirtualTime::now(),
                       [this, link, part = std::move(part), last] {
                           bytes += part.size();
                           link->arrived += part;
                           link->peer_ended = link->peer_ended || last;
                           wake(*link);
                       });
    }
    if (link->outbox.empty()) return;
    timeline.after(client_timeout, [this, link, taken = link->taken] {
        if (link->taken == taken && !link->outbox.empty()) reset(link);
    });
}

void Network::end(const LinkPtr& link) {
    if (std::exchange(link->server_closed, true)) return;
    link->ends_after_outbox = true;
    pump(link);
}

void Network::reset(const LinkPtr& link) {
    link->server_closed = true;
    link->outbox.clear();
    timeline.after(latency(), [link] {
        link->peer_reset = true;
        wake(*link);
    });
}

}  // namespace fragmend::sim
