// Semaphore, task group and signal over timers that never fire by themselves.
#include "host/base/async.hpp"

#include <boost/asio/redirect_error.hpp>

#include <algorithm>

namespace fragmend {
namespace {

Awaitable<void> sleep_until_cancelled(asio::steady_timer& timer) {
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Awaitable<void> without_throwing(Awaitable<void> child) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await std::move(child);
}

}  // namespace

void Semaphore::Permit::shrink_to(std::size_t units) {
    if (owner_ == nullptr || units >= units_) return;
    Semaphore* owner = owner_;
    const std::size_t returned = units_ - units;
    units_ = units;
    if (units == 0) owner_ = nullptr;
    owner->give_back(returned);
}

bool Semaphore::try_acquire(std::size_t units, Permit& permit) {
    units = std::min(units, capacity_);
    if (closed_ || !waiters_.empty() || units > free_) return false;
    free_ -= units;
    permit = Permit(this, units);
    return true;
}

Awaitable<Result<Semaphore::Permit>> Semaphore::acquire(std::size_t units) {
    return wait(units, asio::steady_timer::time_point::max(), nullptr);
}

Awaitable<Result<Semaphore::Permit>> Semaphore::acquire(std::size_t units, Cancel& cancel) {
    return wait(units, asio::steady_timer::time_point::max(), &cancel);
}

Awaitable<Result<Semaphore::Permit>> Semaphore::acquire(
    std::size_t units, std::chrono::steady_clock::time_point give_up) {
    return wait(units, give_up, nullptr);
}

Awaitable<Result<Semaphore::Permit>> Semaphore::wait(std::size_t units,
                                                     std::chrono::steady_clock::time_point give_up,
                                                     Cancel* cancel) {
    units = std::min(units, capacity_);
    if (cancel != nullptr && cancel->called_) co_return Error{errc::cancelled, "stopped"};
    Permit permit;
    if (try_acquire(units, permit)) co_return std::move(permit);
    if (closed_) co_return Error{errc::cancelled, "closed"};
    Waiter waiter(executor_, give_up);
    waiter.units = units;
    waiters_.push_back(&waiter);
    if (cancel != nullptr) cancel->wake_ = &waiter.wake;
    co_await sleep_until_cancelled(waiter.wake);
    if (cancel != nullptr) cancel->wake_ = nullptr;
    if (!waiter.granted) {
        std::erase(waiters_, &waiter);
        give_back(0);  // Whoever stood behind a large waiter that left may fit now.
        if (!closed_ && std::chrono::steady_clock::now() >= give_up)
            co_return Error{errc::timeout, "not before the time was up"};
        co_return Error{errc::cancelled, "closed"};
    }
    co_return Permit(this, units);
}

void Semaphore::give_back(std::size_t units) {
    free_ += units;
    while (!waiters_.empty() && waiters_.front()->units <= free_) {
        Waiter* next = waiters_.front();
        waiters_.pop_front();
        free_ -= next->units;
        next->granted = true;
        next->wake.cancel();
    }
}

void Semaphore::close() {
    closed_ = true;
    for (Waiter* waiter : waiters_)
        waiter->wake.cancel();
}

void TaskGroup::spawn(Awaitable<void> child) {
    ++running_;
    asio::co_spawn(executor_, std::move(child),
                   [this](std::exception_ptr failure) { finished(failure); });
}

/// A handler with a slot and, on purpose, no executor of its own: bind_cancellation_slot has one,
/// and then Boost 1.81 may post the emission with a bare pointer to a signal that is gone by the
/// time.
struct TaskGroup::Finish {
    using cancellation_slot_type = asio::cancellation_slot;
    cancellation_slot_type get_cancellation_slot() const noexcept { return slot; }
    void operator()(std::exception_ptr failure) const { group->finished(failure); }

    TaskGroup* group;
    asio::cancellation_slot slot;
};

void TaskGroup::spawn(Awaitable<void> child, asio::cancellation_slot slot) {
    ++running_;
    asio::co_spawn(executor_, without_throwing(std::move(child)), Finish{this, slot});
}

void TaskGroup::finished(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
    if (--running_ == 0) idle_.cancel();
}

Awaitable<void> TaskGroup::join() {
    while (running_ > 0)
        co_await sleep_until_cancelled(idle_);
}

Awaitable<void> Signal::wait() {
    co_await sleep_until_cancelled(timer_);
}

}  // namespace fragmend
