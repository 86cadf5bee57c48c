// Starting ahead, draining in order, starting over.
#include "scheduler/read_ahead.hpp"

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

void ReadAhead::start(Object& object, RebuildRequest request) {
    object.rebuild =
        std::make_unique<ObjectRebuild>(ports_, limits_, std::move(request), object.left_out);
    if (cancelled_) object.rebuild->cancel();
    object.rebuild->start();
}

ObjectRebuild& ReadAhead::front() {
    FRAGMEND_ASSERT(!objects_.empty());
    return *objects_.front().rebuild;
}

Awaitable<Result<void>> ReadAhead::ready() {
    for (;;) {
        Result<void> result = co_await front().ready();
        Object& object = objects_.front();
        const std::size_t needed = object.rebuild->outcome().piece_bytes_needed;
        if (result.has_value() || needed == 0 || object.enlarged || cancelled_) co_return result;
        object.enlarged = true;
        co_await start_over(needed);
    }
}

Awaitable<void> ReadAhead::start_over(std::size_t piece_bytes) {
    for (Object& object : objects_)
        object.rebuild->cancel();
    for (Object& object : objects_)
        co_await object.rebuild->stop();
    for (Object& object : objects_) {
        RebuildRequest request = object.rebuild->request();
        if (&object == &objects_.front()) request.fragment_bytes = piece_bytes;
        start(object, std::move(request));
    }
}

Awaitable<void> ReadAhead::pop() {
    co_await front().stop();
    objects_.pop_front();
}

void ReadAhead::cancel() {
    cancelled_ = true;
    for (Object& object : objects_)
        object.rebuild->cancel();
}

Awaitable<void> ReadAhead::stop() {
    cancel();
    while (!objects_.empty())
        co_await pop();
}

}  // namespace fragmend::scheduler
