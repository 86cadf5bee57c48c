// The board of running jobs.
#include "host/sync/activity.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::sync {

Activity::Activity(ActivityBoard& board, std::string job, std::function<void()> end)
    : board_(board),
      job_(std::move(job)),
      doing_("starting"),
      end_(std::move(end)),
      began_(board.clock_.steady()),
      since_(began_) {
    board_.activities_.insert(this);
}

void Activity::doing(std::string what) {
    doing_ = std::move(what);
    in_queue_ = false;
    moved();
}

void Activity::queued(std::string for_what) {
    doing(std::move(for_what));
    in_queue_ = true;
}

ActivityView ActivityBoard::view_of(const Activity& activity) const {
    const auto now = clock_.steady();
    return {activity.job_, activity.doing_, now - activity.since_, now - activity.began_,
            activity.in_queue_};
}

std::vector<ActivityView> ActivityBoard::snapshot() const {
    std::vector<ActivityView> views;
    views.reserve(activities_.size());
    for (const Activity* activity : activities_)
        views.push_back(view_of(*activity));
    std::ranges::sort(views, std::greater<>(), &ActivityView::unchanged_for);
    return views;
}

std::vector<ActivityView> ActivityBoard::end_stuck(std::chrono::duration<double> limit) {
    const auto now = clock_.steady();
    const auto silent = [&](const Activity* one) { return now - one->since_ >= limit; };
    const bool all_silent = std::ranges::all_of(activities_, silent);
    std::vector<ActivityView> ended;
    // Ending a job may take its line, or another's, off the board.
    const std::vector<Activity*> before(activities_.begin(), activities_.end());
    for (Activity* one : before) {
        if (!activities_.contains(one) || !silent(one)) continue;
        if (one->in_queue_ && !all_silent) continue;
        ended.push_back(view_of(*one));
        one->moved();  // If it stays, it is named again after as long a silence.
        one->end_();
    }
    return ended;
}

}  // namespace fragmend::sync
