// What a running process may be asked: how it is, to hold back, to go on, to end, to keep to
// limits.
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "host/app/reconstructor.hpp"
#include "host/app/throttle_choice.hpp"
#include "host/swift/json_members.hpp"

namespace fragmend::app {

std::string Reconstructor::answer(const ControlRequest& request) {
    Result<void> done;
    switch (request.operation) {
        case ControlOperation::status:
            break;
        case ControlOperation::pause:
            done = pause(request.choice);
            break;
        case ControlOperation::resume:
            done = resume(request.choice);
            break;
        case ControlOperation::cancel:
            done = cancel(request.choice, sync::Ending::now);
            break;
        case ControlOperation::drain:
            done = cancel(request.choice, sync::Ending::after_session);
            break;
        case ControlOperation::limit:
            done = change_limits(request);
            break;
    }
    if (done.has_error()) return control_error_line(done.error());
    return boost::json::serialize(status_json(status_source()));
}

Result<void> Reconstructor::pause(const WorkChoice& choice) {
    if (choice.is_everything()) {
        log_.notice("Paused: no further partition and session begins");
        engine_->gate().close();
        remember([](Orders& orders) { orders.everything_paused = true; });
        return {};
    }
    const bool is_new = std::ranges::find(paused_, choice) == paused_.end();
    if (is_new && paused_.size() >= Pass::choices_max)
        return Error{errc::limit, "too much is paused piece by piece"};
    remember([&choice](Orders& orders) {
        if (std::ranges::find(orders.paused, choice) == orders.paused.end())
            orders.paused.push_back(choice);
    });
    if (!is_new) return {};
    log_.notice("Paused: " + swift::json_string(to_string(choice)));
    paused_.push_back(choice);
    return pass_ == nullptr ? Result<void>() : pass_->cancel(choice, sync::Ending::after_session);
}

Result<void> Reconstructor::resume(const WorkChoice& choice) {
    if (choice.is_everything()) {
        log_.notice("Resumed");
        paused_.clear();
        engine_->gate().open();
        remember([](Orders& orders) {
            orders.everything_paused = false;
            orders.paused.clear();
        });
        return {};
    }
    remember([&choice](Orders& orders) { std::erase(orders.paused, choice); });
    if (std::erase(paused_, choice) == 0)
        return Error{errc::not_found, "not paused: " + to_string(choice)};
    log_.notice("Resumed with the next pass: " + swift::json_string(to_string(choice)));
    return {};
}

void Reconstructor::remember(const std::function<void(Orders&)>& change) {
    if (const auto kept = setup_.orders().edit(change); kept.has_error())
        log_.error("That ends with this process: " + kept.error().detail);
}

void Reconstructor::recall_orders() {
    const auto known = setup_.orders().load();
    if (known.has_error())
        log_.error("What was paused cannot be read, so everything is: " + known.error().detail);
    const Orders orders = known.has_value() ? *known : Orders{true, {}, {}};
    std::string what = orders.everything_paused ? "everything" : "";
    for (const WorkChoice& choice : orders.paused)
        what += (what.empty() ? "" : "; ") + to_string(choice);
    if (orders.everything_paused) engine_->gate().close();
    paused_ = orders.paused;
    if (!what.empty())
        log_.notice("Still paused, until it is resumed: " + swift::json_string(what));
    if (orders.limits.empty()) return;
    ControlRequest request;
    request.limits = orders.limits;
    if (const auto limits = changed_limits(request, limits_, limits_)) set_limits(*limits);
}

Result<void> Reconstructor::cancel(const WorkChoice& choice, sync::Ending ending) {
    const std::string how = ending == sync::Ending::now ? "cancelled" : "drained";
    if (choice.is_everything()) {
        log_.notice("The pass that runs is " + how);
        if (pass_ != nullptr) pass_->cancel(ending);
        return {};
    }
    log_.notice("For this pass " + how + ": " + swift::json_string(to_string(choice)));
    return pass_ == nullptr ? Result<void>() : pass_->cancel(choice, ending);
}

Result<void> Reconstructor::change_limits(const ControlRequest& request) {
    if (!request.configured && request.limits.empty()) return {};
    const auto limits = changed_limits(request, limits_, options_.fragmend.throttle);
    if (limits.has_error()) return limits.error();
    remember([&request](Orders& orders) {
        if (request.configured) orders.limits.clear();
        for (const auto& [option, text] : request.limits)
            orders.limits.insert_or_assign(option, text);
    });
    set_limits(*limits);
    return {};
}

StatusSource Reconstructor::status_source() const {
    const auto now = setup_.clock().steady();
    const auto seconds_since = [now](std::chrono::steady_clock::time_point then) {
        return std::chrono::duration<double>(now - then).count();
    };
    StatusSource source;
    source.pid = ::getpid();
    source.share = share_;
    source.state = stopping_                     ? "stopping"
                   : engine_->gate().is_closed() ? "paused"
                   : pass_ != nullptr            ? "pass"
                                                 : "sleeping";
    for (const WorkChoice& choice : paused_)
        source.paused.push_back(to_string(choice));
    source.uptime_s = seconds_since(began_);
    source.passes = passes_;
    source.pass = stats_;
    source.pass_s = pass_ != nullptr ? pass_->seconds() : 0;
    source.sessions = {engine_->sessions().in_use(), engine_->sessions().capacity()};
    source.replicate_calls = {engine_->replicate_calls().in_use(),
                              engine_->replicate_calls().capacity()};
    source.now = engine_->snapshot();
    source.recent_waits = source.now.waits - sample_before_.waits;
    source.recent_s = seconds_since(sample_before_.at);
    source.throttle = engine_->throttle().settings();
    source.pace = engine_->throttle().pace();
    source.jobs = activities_.snapshot();
    return source;
}

void Reconstructor::set_limits(const swift::ThrottleOptions& limits) {
    limits_ = limits;
    engine_->throttle().change(throttle_settings(limits_, share_));
    log_.notice("Limits: " + throttle_text(engine_->throttle().settings()));
}

}  // namespace fragmend::app
