// Attempts, culprits, and the two ends of the window.
#include "scheduler/rebuild.hpp"

#include <algorithm>

namespace fragmend::scheduler {

/// Marks that the consumer is in one of our coroutines.
class ObjectRebuild::Inside {
  public:
    explicit Inside(bool& inside) : inside_(inside) {
        FRAGMEND_ASSERT(!inside_);
        inside_ = true;
    }
    ~Inside() { inside_ = false; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    bool& inside_;
};

ObjectRebuild::ObjectRebuild(RebuildPorts ports, RebuildLimits limits, RebuildRequest request,
                             std::vector<std::uint32_t> left_out)
    : state_(std::move(ports), limits, std::move(request), std::move(left_out)),
      producer_(state_.ports.executor) {}

void ObjectRebuild::start() {
    FRAGMEND_ASSERT(!std::exchange(started_, true));
    ++state_.ports.stats.objects_started;
    producer_.spawn(produce(), hurry_.slot());
}

Awaitable<Result<void>> ObjectRebuild::ready() {
    const Inside inside(inside_);
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_of_session);
    for (;;) {
        if (auto error = ended_with_error()) co_return *error;
        if (state_.window.can_release() || state_.window.drained()) co_return Result<void>();
        co_await state_.produced.wait();
    }
}

void ObjectRebuild::count_sending() {
    if (!handed_out_) return;
    state_.ports.stats.wait_for_target += state_.ports.clock.steady() - *handed_out_;
    handed_out_.reset();
}

Awaitable<Result<ByteView>> ObjectRebuild::next() {
    const Inside inside(inside_);
    count_sending();
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_of_session);
    state_.window.return_released();
    state_.consumed.notify();
    for (;;) {
        if (auto error = ended_with_error()) co_return *error;
        if (state_.window.can_release()) {
            const ByteView piece = state_.window.release();
            state_.ports.stats.released_bytes += piece.size();
            handed_out_ = state_.ports.clock.steady();
            co_return piece;
        }
        if (state_.window.drained()) {
            handed_out_ = state_.ports.clock.steady();
            release_memory();
            co_return ByteView();
        }
        co_await state_.produced.wait();
    }
}

std::optional<Error> ObjectRebuild::ended_with_error() const {
    if (state_.stopping) return Error{errc::cancelled, "stopped"};
    return outcome_.error;
}

void ObjectRebuild::cancel() {
    if (state_.stopping) return;
    state_.stopping = true;
    if (attempt_ != nullptr) attempt_->hurry();
    if (began_) hurry_.emit(asio::cancellation_type::terminal);
    state_.consumed.notify();
    state_.produced.notify();
}

Awaitable<void> ObjectRebuild::stop() {
    count_sending();
    cancel();
    co_await producer_.join();
    FRAGMEND_ASSERT(!inside_);
    release_memory();
}

void ObjectRebuild::release_memory() {
    state_.inputs.release();
    state_.window.release_memory();
    state_.outside.shrink_to(0);
    share_.release();
}

Awaitable<void> ObjectRebuild::produce() {
    began_ = true;
    const Result<void> result = co_await rebuild();
    settle(result);
    state_.produced.notify();
}

void ObjectRebuild::settle(const Result<void>& result) {
    RebuildStats& stats = state_.ports.stats;
    state_.inputs.release();
    if (result.has_value()) {
        ++stats.objects_verified;
        outcome_.verified = true;
        state_.window.set_verified();
    } else {
        ++(result.error() == errc::cancelled ? stats.objects_cancelled : stats.objects_failed);
        outcome_.error = result.error();
        // The session may still be sending the piece that it got last.
        if (!state_.window.lent()) return release_memory();
    }
    // The survivors are gone; a verified object waits for its session with its outputs.
    state_.outside.shrink_to(state_.limits.object_bytes);
    if (state_.shape) {
        share_.shrink_to(BufferPool::capacity_for(state_.shape->output_bytes()) +
                         state_.outside.bytes());
    }
}

