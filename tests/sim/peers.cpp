// A peer's HTTP: GET of fragments and REPLICATE; SSYNC is handed on.
#include "tests/sim/peers.hpp"

#include <algorithm>
#include <utility>

#include "host/swift/replicate_answer.hpp"
#include "tests/sim/receiver.hpp"

namespace fragmend::sim {
namespace {

/// What a flaky peer makes of a GET.
enum class Spoilt {
    nothing,
    not_found,
    busy,
    full,
    late_head,
    no_answer,
    hung_up,
    rubbish,
    wrong_length,
    wrong_index,
    wrong_etag,
    wrong_time,
    no_md5,
    ends_early,
    reset_early,
    flipped_byte,
    unchecked_byte,
    bad_header,
    count
};

std::string status_line(int status) {
    return "HTTP/1.1 " + std::to_string(status) + " x\r\n";
}

std::string empty_answer(int status) {
    return status_line(status) + "Content-Length: 0\r\n\r\n";
}

}  // namespace

std::string damaged(std::string bytes, Damage damage, std::uint64_t seed) {
    if (bytes.size() <= header_bytes) return bytes;
    Dice dice(seed);
    switch (damage) {
        case Damage::none:
            break;
        case Damage::flipped_byte:
            bytes[header_bytes + dice.draw(bytes.size() - header_bytes)] ^= 4;
            break;
        case Damage::unchecked_header_byte:
            bytes[header_bytes - 1 - dice.draw(10)] ^= 4;
            break;
        case Damage::bad_header:
            bytes[dice.draw(20)] ^= 4;
            break;
        case Damage::short_file:
            bytes.resize(header_bytes + dice.draw(bytes.size() - header_bytes));
            break;
    }
    return bytes;
}

std::vector<const Held*> held_in(const std::map<std::string, Held>& objects,
                                 const std::string& partition) {
    std::vector<const Held*> found;
    for (const auto& [hash, held] : objects) {
        if (held.version->partition == partition) found.push_back(&held);
    }
    return found;
}

swift::PartitionHashes hashes_of(const std::vector<const Held*>& all) {
    std::map<std::string, std::map<int, std::string>> data;
    std::map<std::string, std::set<std::string>> rest;
    for (const Held* held : all) {
        const Version& version = *held->version;
        auto& others = rest[version.suffix()];
        if (version.meta) others.insert(version.hash + version.meta->internal());
        if (version.tombstone)
            others.insert(version.hash + version.data.internal());
        else
            data[version.suffix()][held->index] += version.hash + version.data.internal();
    }
    swift::PartitionHashes hashes;
    for (const auto& [suffix, names] : rest) {
        std::string text = "none";
        for (const std::string& name : names)
            text += name;
        swift::SuffixHash& hash = hashes[suffix];
        hash[std::nullopt] = md5_hex(text);
        for (const auto& [index, fragments] : data[suffix])
            hash[index] = md5_hex(fragments);
    }
    return hashes;
}

void store(std::map<std::string, Held>& objects, const Held& held) {
    const auto [at, is_new] = objects.try_emplace(held.version->hash, held);
    Held& before = at->second;
    const bool is_this_one = before.version->tombstone || before.index == held.index;
    if (is_new || (is_this_one && before.version->data > held.version->data)) return;
    const bool is_same = before.version == held.version;
    if (is_same && held.damage != Damage::none) return;
    const bool was_durable = is_same && before.durable;
    before = held;
    before.durable = before.durable || was_durable;
}

/// One connection of a peer: request after request.
class HttpEnd final : public ServerEnd {
  public:
    HttpEnd(Peers& peers, Peer& peer, const LinkPtr& link)
        : peers_(peers), network_(peers.network_), peer_(peer), link_(link) {}

