// Attempts, culprits, and the two ends of the window.
#include "scheduler/rebuild.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::scheduler {

/// Marks that an output's consumer is in one of our coroutines.
class ObjectRebuild::Inside {
  public:
    explicit Inside(RebuildOutput& output) : output_(output) {
        FRAGMEND_ASSERT(!output_.inside);
        output_.inside = true;
    }
    ~Inside() { output_.inside = false; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    RebuildOutput& output_;
};

ObjectRebuild::ObjectRebuild(RebuildPorts ports, RebuildLimits limits, RebuildRequest request,
                             std::vector<std::uint32_t> left_out)
    : state_(std::move(ports), limits, std::move(request), std::move(left_out)),
      producer_(state_.ports.executor) {}

ObjectRebuild::~ObjectRebuild() {
    for (const RebuildOutput& output : state_.outputs)
        FRAGMEND_ASSERT(!output.inside);
}

void ObjectRebuild::start() {
    FRAGMEND_ASSERT(!std::exchange(started_, true));
    ++state_.ports.stats.objects_started;
    if (state_.outputs.size() > 1) ++state_.ports.stats.objects_shared;
    producer_.spawn(produce(), hurry_.slot());
}

Awaitable<Result<void>> ObjectRebuild::ready(std::size_t output) {
    RebuildOutput& mine = state_.outputs[output];
    const Inside inside(mine);
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_of_session);
    for (;;) {
        if (auto error = ended_with_error(mine)) co_return *error;
        if (mine.window.can_release() || mine.window.drained()) co_return Result<void>();
        co_await mine.produced.wait();
    }
}

void ObjectRebuild::count_sending(RebuildOutput& output) {
    if (std::exchange(output.handed_out, false))
        state_.ports.stats.wait_for_target.end(state_.ports.clock.steady());
}

void ObjectRebuild::hand_out(RebuildOutput& output) {
    output.handed_out = true;
    state_.ports.stats.wait_for_target.begin(state_.ports.clock.steady());
}

Awaitable<Result<ByteView>> ObjectRebuild::next(std::size_t output) {
    RebuildOutput& mine = state_.outputs[output];
    const Inside inside(mine);
    count_sending(mine);
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_of_session);
    mine.window.return_released();
    state_.consumed.notify();
    for (;;) {
        if (auto error = ended_with_error(mine)) co_return *error;
        if (mine.window.can_release()) {
            const ByteView piece = mine.window.release();
            state_.ports.stats.released_bytes += piece.size();
            hand_out(mine);
            co_return piece;
        }
        if (mine.window.drained()) {
            hand_out(mine);
            release(mine);
            co_return ByteView();
        }
        co_await mine.produced.wait();
    }
}

std::optional<Error> ObjectRebuild::ended_with_error(const RebuildOutput& output) const {
    if (state_.stopping || output.left) return Error{errc::cancelled, "stopped"};
    return outcome_.error;
}

void ObjectRebuild::cancel() {
    if (state_.stopping) return;
    state_.stopping = true;
    if (attempt_ != nullptr) attempt_->hurry();
    if (began_) hurry_.emit(asio::cancellation_type::terminal);
    state_.consumed.notify();
    for (RebuildOutput& output : state_.outputs)
        output.produced.notify();
}

void ObjectRebuild::cancel(std::size_t output) {
    state_.outputs[output].left = true;
    state_.outputs[output].produced.notify();
}

Awaitable<void> ObjectRebuild::stop() {
    cancel();
    co_await producer_.join();
    for (RebuildOutput& output : state_.outputs) {
        count_sending(output);
        FRAGMEND_ASSERT(!output.inside);
    }
    release_memory();
}

Awaitable<void> ObjectRebuild::leave(std::size_t output) {
    FRAGMEND_ASSERT(outcome_.verified);
    count_sending(state_.outputs[output]);
    // Verified, the producer ends without waiting for anybody.
    co_await producer_.join();
    give_up(output);
}

void ObjectRebuild::give_up(std::size_t output) {
    RebuildOutput& mine = state_.outputs[output];
    FRAGMEND_ASSERT(outcome_.verified && !mine.inside);
    mine.left = true;
    release(mine);
}

std::vector<Culprit> ObjectRebuild::take_culprits() {
    const auto& all = outcome_.culprits;
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(culprits_taken_);
    culprits_taken_ = all.size();
    return {first, all.end()};
}

