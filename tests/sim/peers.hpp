// The other nodes: what they hold, how they answer, and what is wrong with them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/node.hpp"
#include "host/swift/hashes_types.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/objects.hpp"

namespace fragmend::sim {

/// Damage that stays on a disk.
enum class Damage { none, flipped_byte, unchecked_header_byte, bad_header, short_file };

struct Held {
    const Version* version = nullptr;
    int index = 0;
    Damage damage = Damage::none;
    bool durable = true;
};

/// How one peer is during a pass.
enum class Mood { well, flaky, slow, refusing, silent, unmounted };

/// One PUT sub-request that came whole.
struct Delivery {
    const Node& target;
    std::string partition;
    int node_index = -1;  ///< X-Backend-Ssync-Node-Index of the session.
    std::string path;
    std::map<std::string, std::string> headers;  ///< Names in lower case.
    std::string body;
    bool is_revert = false;
};

struct Peer {
    Node node;
    std::map<std::string, Held> objects;  ///< By hash.
    Mood mood = Mood::well;
    bool takes_non_durable = true;
    std::vector<std::weak_ptr<Link>> sessions;  ///< SSYNC sessions, ended ones too.
    int sessions_peak = 0;                      ///< That the client had open at a time.
};

/// All peers of a world and what they tell it.
class Peers {
  public:
    Peers(Network& network, Truth& truth) : network_(network), truth_(truth) {
        network.accept = [this](const transport::http::Peer& address, const LinkPtr& link) {
            return accept(address, link);
        };
    }

    /// Adds a peer; addresses are distinct.
    Peer& add(Node node);
    Peer* find(const transport::http::Peer& address);
    std::map<std::string, std::unique_ptr<Peer>>& all() { return peers_; }

    const Version* version_of(const std::string& path) const;
    /// Nothing when `path` never had a version of that X-Timestamp.
    const Version* version_at(const std::string& path, const std::string& time) const;
    std::vector<const Version*> versions;  ///< The ones that are to be rebuilt.

    /// In percent: how often a flaky peer spoils an answer. 0 in a quiet pass.
    unsigned trouble_percent = 0;
    /// Names `path device id` of those that gave a reason to be blamed.
    std::set<std::pair<std::string, std::uint32_t>> misbehaved;
    std::function<void(const Delivery&)> on_delivery;
    /// Bytes of a body have arrived.
    std::function<void(const Node&, std::size_t)> on_body;
    /// A session begins: to whom, partition, X-Backend-Ssync-Node-Index. Says whether it is a
    /// revert's.
    std::function<bool(const Node&, const std::string&, int, Moment began)> on_session;
    /// A revert's session ended well: with whom, partition.
    std::function<void(const Node&, const std::string&)> on_reverted;
    /// Something that must never be seen on a wire.
    std::function<void(const std::string&)> on_violation;
    std::uint64_t gets = 0;
    std::uint64_t faults = 0;

  private:
    friend class HttpEnd;
    Network::Answer accept(const transport::http::Peer& address, const LinkPtr& link);

    Network& network_;
    Truth& truth_;
    std::map<std::string, std::unique_ptr<Peer>> peers_;  ///< By `ip port`.
};

std::vector<const Held*> held_in(const std::map<std::string, Held>& objects,
                                 const std::string& partition);

/// The hashes of a partition as a node that holds these has them. A pure fact about the newest
/// times of each index.
swift::PartitionHashes hashes_of(const std::vector<const Held*>& all);

/// What a node has after `held` came to it: nothing newer gives way.
void store(std::map<std::string, Held>& objects, const Held& held);

/// What a damaged disk gives for a fragment.
std::string damaged(std::string bytes, Damage damage, std::uint64_t seed);

}  // namespace fragmend::sim
