// The receiving side of one SSYNC session at a peer, strict about everything that it is sent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/network.hpp"
#include "tests/sim/peers.hpp"
#include "transport/http/chunked.hpp"

namespace fragmend::sim {

/// Takes a session apart, commits sub-requests as they become whole (as Swift does: a session that
/// fails later does not take them back), and may misbehave at any step.
class Receiver {
  public:
    Receiver(Peers& peers, Network& network, Peer& peer, std::weak_ptr<Link> link,
             const std::string& head);

    void receive(std::string_view bytes);
    void client_closed();

  private:
    enum class State { head, missing, updates, ended };
    enum class Trouble {
        none,
        refused,
        late,
        silent,
        hang_up,
        error_line,
        lock_line,
        stall,
        lie,
        refuses_one  ///< Of the sub-requests; takes the others and says so at the end.
    };

    void begin();
    void take_lines();
    void take_line(const std::string& line);
    void answer_missing();
    void take_sub_request_head(const std::string& text);
    void commit();
    /// True when the session's trouble strikes now.
    bool strikes();
    void chunk(const std::string& text);
    LinkPtr link() const { return link_.lock(); }

    Peers& peers_;
    Network& network_;
    Peer& peer_;
    std::weak_ptr<Link> link_;  ///< Which owns us.
    std::string partition_;
    int node_index_ = -1;
    bool is_revert_ = false;

    Trouble trouble_ = Trouble::none;
    std::uint64_t strikes_at_ = 0;  ///< Bytes that come before the trouble.
    std::uint64_t received_ = 0;
    bool deaf_ = false;          ///< Ignores what comes.
    bool refuses_next_ = false;  ///< Body.
    bool has_refused_ = false;

    State state_ = State::head;
    transport::http::ChunkDecoder chunks_;
    std::string text_;  ///< Unchunked and not yet understood.
    struct Offered {
        std::string hash;
        Timestamp data;
        bool durable = true;
    };
    std::vector<Offered> offers_;
    std::optional<Delivery> put_;  ///< Whose body comes.
    std::size_t put_bytes_ = 0;
};

}  // namespace fragmend::sim
