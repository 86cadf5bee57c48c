// Is a fragment all that is left of its object? The decision, without a socket.
#pragma once

#include <cstdint>
#include <optional>

#include "host/base/timestamp.hpp"

namespace fragmend::sync {

/// What is known about the local fragment and how strict to be.
struct SolitaryQuestion {
    Timestamp data_timestamp;  ///< Of the local fragment.
    int fragment_index = 0;
    int wanted_index = 0;  ///< Could not be rebuilt.
    int k = 0;
    Timestamp now;
    std::int64_t quarantine_age_s = 0;
    std::int64_t quarantine_threshold = 0;  ///< Fragments, the local one included; 0: never.
};

inline constexpr int status_ok = 200;
inline constexpr int status_not_found = 404;

/// What somebody answered when asked for a fragment of the object.
struct SolitaryAnswer {
    int status = 0;                           ///< 0: no answer, or one that makes no sense.
    std::optional<Timestamp> data_timestamp;  ///< With status 200.
};

/// Collects the answers of everybody who might have a fragment. Deliberately strict: an object is
/// given up only when each of them said 404, except for at most `quarantine_threshold` fragments of
/// the same version. Any error, timeout, other status or other version ends the matter.
/// Source: swift.obj.reconstructor.ObjectReconstructor._is_quarantine_candidate.
class SolitaryDecision {
  public:
    /// The local fragment counts as the first answer.
    explicit SolitaryDecision(SolitaryQuestion question);

    /// Whether asking anybody makes sense.
    bool is_possible() const { return !doubtful_; }
    void add(const SolitaryAnswer& answer);
    /// Nothing that was heard so far speaks against it. Without any answer nothing speaks for it.
    bool is_candidate() const;

  private:
    SolitaryQuestion question_;
    std::int64_t fragments_ = 1;
    std::uint64_t not_found_ = 0;
    bool doubtful_ = false;
};

}  // namespace fragmend::sync
