// Whose turn it is at a lock that many sessions of this process want.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "host/base/async.hpp"

namespace fragmend::server {

/// First come, first served, for each lock file. A session keeps its turn for as long as it holds
/// the lock, so only those who may have it look at the file: however many wait, they cost nothing,
/// and the next one need not guess when it is free. Other processes take part through the file
/// alone. One a server, network thread only; outlives its turns.
class LockLines {
    struct Line;
    using Lines = std::map<std::string, Line, std::less<>>;

  public:
    class Turn {
      public:
        Turn(Turn&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), line_(other.line_) {}
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (owner_ != nullptr) owner_->pass_on(line_);
        }

      private:
        friend class LockLines;
        Turn(LockLines* owner, Lines::iterator line) : owner_(owner), line_(line) {}
        LockLines* owner_;
        Lines::iterator line_;
    };

    explicit LockLines(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    LockLines(const LockLines&) = delete;
    LockLines& operator=(const LockLines&) = delete;

    /// One of `turns_max` turns at the lock at `path`; nothing when `give_up` came first.
    Awaitable<std::optional<Turn>> take(std::string path, unsigned turns_max,
                                        std::chrono::steady_clock::time_point give_up);
    /// Locks that somebody has or waits for.
    std::size_t size() const { return lines_.size(); }

  private:
    struct Waiter {
        asio::steady_timer wake;
        bool granted = false;
    };
    struct Line {
        unsigned turns = 0;  ///< That are taken.
        std::deque<Waiter*> waiting;
    };
    void pass_on(Lines::iterator line);

    asio::any_io_executor executor_;
    Lines lines_;  ///< Only those where a turn is taken.
};

}  // namespace fragmend::server