Awaitable<Result<void>> ObjectRebuild::rebuild() {
    if (state_.stopping) co_return Error{errc::cancelled, "stopped"};
    const RebuildRequest& request = state_.request;
    if (request.archive_bytes == 0) co_return Result<void>();
    if (request.archive_bytes <= fragment_header_bytes ||
        request.fragment_bytes <= fragment_header_bytes) {
        co_return Error{errc::bad_metadata,
                        subject() + " cannot be rebuilt: an archive of " +
                            std::to_string(request.archive_bytes) + " bytes in pieces of " +
                            std::to_string(request.fragment_bytes) + " is too short for a header"};
    }
    Result<void> taken = co_await take_share();
    if (taken.has_error()) co_return taken;
    co_return co_await try_survivors();
}

Awaitable<Result<void>> ObjectRebuild::take_share() {
    MemoryBudget& budget = state_.ports.budget;
    const auto shape =
        fit_shape(state_.request.scheme, state_.request.archive_bytes,
                  state_.request.fragment_bytes, state_.limits, budget.capacity_bytes());
    if (shape.has_error()) co_return shape.error();
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_for_budget);
    const RebuildCharge charge = charge_of(shape.value(), state_.limits, budget.capacity_bytes());
    auto share = co_await budget.acquire(charge.bytes());
    if (share.has_error()) co_return share.error();
    share_ = std::move(share.value());
    state_.share_bytes = charge.slab_bytes;
    state_.outside = state_.ports.buffers.claim(charge.outside_bytes);
    state_.request.receive_whole = charge.receives_whole;
    co_return Result<void>();
}

Awaitable<Result<void>> ObjectRebuild::try_survivors() {
    while (!state_.stopping) {
        ++outcome_.attempts;
        ++state_.ports.stats.attempts;
        RebuildAttempt attempt(state_);
        attempt_ = &attempt;
        const RebuildAttempt::End end = co_await attempt.run();
        attempt_ = nullptr;
        const bool last = outcome_.attempts >= state_.limits.attempts_max;
        const bool again = end == RebuildAttempt::End::again && !last;
        for (const Culprit& culprit : attempt.culprits())
            leave_out(culprit, again);
        switch (end) {
            case RebuildAttempt::End::verified:
                co_return Result<void>();
            case RebuildAttempt::End::failed:
                co_return attempt.error();
            case RebuildAttempt::End::larger_piece:
                outcome_.piece_bytes_needed = attempt.larger_piece_bytes();
                co_return attempt.error();
            case RebuildAttempt::End::compute_fault:
                if (note_compute_fault(attempt.error(), last)) co_return attempt.error();
                break;
            case RebuildAttempt::End::again:
                if (last) co_return exhausted(attempt.culprits().back());
                break;
            case RebuildAttempt::End::stale:
                state_.ports.log.info(
                    "Survivors of " + subject() + " hung up while the session was busy (" +
                    to_string(attempt.error()) + ")" +
                    (last ? "; giving up for this session" : "; opening them again"));
                if (last) co_return attempt.error();
                break;
        }
    }
    co_return Error{errc::cancelled, "stopped"};
}

bool ObjectRebuild::note_compute_fault(const Error& error, bool last) {
    const bool give_up = ++compute_faults_ > 1 || last;
    ++state_.ports.stats.compute_faults;
    state_.ports.log.error("Verification of the rebuilt bytes failed for " + subject() + ": " +
                           error.detail +
                           (give_up ? "; giving up for this session" : "; computing once more"));
    return give_up;
}

Error ObjectRebuild::exhausted(const Culprit& last) const {
    return {errc::limit, subject() + " failed with " + std::to_string(outcome_.attempts) +
                             " sets of survivors, the last one because of " + last.name + ": " +
                             to_string(last.error)};
}

void ObjectRebuild::leave_out(const Culprit& culprit, bool again) {
    ++state_.ports.stats.survivors_left_out;
    outcome_.culprits.push_back(culprit);
    state_.left_out.push_back(culprit.device_id);
    state_.ports.log.warning(
        "Survivor frag#" + std::to_string(culprit.frag_index) + " at " + culprit.name +
        " left out while rebuilding " + subject() + " with timestamp " +
        state_.request.data_timestamp.internal() + ": " + to_string(culprit.error) +
        (again ? "; trying again with other survivors" : "; giving up for this session"));
}

std::string ObjectRebuild::subject() const {
    return state_.request.object_path + " policy#" + std::to_string(state_.request.policy_index) +
           " frag#" + std::to_string(state_.request.wanted);
}

}  // namespace fragmend::scheduler
