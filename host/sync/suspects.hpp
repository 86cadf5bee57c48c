// What went wrong with an object before: whom to leave out when it is tried again, and when to
// stop.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::sync {

/// What becomes of an object that somebody gave up.
inline Error somebody_cancelled() {
    return {errc::cancelled, "somebody cancelled it"};
}

/// Memory of one pass, on the network thread. A survivor that was caught with wrong bytes is not
/// asked again for this object in this pass, whichever session tries. An object whose body broke
/// off `broken_sessions_max` sessions, and one more for each survivor that was named meanwhile, is
/// not begun again: those that come after it have a right to be sent. Bounded: past `objects_max`
/// objects nothing more is learned, and the retry finds out by itself.
class Suspects {
  public:
    static constexpr std::size_t objects_max = 100'000;
    static constexpr int broken_sessions_max = 2;

    /// Who works on objects hears of those that are given up, until it is destroyed.
    class Listener {
      public:
        Listener(Suspects& suspects, std::function<void(const std::string& object_hash)> hear)
            : suspects_(suspects) {
            suspects_.listeners_.push_front(std::move(hear));
            place_ = suspects_.listeners_.begin();
        }
        ~Listener() { suspects_.listeners_.erase(place_); }
        Listener(const Listener&) = delete;
        Listener& operator=(const Listener&) = delete;

      private:
        Suspects& suspects_;
        std::list<std::function<void(const std::string&)>>::iterator place_;
    };

    void add(const std::string& object_hash, std::uint32_t device_id) {
        if (by_object_.size() >= objects_max && !by_object_.contains(object_hash)) return;
        auto& devices = by_object_[object_hash];
        for (std::uint32_t known : devices) {
            if (known == device_id) return;
        }
        devices.push_back(device_id);
    }
    std::vector<std::uint32_t> of(const std::string& object_hash) const {
        const auto found = by_object_.find(object_hash);
        return found == by_object_.end() ? std::vector<std::uint32_t>() : found->second;
    }

    /// A session ended because the body of this object failed with `why` when part of it was sent.
    void broke_session(const std::string& object_hash, const Error& why) {
        if (broken_.size() >= objects_max && !broken_.contains(object_hash)) return;
        auto& broken = broken_[object_hash];
        ++broken.sessions;
        broken.why = why;
    }
    /// Somebody does not want this object to be worked on in this pass.
    void give_up(const std::string& object_hash) {
        given_up_.insert(object_hash);
        for (const auto& listener : listeners_)
            listener(object_hash);
    }
    bool is_given_up(const std::string& object_hash) const {
        return !given_up_.empty() && given_up_.contains(object_hash);
    }
    /// The last reason, once there were too many.
    std::optional<Error> why_it_broke(const std::string& object_hash) const {
        if (is_given_up(object_hash)) return somebody_cancelled();
        const auto found = broken_.find(object_hash);
        if (found == broken_.end()) return std::nullopt;
        // Every survivor that was named is left out from then on, and so is worth another session.
        const auto named = static_cast<int>(of(object_hash).size());
        if (found->second.sessions < broken_sessions_max + named) return std::nullopt;
        return found->second.why;
    }

  private:
    struct Broken {
        int sessions = 0;
        Error why;
    };
    std::map<std::string, std::vector<std::uint32_t>> by_object_;
    std::map<std::string, Broken> broken_;
    std::set<std::string> given_up_;                                ///< As many as somebody names.
    std::list<std::function<void(const std::string&)>> listeners_;  ///< One a session.
};

}  // namespace fragmend::sync