void ObjectRebuild::release_memory() {
    state_.inputs.release();
    for (RebuildOutput& output : state_.outputs)
        output.window.release_memory();
    state_.outside.shrink_to(0);
    share_.release();
}

void ObjectRebuild::release(RebuildOutput& output) {
    if (!output.window.has_memory()) return;
    output.window.release_memory();
    const std::size_t held = held_bytes();
    if (held == 0) return release_memory();
    share_.shrink_to(held + state_.outside.bytes());
}

std::size_t ObjectRebuild::held_bytes() const {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < state_.outputs.size(); ++i) {
        if (state_.outputs[i].window.has_memory())
            bytes += BufferPool::capacity_for(state_.shape->output_bytes(i));
    }
    return bytes;
}

Awaitable<void> ObjectRebuild::produce() {
    began_ = true;
    const Result<void> result = co_await rebuild();
    settle(result);
    for (RebuildOutput& output : state_.outputs)
        output.produced.notify();
}

void ObjectRebuild::settle(const Result<void>& result) {
    RebuildStats& stats = state_.ports.stats;
    state_.inputs.release();
    if (result.has_value()) {
        ++stats.objects_verified;
        outcome_.verified = true;
    } else {
        ++(result.error() == errc::cancelled ? stats.objects_cancelled : stats.objects_failed);
        outcome_.error = result.error();
    }
    // The survivors are gone; a verified object waits for its session with its outputs.
    state_.outside.shrink_to(state_.limits.object_bytes);
    if (!state_.shape) {
        for (RebuildOutput& output : state_.outputs) {
            if (outcome_.verified) output.window.set_verified();
        }
        return release_memory();
    }
    share_.shrink_to(held_bytes() + state_.outside.bytes());
    for (RebuildOutput& output : state_.outputs) {
        if (outcome_.verified) {
            output.window.set_verified();
        } else if (!output.window.lent()) {
            // Otherwise the session is still sending the piece that it got last.
            release(output);
        }
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
    const auto fit = [this, &budget] {
        return fit_shape(state_.request.scheme, state_.request.archive_bytes,
                         state_.request.fragment_bytes, state_.limits, budget.capacity_bytes(),
                         state_.outputs.size());
    };
    auto shape = fit();
    if (shape.has_error() && state_.outputs.size() > 1) {
        drop_others();
        shape = fit();
    }
    if (shape.has_error()) co_return shape.error();
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_for_budget);
    const RebuildCharge charge = charge_of(shape.value(), state_.limits, budget.capacity_bytes());
    auto share = co_await budget.acquire(charge.bytes());
    if (share.has_error()) co_return share.error();
    share_ = std::move(share.value());
    use_share(charge);
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
                if (!drops_others_after(attempt.error())) co_return attempt.error();
                --outcome_.attempts;
                drop_others();
                break;
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

bool ObjectRebuild::drops_others_after(const Error& error) const {
    return state_.outputs.size() > 1 &&
           (error == errc::too_few_fragments || error == errc::singular);
}

void ObjectRebuild::drop_others() {
    state_.request.also_wanted.clear();
    while (state_.outputs.size() > 1) {
        state_.outputs.back().window.release_memory();
        state_.outputs.pop_back();
    }
    if (!state_.shape) return;
    state_.shape->outputs = 1;
    // Where the slabs of all left little for what surrounds them, some of theirs goes there.
    const std::size_t bytes_max = state_.share_bytes + state_.outside.bytes();
    use_share(charge_of(*state_.shape, state_.limits, bytes_max));
}

void ObjectRebuild::use_share(const RebuildCharge& charge) {
    share_.shrink_to(charge.bytes());
    state_.share_bytes = charge.slab_bytes;
    state_.outside.shrink_to(0);
    state_.outside = state_.ports.buffers.claim(charge.outside_bytes);
    state_.request.receive_whole = charge.receives_whole;
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
    std::string text = state_.request.object_path + " policy#" +
                       std::to_string(state_.request.policy_index) + " frag#" +
                       std::to_string(state_.request.wanted);
    for (const std::uint8_t index : state_.request.also_wanted)
        text += ", frag#" + std::to_string(index);
    return text;
}

}  // namespace fragmend::scheduler
