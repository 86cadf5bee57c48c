// A session at a peer, line by line.
#include "tests/sim/receiver.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::sim {
namespace {

std::string field_of(const std::string& head, const std::string& name) {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
}

std::string lower(std::string text) {
    for (char& c : text)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

}  // namespace

Receiver::Receiver(Peers& peers, Network& network, Peer& peer, std::weak_ptr<Link> link,
                   const std::string& head)
    : peers_(peers), network_(network), peer_(peer), link_(std::move(link)) {
    const auto from = head.find('/', head.find('/') + 1) + 1;
    partition_ = head.substr(from, head.find(' ', from) - from);
    node_index_ = std::stoi("0" + field_of(head, "X-Backend-Ssync-Node-Index"));
    is_revert_ = peers.on_session(peer.node, partition_, node_index_, link_.lock()->began);
    const unsigned percent = peers.trouble_percent * (is_revert_ ? 2 : 1);
    if (peer.mood == Mood::flaky && network.dice.chance(percent)) {
        ++peers.faults;
        trouble_ = static_cast<Trouble>(network.dice.between(1, 9));
        // Reverts are short.
        strikes_at_ = network.dice.draw(is_revert_ || network.dice.chance(50) ? 400 : 6000);
        refuses_next_ = trouble_ == Trouble::refuses_one;
    }
    // This one's head may have come long after its end.
    peer_.sessions.push_back(link_);
    std::erase_if(peer_.sessions, [](const std::weak_ptr<Link>& session) {
        const LinkPtr alive = session.lock();
        return !alive || alive->client_closed;
    });
    peer_.sessions_peak = std::max(peer_.sessions_peak, static_cast<int>(peer_.sessions.size()));
    const std::weak_ptr<Link> weak = link_;
    const std::uint64_t think_ns = trouble_ == Trouble::late ? 20'000'000'000 : 2'000'000;
    network.timeline.after(Duration(network.dice.between(1000, think_ns)), [this, weak] {
        const LinkPtr alive = weak.lock();
        if (alive && !alive->server_closed) begin();
    });
}

void Receiver::begin() {
    if (trouble_ == Trouble::silent) return;
    if (peer_.mood == Mood::unmounted || trouble_ == Trouble::refused) {
        static constexpr int statuses[] = {507, 503, 409, 500};
        const int status = peer_.mood == Mood::unmounted ? 507 : statuses[network_.dice.draw(4)];
        network_.send_to_client(
            link(), "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: 4\r\n\r\noops");
        deaf_ = true;
        return;
    }
    state_ = State::missing;
    network_.send_to_client(
        link(), std::string("HTTP/1.1 200 OK\r\n") +
                    (peer_.takes_non_durable ? "X-Backend-Accept-No-Commit: True\r\n" : "") +
                    "Transfer-Encoding: chunked\r\n\r\n");
    if (!text_.empty()) take_lines();
}

void Receiver::client_closed() {
    if (put_ && put_bytes_ > 0 && put_->body.size() == put_bytes_) {
        peers_.on_violation("a whole body was sent and not committed");
    }
    deaf_ = true;
}

bool Receiver::strikes() {
    if (received_ < strikes_at_ || trouble_ == Trouble::none) return false;
    switch (std::exchange(trouble_, Trouble::none)) {
        case Trouble::hang_up:
            deaf_ = true;
            if (network_.dice.chance(50))
                network_.end(link());
            else
                network_.reset(link());
            return true;
        case Trouble::error_line:
            chunk(":ERROR: 503 'Service Unavailable'\r\n");
            deaf_ = true;
            network_.end(link());
            return true;
        case Trouble::lock_line:
            chunk(":ERROR: 0 '15 seconds: /srv/node/sd1/objects/1/.lock-replication'\r\n");
            deaf_ = true;
            network_.end(link());
            return true;
        case Trouble::stall:
            network_.stall(link(), std::chrono::milliseconds(network_.dice.between(500, 30'000)));
            return false;
        case Trouble::lie:
            chunk("0123456789abcdef0123456789abcdef d\r\n");
            return false;
        default:
            return false;
    }
}

void Receiver::chunk(const std::string& text) {
    std::string framed;
    transport::http::append_chunk(framed, text);
    network_.send_to_client(link(), framed);
}

void Receiver::receive(std::string_view bytes) {
    if (deaf_) return;
    ByteView rest = as_bytes_view(bytes);
    while (!rest.empty() && !deaf_) {
        if (chunks_.finished()) return peers_.on_violation("bytes after the last chunk");
        const auto step = chunks_.next(rest);
        if (step.has_error()) return peers_.on_violation("broken chunks from the sender");
        rest = rest.subspan(step->consumed);
        received_ += step->data.size();
        text_ += as_text(step->data);
        if (strikes()) return;
        if (state_ == State::missing || state_ == State::updates) take_lines();
    }
    if (chunks_.finished() && state_ != State::ended) {
        peers_.on_violation("a last chunk in a session that did not end well");
    }
}

void Receiver::take_lines() {
    while (!deaf_) {
        if (put_) {
            const std::size_t part = std::min(text_.size(), put_bytes_ - put_->body.size());
            put_->body += text_.substr(0, part);
            peers_.on_body(peer_.node, part);
            text_.erase(0, part);
            if (put_->body.size() < put_bytes_) return;
            commit();
        }
        if (state_ == State::ended && !text_.empty()) {
            return peers_.on_violation("messages after the end of the updates");
        }
        const auto end = text_.find("\r\n");
        if (end == std::string::npos) return;
        const bool marks = text_.starts_with(':');
        if (state_ == State::updates && !marks) {
            const auto head_end = text_.find("\r\n\r\n");
            if (head_end == std::string::npos) return;
            const std::string head = text_.substr(0, head_end + 2);
            text_.erase(0, head_end + 4);
            take_sub_request_head(head);
            continue;
        }
        const std::string line = text_.substr(0, end);
        text_.erase(0, end + 2);
        take_line(line);
    }
}

void Receiver::take_line(const std::string& line) {
    if (line == ":MISSING_CHECK: START" || line == ":UPDATES: START") return;
    if (line == ":MISSING_CHECK: END") return answer_missing();
    if (line == ":UPDATES: END") {
        if (has_refused_) {
            chunk(":ERROR: 500 'ERROR: With :UPDATES: 1 failures to 1 successes'\r\n");
            deaf_ = true;
            return network_.end(link());
        }
        state_ = State::ended;
        if (is_revert_) peers_.on_reverted(peer_.node, partition_);
        chunk(":UPDATES: START\r\n");
        return chunk(":UPDATES: END\r\n");
    }
    const auto blank = line.find(' ');
    const std::string time = line.substr(blank + 1, line.find(' ', blank + 1) - blank - 1);
    const auto parsed = Timestamp::parse(time);
    if (blank != 32 || parsed.has_error()) return peers_.on_violation("an offer: " + line);
    const bool durable = line.find("durable:False") == line.npos;
    if (!durable && !peer_.takes_non_durable) {
        return peers_.on_violation("a non-durable offer to one who does not take it: " + line);
    }
    offers_.push_back({line.substr(0, blank), *parsed, durable});
}

void Receiver::answer_missing() {
    state_ = State::updates;
    chunk(":MISSING_CHECK: START\r\n");
    for (const auto& [hash, time, durable] : offers_) {
        const auto held = peer_.objects.find(hash);
        const bool has = held != peer_.objects.end();
        const bool is_this_one =
            has && (held->second.version->tombstone || held->second.index == node_index_);
        if (is_this_one && held->second.version->data >= time &&
            held->second.damage == Damage::none) {
            const bool is_same = held->second.version->data == time;
            held->second.durable = held->second.durable || (is_same && durable);
            continue;
        }
        chunk(hash + " d\r\n");
    }
    chunk(":MISSING_CHECK: END\r\n");
}

void Receiver::take_sub_request_head(const std::string& head) {
    const std::string method = head.substr(0, head.find(' '));
    const auto path_at = method.size() + 1;
    Delivery delivery{
        peer_.node, partition_, node_index_, head.substr(path_at, head.find("\r\n") - path_at),
        {},         {},         is_revert_};
    for (auto at = head.find("\r\n") + 2; at < head.size();) {
        const auto colon = head.find(": ", at), end = head.find("\r\n", at);
        delivery.headers[lower(head.substr(at, colon - at))] =
            head.substr(colon + 2, end - colon - 2);
        at = end + 2;
    }
    if (method == "PUT") {
        put_bytes_ = std::stoul("0" + delivery.headers["content-length"]);
        put_.emplace(std::move(delivery));
        return;
    }
    if (method == "POST") return;
    if (method != "DELETE") return peers_.on_violation("a sub-request: " + head);
    const Version* version = peers_.version_at(delivery.path, delivery.headers["x-timestamp"]);
    if (version == nullptr || !version->tombstone) return peers_.on_violation("DELETE " + head);
    store(peer_.objects, {version, node_index_});
}

void Receiver::commit() {
    Delivery delivery = *std::exchange(put_, std::nullopt);
    peers_.on_delivery(delivery);
    if (std::exchange(refuses_next_, false)) {
        has_refused_ = true;
        return;
    }
    const Version* version = peers_.version_at(delivery.path, delivery.headers["x-timestamp"]);
    const bool durable = !delivery.headers.contains("x-backend-no-commit");
    if (version != nullptr) store(peer_.objects, {version, node_index_, Damage::none, durable});
}

}  // namespace fragmend::sim
