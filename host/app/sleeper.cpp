// Sleeping on a timer that can be cancelled.
#include "host/app/sleeper.hpp"

#include <boost/asio/redirect_error.hpp>

#include "host/base/clock.hpp"

namespace fragmend::app {

Awaitable<void> Sleeper::sleep(std::chrono::duration<double> length) {
    asio::steady_timer timer(executor_, at_most_a_year(length));
    timers_.insert(&timer);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    timers_.erase(&timer);
}

}  // namespace fragmend::app
