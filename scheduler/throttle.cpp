// Places in line, and waiting for them.
#include "scheduler/throttle.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <limits>
#include <utility>

namespace fragmend::scheduler {

std::uint64_t ahead_bytes_max(const ByteRates& read, std::size_t survivors, std::size_t sessions) {
    std::uint64_t rate = std::numeric_limits<std::uint64_t>::max();
    if (read.total > 0) rate = read.total;
    for (const std::uint64_t each : {read.per_node, read.per_device}) {
        if (each > 0) rate = std::min(rate, each * survivors);
    }
    return rate == std::numeric_limits<std::uint64_t>::max() ? rate : rate / sessions;
}

Throttle::Throttle(asio::any_io_executor executor, const Clock& clock, RebuildStats& stats,
                   ThrottleSettings settings)
    : executor_(std::move(executor)),
      clock_(clock),
      stats_(stats),
      reading_(clock.steady()),
      sending_(clock.steady()),
      courtesy_(settings.profile) {
    change(settings);
}

void Throttle::change(const ThrottleSettings& settings) {
    settings_ = settings;
    set(reading_, settings.read);
    set(sending_, settings.send);
    courtesy_.set_profile(settings.profile);
    serve(reading_);
    serve(sending_);
    wake();
}

void Throttle::set(Direction& direction, const ByteRates& rates) {
    const Moment now = clock_.steady();
    direction.rates = rates;
    direction.total.set_rate(rates.total, now);
    for (auto& [name, bucket] : direction.nodes)
        bucket.set_rate(rates.per_node, now);
    for (auto& [name, bucket] : direction.devices)
        bucket.set_rate(rates.per_device, now);
}

void Throttle::wake() {
    for (asio::steady_timer* timer : waiting_)
        timer->cancel();
}

Awaitable<Result<void>> Throttle::read(Endpoint from, std::size_t bytes, const bool& stop) {
    co_return co_await move(reading_, std::move(from), bytes, stop);
}

Awaitable<Result<void>> Throttle::send(Endpoint to, std::size_t bytes, const bool& stop) {
    co_return co_await move(sending_, std::move(to), bytes, stop);
}

Awaitable<Result<void>> Throttle::move(Direction& direction, Endpoint place, std::size_t bytes,
                                       const bool& stop) {
    const Moment began = clock_.steady();
    const ByteRates& rates = direction.rates;
    TokenBucket& node =
        direction.nodes.try_emplace(place.node, rates.per_node, began).first->second;
    TokenBucket& device =
        direction.devices.try_emplace(place.device, rates.per_device, began).first->second;
    Mover mover{
        bytes, {&direction.total, &node, &device}, asio::steady_timer(executor_, Moment::max())};
    const auto known = direction.line.insert(direction.line.end(), &mover);
    serve(direction);
    const WaitTimer timer(clock_, stats_.wait_for_throttle);
    while (!mover.goes) {
        const bool goes_on = co_await wait(mover.timer, stop);
        if (!goes_on) {
            if (mover.goes) {
                for (TokenBucket* bucket : mover.buckets)
                    bucket->give_back(bytes, clock_.steady());
            } else {
                direction.line.erase(known);
            }
            serve(direction);
            co_return Error{errc::cancelled, "stopped"};
        }
        if (mover.goes || mover.timer.expiry() > clock_.steady()) continue;
        mover.timer.expires_at(Moment::max());
        serve(direction);
    }
    co_return Result<void>();
}

void Throttle::serve(Direction& direction) {
    const Moment now = clock_.steady();
    auto& line = direction.line;
    Mover* next = nullptr;
    Moment wake_at = Moment::max();
    for (auto at = line.begin(); at != line.end();) {
        Mover& mover = **at;
        Moment free_at = now;
        for (const TokenBucket* bucket : mover.buckets)
            free_at = std::max(free_at, bucket->free_at(now));
        if (free_at > now) {
            if (free_at < wake_at) {
                next = &mover;
                wake_at = free_at;
            }
            // Nobody goes before the total lets him.
            if (direction.total.free_at(now) > now) {
                next = line.front();
                wake_at = direction.total.free_at(now);
                break;
            }
            ++at;
            continue;
        }
        for (TokenBucket* bucket : mover.buckets)
            bucket->take(mover.bytes, now);
        mover.goes = true;
        mover.timer.cancel();
        at = line.erase(at);
    }
    // One is enough: he serves all of them.
    if (next != nullptr && next->timer.expiry() != wake_at) next->timer.expires_at(wake_at);
}

Awaitable<Result<void>> Throttle::rest(std::chrono::nanoseconds worked, const bool& stop) {
    const WaitTimer timer(clock_, stats_.wait_for_throttle);
    const Moment began = clock_.steady();
    for (;;) {
        courtesy_.look(clock_.steady());
        const Moment until = began + courtesy_.rest_after(worked);
        if (until <= clock_.steady()) co_return Result<void>();
        asio::steady_timer until_then(executor_, until);
        const bool goes_on = co_await wait(until_then, stop);
        if (!goes_on) co_return Error{errc::cancelled, "stopped"};
    }
}

Awaitable<bool> Throttle::wait(asio::steady_timer& timer, const bool& stop) {
    // A wish to stop that came while the caller waited for something else is not said again.
    const auto before = co_await asio::this_coro::cancellation_state;
    if (stop || before.cancelled() != asio::cancellation_type::none) co_return false;
    const auto known = waiting_.insert(waiting_.end(), &timer);
    boost::system::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    waiting_.erase(known);
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return !stop && state.cancelled() == asio::cancellation_type::none;
}

}  // namespace fragmend::scheduler