    void receive(std::string_view bytes) override {
        if (receiver_) return receiver_->receive(bytes);
        request_ += bytes;
        const auto end = request_.find("\r\n\r\n");
        if (end == std::string::npos || answering_) return;
        const std::string head = request_.substr(0, end + 4);
        const std::string rest = request_.substr(end + 4);
        request_.clear();
        if (head.starts_with("SSYNC ")) {
            receiver_ = std::make_unique<Receiver>(peers_, network_, peer_, link_, head);
            if (!rest.empty()) receiver_->receive(rest);
            return;
        }
        if (!rest.empty()) peers_.on_violation("a second request before the first answer");
        answering_ = true;
        later(think_time(), [this, head] {
            answering_ = false;
            link()->carries_archive = head.starts_with("GET ");
            if (link()->carries_archive)
                get(head);
            else
                replicate(head);
        });
    }
    void client_closed() override {
        if (receiver_) receiver_->client_closed();
    }

  private:
    /// Runs `what` unless the link is gone by then.
    void later(Duration delay, std::function<void()> what) {
        const std::weak_ptr<Link> weak = link_;
        network_.timeline.after(delay, [weak, what = std::move(what)] {
            const LinkPtr link = weak.lock();
            if (link && !link->server_closed) what();
        });
    }
    LinkPtr link() const { return link_.lock(); }
    Duration think_time() {
        const std::uint64_t most = peer_.mood == Mood::slow ? 3'000'000'000 : 2'000'000;
        return Duration(network_.dice.between(10'000, most));
    }
    bool is_spoilt() {
        return peer_.mood == Mood::flaky && network_.dice.chance(peers_.trouble_percent);
    }
    void say(const std::string& text) { network_.send_to_client(link(), text); }

    void replicate(const std::string& head) {
        if (peer_.mood == Mood::unmounted) return say(empty_answer(507));
        const auto from = head.find('/', head.find('/') + 1) + 1;
        const std::string partition = head.substr(from, head.find(' ', from) - from);
        std::string body =
            swift::dump_replicate_answer(hashes_of(held_in(peer_.objects, partition)));
        if (is_spoilt()) {
            ++peers_.faults;
            switch (network_.dice.draw(4)) {
                case 0:
                    return say(empty_answer(500));
                case 1:
                    return network_.reset(link());
                case 2:
                    body.resize(body.size() / 2);
                    break;
                default:
                    return;  // Never an answer.
            }
        }
        say(status_line(200) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            body);
    }

    void get(const std::string& head) {
        ++peers_.gets;
        if (peer_.mood == Mood::unmounted) return say(empty_answer(507));
        // GET /<device>/<partition>/<account>/<container>/<object> HTTP/1.1
        const auto first = head.find('/', 5);
        const auto at = head.find('/', first + 1);
        const std::string path = head.substr(at, head.find(' ', at) - at);
        const Version* asked = peers_.version_of(path);
        const auto held = asked == nullptr ? peer_.objects.end() : peer_.objects.find(asked->hash);
        if (held == peer_.objects.end() || held->second.version->tombstone) {
            return say(empty_answer(404));
        }
        Spoilt spoilt = Spoilt::nothing;
        if (is_spoilt()) {
            ++peers_.faults;
            spoilt = static_cast<Spoilt>(network_.dice.draw(static_cast<int>(Spoilt::count)));
        }
        if (spoilt != Spoilt::nothing || held->second.damage != Damage::none ||
            peer_.mood == Mood::slow) {
            peers_.misbehaved.insert({path, peer_.node.id});
        }
        answer_get(held->second, spoilt);
    }

    void answer_get(const Held& held, Spoilt spoilt) {
        const Version& version = *held.version;
        const Fragment& truth = peers_.truth_.of(version, static_cast<std::uint8_t>(held.index));
        std::string body =
            damaged(truth.bytes, held.damage, version.seed + static_cast<unsigned>(held.index));
        std::string length = std::to_string(truth.bytes.size());
        std::string index = std::to_string(held.index);
        std::string etag = version.ec_etag, time = version.data.internal();
        std::string md5 = "\"" + truth.md5 + "\"";
        bool breaks = body.size() < truth.bytes.size();
        Duration delay{0};
        switch (spoilt) {
            case Spoilt::not_found:
                return say(empty_answer(404));
            case Spoilt::busy:
                return say(empty_answer(503));
            case Spoilt::full:
                return say(empty_answer(507));
            case Spoilt::late_head:
                delay = std::chrono::milliseconds(network_.dice.between(900, 15'000));
                break;
            case Spoilt::no_answer:
                return;
            case Spoilt::hung_up:
                return network_.end(link());
            case Spoilt::rubbish:
                return say("HTTP/0.9 hello\r\n\r\n");
            case Spoilt::wrong_length:
                body += "more than there should be";
                length = std::to_string(body.size());
                break;
            case Spoilt::wrong_index:
                index = network_.dice.chance(50) ? "99" : "zero";
                break;
            case Spoilt::wrong_etag:
                etag = "0123456789abcdef0123456789abcdef";
                break;
            case Spoilt::wrong_time:
                time = Timestamp{version.data.raw - 7, 0}.internal();
                break;
            case Spoilt::no_md5:
                md5 = "\"none\"";
                break;
            case Spoilt::ends_early:
            case Spoilt::reset_early:
                body.resize(network_.dice.draw(body.size() + 1));
                breaks = true;
                break;
            case Spoilt::flipped_byte:
                body = damaged(body, Damage::flipped_byte, network_.dice.next());
                break;
            case Spoilt::unchecked_byte:
                body = damaged(body, Damage::unchecked_header_byte, network_.dice.next());
                break;
            case Spoilt::bad_header:
                body = damaged(body, Damage::bad_header, network_.dice.next());
                break;
            default:
                break;
        }
        const std::string text =
            status_line(200) + "Content-Length: " + length +
            "\r\nX-Object-Sysmeta-Ec-Frag-Index: " + index +
            "\r\nX-Backend-Data-Timestamp: " + time + "\r\nX-Backend-Timestamp: " + time +
            "\r\nX-Backend-Durable-Timestamp: " + time + "\r\nX-Object-Sysmeta-Ec-Etag: " + etag +
            "\r\nEtag: " + md5 + "\r\n\r\n" + body;
        const bool resets = spoilt == Spoilt::reset_early;
        later(delay, [this, text, breaks, resets] {
            say(text);
            if (!breaks) return;
            if (resets)
                network_.reset(link());
            else
                network_.end(link());
        });
    }

    Peers& peers_;
    Network& network_;
    Peer& peer_;
    std::weak_ptr<Link> link_;  ///< Which owns us.
    std::string request_;
    bool answering_ = false;
    std::unique_ptr<Receiver> receiver_;
};

Peer& Peers::add(Node node) {
    const std::string key = node.replication_ip + " " + std::to_string(node.replication_port);
    auto& peer = peers_[key];
    peer = std::make_unique<Peer>();
    peer->node = std::move(node);
    return *peer;
}

Peer* Peers::find(const transport::http::Peer& address) {
    const auto found = peers_.find(address.host + " " + std::to_string(address.port));
    return found == peers_.end() ? nullptr : found->second.get();
}

const Version* Peers::version_of(const std::string& path) const {
    const auto found = std::ranges::find(versions, path, &Version::path);
    return found == versions.end() ? nullptr : *found;
}

const Version* Peers::version_at(const std::string& path, const std::string& time) const {
    const auto found = std::ranges::find_if(versions, [&](const Version* version) {
        return version->path == path && version->data.internal() == time;
    });
    return found == versions.end() ? nullptr : *found;
}

Network::Answer Peers::accept(const transport::http::Peer& address, const LinkPtr& link) {
    Peer* peer = find(address);
    if (peer == nullptr || peer->mood == Mood::refusing) return Network::Answer::refuse;
    if (peer->mood == Mood::silent) return Network::Answer::silence;
    if (peer->mood == Mood::flaky && network_.dice.chance(trouble_percent / 4)) {
        ++faults;
        return network_.dice.chance(50) ? Network::Answer::refuse : Network::Answer::silence;
    }
    link->server = std::make_unique<HttpEnd>(*this, *peer, link);
    return Network::Answer::accept;
}

}  // namespace fragmend::sim
