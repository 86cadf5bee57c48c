// Lines of sessions.
#include "host/server/lock_lines.hpp"

#include <boost/asio/redirect_error.hpp>

namespace fragmend::server {

Awaitable<std::optional<LockLines::Turn>> LockLines::take(
    std::string path, unsigned turns_max, std::chrono::steady_clock::time_point give_up) {
    const auto line = lines_.try_emplace(std::move(path)).first;
    if (line->second.turns < turns_max) {
        ++line->second.turns;
        co_return Turn(this, line);
    }
    Waiter waiter{asio::steady_timer(executor_, give_up)};
    line->second.waiting.push_back(&waiter);
    boost::system::error_code ignored;
    co_await waiter.wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (waiter.granted) co_return Turn(this, line);
    std::erase(line->second.waiting, &waiter);
    co_return std::nullopt;
}

void LockLines::pass_on(Lines::iterator line) {
    auto& waiting = line->second.waiting;
    if (waiting.empty()) {
        if (--line->second.turns == 0) lines_.erase(line);
        return;
    }
    Waiter* next = waiting.front();
    waiting.pop_front();
    next->granted = true;
    next->wake.cancel();
}

}  // namespace fragmend::server
