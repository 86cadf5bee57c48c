// The few tools that coroutines of the project share: offload, semaphore, task group.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "host/base/error.hpp"

namespace fragmend {

namespace asio = boost::asio;

template <typename T>
using Awaitable = asio::awaitable<T>;

/// Runs `work()` on `pool` and resumes the caller on its own executor with what it returned.
/// `work` blocks a pool thread, never a network thread. It must not throw. Give it a name first and
/// move it in: g++ 12 destroys a temporary closure of a co_await expression twice.
template <typename Work>
Awaitable<std::invoke_result_t<Work&>> offload(asio::any_io_executor pool, Work work) {
    using Value = std::invoke_result_t<Work&>;
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Value)>(
        [](auto handler, asio::any_io_executor on, Work task) {
            auto back = asio::get_associated_executor(handler);
            auto guard = asio::make_work_guard(back);
            asio::post(on, [handler = std::move(handler), task = std::move(task),
                            guard = std::move(guard)]() mutable {
                Value value = task();
                auto executor = guard.get_executor();
                asio::post(executor,
                           [handler = std::move(handler), value = std::move(value),
                            guard = std::move(guard)]() mutable { handler(std::move(value)); });
            });
        },
        asio::use_awaitable, std::move(pool), std::move(work));
}

/// A FIFO counting semaphore for coroutines of one executor (one network thread).
/// Waiters are served strictly in order, so a large request is never starved by small ones.
/// Lifetime: outlives every permit. `close()` wakes all waiters with `cancelled`.
class Semaphore {
  public:
    Semaphore(asio::any_io_executor executor, std::size_t units)
        : executor_(std::move(executor)), capacity_(units), free_(units) {}
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    /// Returned units go back when it is destroyed or released.
    class Permit {
      public:
        Permit() = default;
        Permit(Permit&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)),
              units_(std::exchange(other.units_, 0)) {}
        Permit& operator=(Permit&& other) noexcept {
            if (this != &other) {
                release();
                owner_ = std::exchange(other.owner_, nullptr);
                units_ = std::exchange(other.units_, 0);
            }
            return *this;
        }
        ~Permit() { release(); }
        void release() { shrink_to(0); }
        /// Gives back all but `units`.
        void shrink_to(std::size_t units);
        std::size_t units() const { return units_; }

      private:
        friend class Semaphore;
        Permit(Semaphore* owner, std::size_t units) : owner_(owner), units_(units) {}
        Semaphore* owner_ = nullptr;
        std::size_t units_ = 0;
    };

    /// Ends one coroutine's waits, now and later, from outside of it.
    class Cancel {
      public:
        void now() {
            called_ = true;
            if (wake_ != nullptr) wake_->cancel();
        }

      private:
        friend class Semaphore;
        bool called_ = false;
        asio::steady_timer* wake_ = nullptr;  ///< Of the wait that is under way.
    };

    /// Waits for `units`; more than the capacity is lent as the whole capacity, so that one
    /// oversized holder runs alone instead of waiting for ever. Errors: cancelled.
    Awaitable<Result<Permit>> acquire(std::size_t units);
    /// The same until `cancel` is called. One wait at a time uses it.
    Awaitable<Result<Permit>> acquire(std::size_t units, Cancel& cancel);
    /// The same until `give_up`. Errors: also timeout.
    Awaitable<Result<Permit>> acquire(std::size_t units,
                                      std::chrono::steady_clock::time_point give_up);
    /// Takes `units` at once or says no; never overtakes a waiter.
    bool try_acquire(std::size_t units, Permit& permit);
    void close();

    std::size_t capacity() const { return capacity_; }
    std::size_t in_use() const { return capacity_ - free_; }
    bool has_waiters() const { return !waiters_.empty(); }

  private:
    struct Waiter {
        Waiter(const asio::any_io_executor& executor, asio::steady_timer::time_point give_up)
            : wake(executor, give_up) {}
        std::size_t units = 0;
        bool granted = false;
        asio::steady_timer wake;
    };
    void give_back(std::size_t units);
    Awaitable<Result<Permit>> wait(std::size_t units, std::chrono::steady_clock::time_point give_up,
                                   Cancel* cancel);

    asio::any_io_executor executor_;
    std::size_t capacity_;
    std::size_t free_;
    bool closed_ = false;
    std::deque<Waiter*> waiters_;
};

/// Children of one parent coroutine on one executor: `spawn` starts, `join` waits for all.
/// Whoever owns the group closes what the children wait on, then joins; a group that is destroyed
/// with children still running is a defect and ends the process.
class TaskGroup {
  public:
    explicit TaskGroup(asio::any_io_executor executor)
        : executor_(std::move(executor)), idle_(executor_, asio::steady_timer::time_point::max()) {}
    ~TaskGroup() { FRAGMEND_ASSERT(running_ == 0); }
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Exceptions of a child end the process: errors travel as values here.
    void spawn(Awaitable<void> child);
    /// The same for a child that can be hurried: emitting `terminal` on the slot's signal ends what
    /// the child waits for right now. Nothing is thrown into the child; it looks at its owner's
    /// flag. Call on the group's executor: the child must have begun before the signal is emitted.
    void spawn(Awaitable<void> child, asio::cancellation_slot slot);
    Awaitable<void> join();
    std::size_t running() const { return running_; }

  private:
    struct Finish;
    void finished(std::exception_ptr failure);

    asio::any_io_executor executor_;
    asio::steady_timer idle_;
    std::size_t running_ = 0;
};

/// Lets one coroutine wait until another one says that something changed (same executor).
class Signal {
  public:
    explicit Signal(const asio::any_io_executor& executor)
        : timer_(executor, asio::steady_timer::time_point::max()) {}
    /// Wakes everybody who waits now.
    void notify() { timer_.cancel(); }
    Awaitable<void> wait();

  private:
    asio::steady_timer timer_;
};

}  // namespace fragmend
