// How much we hold back so that clients of the same peers are served: a decision over latencies.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fragmend::scheduler {

/// fragmend_profile. `urgent` never gives way; `balanced` gives way when answers take three times
/// as long as they did at their best, down to a quarter of its pace; `polite` at one and a half
/// times, down to a twentieth.
enum class Profile : std::uint8_t { polite, balanced, urgent };

std::string_view to_string(Profile profile);

/// Watches how long peers take to answer, each against its own best, and derives a pace: the part
/// of the time in which we work. It falls by a factor every `step` while answers are slow, and
/// rises by steps once they are not, or once nobody has been asked for `silence`. An answer that
/// stays away is slow, too. Sans-I/O.
class Courtesy {
  public:
    using Moment = std::chrono::steady_clock::time_point;
    using Nanoseconds = std::chrono::nanoseconds;
    static constexpr std::chrono::milliseconds step{250};
    /// Answers below this are fast whatever the best was.
    static constexpr std::chrono::milliseconds fast{4};
    /// Who has not heard an answer for so long knows nothing, and gives way to nobody.
    static constexpr std::chrono::seconds silence{5};
    /// A best that is never met again counts for twice as much after this: a peer that is slow for
    /// longer than that is a slow peer.
    static constexpr std::chrono::minutes memory{10};
    /// Who is asked all the time and answers nothing for so long serves no clients either.
    static constexpr std::chrono::seconds gone{180};
    /// No single rest is longer.
    static constexpr std::chrono::milliseconds rest_max{1500};

    explicit Courtesy(Profile profile) : profile_(profile) {}

    void set_profile(Profile profile);
    Profile profile() const { return profile_; }
    /// A request is out; until it has ended, that nobody answers is no sign that nobody is asked.
    void asked() { ++open_; }
    void ended() { --open_; }
    /// A peer took `latency` for an answer.
    void answered(const std::string& peer, Nanoseconds latency, Moment now);
    /// A peer has not answered for `at_least`. That counts where it is slow already, and changes
    /// no best: how long the answer would have taken, nobody knows. Whoever was asked and has not
    /// answered anything for `gone` is nobody's reason to give way until it does.
    void no_answer(const std::string& peer, Nanoseconds at_least, Moment now);
    /// Time passes without an answer.
    void look(Moment now);
    /// In (0, 1].
    double pace() const { return pace_; }
    /// How long to rest after `worked`, so that the work makes up `pace` of the time.
    Nanoseconds rest_after(Nanoseconds worked) const;

  private:
    struct Peer {
        double best_ns;
        Moment known_at;
        /// When it was asked what it did not answer, if it has answered nothing since.
        std::optional<Moment> silent_since{};
        Moment silent_at{};  ///< When that was seen last.
    };
    /// Of `peer`, as it counts now.
    static double best_of(const Peer& peer, Moment now);
    void count(double slowness, Moment now);
    void adjust(double slowness, Moment now);
    void forget();

    Profile profile_;
    std::unordered_map<std::string, Peer>
        peers_;                ///< Two a node of the ring: for GETs, for sessions.
    double slowness_sum_ = 0;  ///< Of latency over best, since `adjusted_`.
    std::size_t answers_ = 0;
    std::size_t open_ = 0;  ///< Requests that are out.
    double pace_ = 1;
    Moment adjusted_{};
    Moment heard_{};
};

}  // namespace fragmend::scheduler
