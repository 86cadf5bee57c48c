// Asking for suffix hashes.
#include "host/sync/replicate_calls.hpp"

#include <utility>

#include "host/sync/pacer.hpp"

namespace fragmend::sync {

Awaitable<Result<transport::replicate::ReplicateAnswer>> ReplicateCalls::ask(Node node,
                                                                             std::string suffixes) {
    if (place_.units() == 0 && !services_.replicate_calls.try_acquire(1, place_)) {
        activity_.queued("waits to ask for suffix hashes");
        auto waited = co_await services_.replicate_calls.acquire(1, line_);
        if (waited.has_error()) co_return waited.error();
        place_ = std::move(waited.value());
    }
    if (cancelled_) {
        leave();
        co_return Error{errc::cancelled, "stopped"};
    }
    activity_.doing("asks " + node.replication_name() + " for suffix hashes");
    transport::replicate::ReplicateRequest request{std::move(node), partition_, std::move(suffixes),
                                                   policy_.policy.index,
                                                   services_.gather_limits.timeouts};
    transport::http::Abort abort;
    call_ = &abort;
    Pacer pacer(services_, activity_);
    auto answer = co_await transport::replicate::get_suffix_hashes(services_.client,
                                                                   std::move(request), abort);
    call_ = nullptr;
    ++services_.stats.answers;
    (void)co_await pacer.rest(cancelled_);
    if (!stays_) leave();
    co_return answer;
}

void ReplicateCalls::cancel() {
    cancelled_ = true;
    line_.now();
    if (call_ != nullptr) call_->abort();
    if (services_.throttle != nullptr) services_.throttle->wake();
}

}  // namespace fragmend::sync
