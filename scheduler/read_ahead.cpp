// Starting ahead, draining in order, starting over.
#include "scheduler/read_ahead.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::scheduler {

ReadAhead::ReadAhead(RebuildPorts ports, RebuildLimits limits, std::size_t objects_max)
    : ports_(std::move(ports)), limits_(limits), objects_max_(objects_max) {
    FRAGMEND_ASSERT(objects_max > 0);
}

void ReadAhead::push(RebuildRequest request, std::vector<std::uint32_t> left_out) {
    FRAGMEND_ASSERT(has_room());
    Object& object = objects_.emplace_back();
    object.left_out = std::move(left_out);
    start(object, std::move(request));
}

void ReadAhead::push(std::shared_ptr<ObjectRebuild> verified, std::size_t output) {
    FRAGMEND_ASSERT(has_room() && verified->outcome().verified);
    objects_.push_back({std::move(verified), output, true, {}});
    if (cancelled_) cancel(objects_.back());
}

void ReadAhead::start(Object& object, RebuildRequest request) {
    if (!request.fragment_bytes_known) {
        request.fragment_bytes = std::max(request.fragment_bytes, piece_bytes_met_);
    }
    object.rebuild =
        std::make_shared<ObjectRebuild>(ports_, limits_, std::move(request), object.left_out);
    if (cancelled_ || object.given_up) object.rebuild->cancel();
    object.rebuild->start();
}

ObjectRebuild& ReadAhead::front() {
    FRAGMEND_ASSERT(!objects_.empty());
    return *objects_.front().rebuild;
}

Awaitable<Result<void>> ReadAhead::ready() {
    for (;;) {
        Result<void> result = co_await front().ready(objects_.front().output);
        Object& object = objects_.front();
        if (result.has_value() && object.enlarged) learn_from(object.rebuild->request());
        if (result.has_value() || cancelled_ || object.given_up) co_return result;
        const std::size_t needed = object.rebuild->outcome().piece_bytes_needed;
        if (needed == 0 || object.enlarged) co_return result;
        object.enlarged = true;
        co_await start_over(needed);
    }
}

Awaitable<void> ReadAhead::start_over(std::size_t piece_bytes) {
    starting_over_ = true;
    for (Object& object : objects_)
        cancel(object);
    for (Object& object : objects_)
        co_await end(object);
    starting_over_ = false;
    for (Object& object : objects_) {
        RebuildRequest request = object.rebuild->request();
        if (std::exchange(object.is_shared, false)) {
            request.wanted = request.wanted_of(object.output);
            request.also_wanted.clear();
            object.output = 0;
        }
        if (&object == &objects_.front()) {
            request.also_wanted.clear();
            request.fragment_bytes = piece_bytes;
        }
        start(object, std::move(request));
    }
}

void ReadAhead::learn_from(const RebuildRequest& request) {
    const std::size_t round = request.fragment_bytes * (survivors_max(request.scheme) + 1);
    if (round > ports_.budget.capacity_bytes() / objects_max_) return;
    piece_bytes_met_ = std::max(piece_bytes_met_, request.fragment_bytes);
}

Awaitable<Result<ByteView>> ReadAhead::next() {
    co_return co_await front().next(objects_.front().output);
}

std::uint64_t ReadAhead::bytes_released() const {
    FRAGMEND_ASSERT(!objects_.empty());
    return objects_.front().rebuild->bytes_released(objects_.front().output);
}

std::shared_ptr<ObjectRebuild> ReadAhead::share_front() {
    FRAGMEND_ASSERT(front().outcome().verified);
    objects_.front().is_shared = true;
    return objects_.front().rebuild;
}

Awaitable<void> ReadAhead::pop() {
    co_await end(objects_.front());
    objects_.pop_front();
}

Awaitable<void> ReadAhead::end(Object& object) {
    if (object.is_shared) co_return co_await object.rebuild->leave(object.output);
    co_await object.rebuild->stop();
}

void ReadAhead::cancel(Object& object) {
    object.is_shared ? object.rebuild->cancel(object.output) : object.rebuild->cancel();
}

void ReadAhead::cancel() {
    cancelled_ = true;
    for (Object& object : objects_)
        cancel(object);
}

void ReadAhead::cancel(const std::string& object_hash) {
    for (Object& object : objects_) {
        if (object.rebuild->request().object_hash != object_hash) continue;
        object.given_up = true;
        cancel(object);
    }
}

Awaitable<void> ReadAhead::stop() {
    cancel();
    while (!objects_.empty())
        co_await pop();
}

}  // namespace fragmend::scheduler
