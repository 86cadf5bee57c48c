// A device played by the CPU emulation, which fails on demand.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "host/base/clock.hpp"
#include "kernels/api/cpu_engine.hpp"

namespace fragmend::codec {

/// What becomes of one batch.
enum class Fault : std::uint8_t {
    none,
    busy,          ///< No slot.
    too_large,     ///< Refused as a whole.
    submit_error,  ///< A call fails, the device lives.
    submit_lost,   ///< The context dies when the batch starts.
    wait_error,    ///< Computed, but a copy back fails.
    wait_lost,     ///< The context dies while it computes.
    hang,          ///< Never ends.
    wrong,         ///< A compute fault that the check finds: wrong bytes in some outputs.
};
inline constexpr int faults = 9;

/// Asks `next` for each batch; outputs of batches that fail are full of garbage, as far as the
/// contract lets them be. After a lost context every call says so again.
class FaultyEngine : public kernels::Engine {
  public:
    FaultyEngine(const kernels::Limits& limits, std::function<Fault()> next)
        : inner_(limits), next_(std::move(next)) {}

    const char* name() const override { return "an engine that fails"; }
    const kernels::Limits& limits() const override { return inner_.limits(); }

    kernels::Status submit(std::span<kernels::Item> items, kernels::Memory memory,
                           kernels::Ticket& ticket) override {
        using kernels::StatusCode;
        if (lost_) return {StatusCode::device_lost, 0, "lost before"};
        const Fault fault = next_();
        switch (fault) {
            case Fault::busy:
                return {StatusCode::busy, 0, "as told"};
            case Fault::too_large:
                return {StatusCode::too_large, 0, "as told"};
            case Fault::submit_error:
                return {StatusCode::device_error, 0, "as told"};
            case Fault::submit_lost:
                lost_ = true;
                return {StatusCode::device_lost, 0, "as told"};
            default:
                break;
        }
        const std::lock_guard lock(mutex_);
        const kernels::Status status = inner_.submit(items, memory, ticket);
        if (!status.ok()) return status;
        if (fault == Fault::wait_error || fault == Fault::wait_lost || fault == Fault::hang) {
            for (kernels::Item& item : items)
                spoil(item);
            pending_.insert({ticket.slot, ticket.generation, fault});
        } else if (fault == Fault::wrong) {
            for (std::size_t i = 0; i < items.size(); i += 3) {
                if (items[i].outputs.empty()) continue;
                spoil(items[i]);
                items[i].wrong = true;
            }
        }
        return {};
    }

    kernels::Status wait(kernels::Ticket ticket, std::uint32_t limit_ms) override {
        using kernels::StatusCode;
        const std::lock_guard lock(mutex_);
        for (auto it = pending_.begin(); it != pending_.end(); ++it) {
            if (it->slot != ticket.slot || it->generation != ticket.generation) continue;
            // The slot of a batch that hangs stays taken.
            if (it->fault == Fault::hang) return {StatusCode::timed_out, 0, "as told"};
            const bool dies = it->fault == Fault::wait_lost;
            pending_.erase(it);
            (void)inner_.wait(ticket, limit_ms);
            if (dies) lost_ = true;
            return {dies ? StatusCode::device_lost : StatusCode::device_error, 0, "as told"};
        }
        if (lost_) return {StatusCode::device_lost, 0, "lost before"};
        return inner_.wait(ticket, limit_ms);
    }

    std::uint8_t* allocate_pinned(std::size_t bytes) override {
        return inner_.allocate_pinned(bytes);
    }
    void free_pinned(std::uint8_t* memory) override { inner_.free_pinned(memory); }

  private:
    struct Pending {
        std::uint32_t slot;
        std::uint32_t generation;
        Fault fault;
        auto operator<=>(const Pending&) const = default;
    };
    static void spoil(kernels::Item& item) {
        for (std::uint8_t* output : item.outputs) {
            std::fill_n(output, item.bytes, std::uint8_t{0xee});
        }
    }

    kernels::CpuEngine inner_;
    std::function<Fault()> next_;
    std::atomic<bool> lost_ = false;
    std::mutex mutex_;
    std::set<Pending> pending_;
};

/// Time that stands until somebody moves it.
class HandClock final : public Clock {
  public:
    Timestamp now() const override { return {}; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(ms_.load()));
    }
    void advance(std::chrono::milliseconds by) { ms_ += by.count(); }

  private:
    std::atomic<std::int64_t> ms_ = 0;
};

}  // namespace fragmend::codec
