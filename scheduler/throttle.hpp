// How fast we may read and send, for the whole process, each node and each device; may change any
// time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "host/base/async.hpp"
#include "host/base/clock.hpp"
#include "scheduler/courtesy.hpp"
#include "scheduler/stats.hpp"
#include "scheduler/token_bucket.hpp"

namespace fragmend::scheduler {

/// Bytes per second, 0 for no limit.
struct ByteRates {
    std::uint64_t total = 0;       ///< All that this process reads, or sends.
    std::uint64_t per_node = 0;    ///< From, or to, each node.
    std::uint64_t per_device = 0;  ///< From, or to, each device.
    bool operator==(const ByteRates&) const = default;
};

struct ThrottleSettings {
    ByteRates read;  ///< Survivors that other nodes send.
    ByteRates send;  ///< Rebuilt bodies.
    Profile profile = Profile::urgent;
    bool operator==(const ThrottleSettings&) const = default;
};

/// Survivor bytes that a session may have on order ahead of the object that it sends: a second's
/// worth of what `read` lets `survivors` peers send, shared by `sessions`. Whoever is further
/// behind in the line would keep peers waiting with open streams for longer than they bear.
std::uint64_t ahead_bytes_max(const ByteRates& read, std::size_t survivors, std::size_t sessions);

/// Where bytes come from or go to: `ip`, whatever ports its servers have, and `ip:port/device`.
struct Endpoint {
    std::string node;
    std::string device;
};

/// Makes those who move bytes wait, each until all of its limits let it go at the same moment: what
/// waits for one of them takes nothing of the others. Whoever asked first goes first among those
/// who may. `change` holds at once for everybody, those who wait included; a wait ends when its
/// coroutine is hurried, or at `wake` when its `stop` is set. Owned by host/app, outlives every
/// job; network thread only.
class Throttle {
  public:
    /// `clock` and `stats` outlive it.
    Throttle(asio::any_io_executor executor, const Clock& clock, RebuildStats& stats,
             ThrottleSettings settings);
    Throttle(const Throttle&) = delete;
    Throttle& operator=(const Throttle&) = delete;

    void change(const ThrottleSettings& settings);
    const ThrottleSettings& settings() const { return settings_; }

    /// Whether a wait may be needed at all; without it the two below cost a coroutine for nothing.
    bool limits_reading() const { return settings_.read != ByteRates(); }
    bool limits_sending() const { return settings_.send != ByteRates(); }
    /// Returns when `bytes` may move. Errors: cancelled (hurried, or `stop` was set).
    Awaitable<Result<void>> read(Endpoint from, std::size_t bytes, const bool& stop);
    Awaitable<Result<void>> send(Endpoint to, std::size_t bytes, const bool& stop);

    /// What Courtesy hears of requests and answers.
    void asked() { courtesy_.asked(); }
    void ended() { courtesy_.ended(); }
    void answered(const std::string& node, std::chrono::nanoseconds latency) {
        courtesy_.answered(node, latency, clock_.steady());
    }
    void no_answer(const std::string& node, std::chrono::nanoseconds at_least) {
        courtesy_.no_answer(node, at_least, clock_.steady());
    }
    double pace() const { return courtesy_.pace(); }
    /// Rests as the profile wants it after `worked`. Errors: as above.
    Awaitable<Result<void>> rest(std::chrono::nanoseconds worked, const bool& stop);
    /// Makes everybody who waits look at what he waits for.
    void wake();

  private:
    using Moment = std::chrono::steady_clock::time_point;
    /// One who waits in line, in the frame of `move`.
    struct Mover {
        std::size_t bytes;
        std::array<TokenBucket*, 3> buckets;
        asio::steady_timer timer;  ///< Set for the one that is woken next.
        bool goes = false;         ///< Its bytes are taken, and it has left the line.
    };
    /// One of reading and sending.
    struct Direction {
        explicit Direction(Moment now) : total(0, now) {}
        ByteRates rates;
        TokenBucket total;
        std::map<std::string, TokenBucket> nodes;    ///< As many as the ring has.
        std::map<std::string, TokenBucket> devices;  ///< As many as the ring has.
        std::list<Mover*> line;                      ///< In the order of asking.
    };
    void set(Direction& direction, const ByteRates& rates);
    Awaitable<Result<void>> move(Direction& direction, Endpoint place, std::size_t bytes,
                                 const bool& stop);
    /// Lets everybody go who may, and sets the timer of somebody for when the next one may.
    void serve(Direction& direction);
    /// Waits for `timer`, `wake`, or a wish to stop. False: stop.
    Awaitable<bool> wait(asio::steady_timer& timer, const bool& stop);

    asio::any_io_executor executor_;
    const Clock& clock_;
    RebuildStats& stats_;
    ThrottleSettings settings_;
    Direction reading_, sending_;
    Courtesy courtesy_;
    std::list<asio::steady_timer*> waiting_;  ///< In the order in which they came.
};

}  // namespace fragmend::scheduler
