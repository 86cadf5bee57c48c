// What every job is doing right now, for whoever asks why nothing moves.
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "host/base/clock.hpp"

namespace fragmend::sync {

class Activity;

/// One job at one moment.
struct ActivityView {
    std::string job;
    std::string doing;
    std::chrono::duration<double> unchanged_for{0};  ///< Since it last moved.
    std::chrono::duration<double> running_for{0};
    bool in_queue = false;  ///< Waits for another job of ours.
};

/// The jobs that run. Owned by host/app, outlives every job; network thread only.
class ActivityBoard {
  public:
    explicit ActivityBoard(const Clock& clock) : clock_(clock) {}
    /// Oldest silence first.
    std::vector<ActivityView> snapshot() const;
    std::size_t size() const { return activities_.size(); }
    /// Ends the jobs that have not moved for `limit`, and returns how they stood. A job that waits
    /// for others of ours is stuck only when nobody moves.
    std::vector<ActivityView> end_stuck(std::chrono::duration<double> limit);

  private:
    friend class Activity;
    ActivityView view_of(const Activity& activity) const;

    const Clock& clock_;
    std::set<Activity*> activities_;
};

/// A job's own line on the board, for as long as it lives. Network thread only.
class Activity {
  public:
    /// `end` makes the job end soon; it may be called at any time while this lives.
    Activity(ActivityBoard& board, std::string job, std::function<void()> end);
    ~Activity() { board_.activities_.erase(this); }
    Activity(const Activity&) = delete;
    Activity& operator=(const Activity&) = delete;

    /// The job turned to something else.
    void doing(std::string what);
    /// It waits for its turn among our own jobs.
    void queued(std::string for_what);
    /// It goes on with the same.
    void moved() { since_ = board_.clock_.steady(); }

  private:
    friend class ActivityBoard;
    ActivityBoard& board_;
    std::string job_;
    std::string doing_;
    bool in_queue_ = false;
    std::function<void()> end_;
    std::chrono::steady_clock::time_point began_;
    std::chrono::steady_clock::time_point since_;
};

}  // namespace fragmend::sync
