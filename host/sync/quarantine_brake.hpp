// How many objects may be quarantined before somebody should look at the machine instead.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>

namespace fragmend::sync {

/// Counts quarantines by device. Damage in such numbers that the limit is passed is a fault
/// elsewhere (memory, a controller, a wrong configuration, peers that lie), so the device is left
/// alone from then on, for the life of the process. Pure: the caller brings the time. Lives as long
/// as the process; runs on the network thread.
class QuarantineBrake {
  public:
    using Instant = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::hours window{1};

    enum class Answer { go, stop_now, stopped };

    /// `objects_max` quarantines a device within an hour (`fragmend_quarantine_brake`); 0: no
    /// limit.
    explicit QuarantineBrake(std::size_t objects_max) : objects_max_(objects_max) {}

    /// Asks for one quarantine on `device`, which counts when the answer is `go`. `stop_now` is the
    /// first refusal: the moment to say so.
    Answer ask(const std::string& device, Instant now) {
        if (objects_max_ == 0) return Answer::go;
        if (stopped_.contains(device)) return Answer::stopped;
        auto& times = times_[device];
        while (!times.empty() && now - times.front() >= window)
            times.pop_front();
        if (times.size() >= objects_max_) {
            stopped_.insert(device);
            times_.erase(device);
            return Answer::stop_now;
        }
        times.push_back(now);
        return Answer::go;
    }
    std::size_t objects_max() const { return objects_max_; }

  private:
    std::size_t objects_max_;
    std::map<std::string, std::deque<Instant>> times_;  ///< At most `objects_max_` each.
    std::set<std::string> stopped_;
};

}  // namespace fragmend::sync
