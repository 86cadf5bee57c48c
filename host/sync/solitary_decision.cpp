// Who answered what, and what follows.
#include "host/sync/solitary_decision.hpp"

#include <utility>

namespace fragmend::sync {

SolitaryDecision::SolitaryDecision(SolitaryQuestion question) : question_(std::move(question)) {
    const double age_s = question_.now.seconds() - question_.data_timestamp.seconds();
    // A young fragment may have its tombstone or its neighbours on handoffs that come home yet.
    doubtful_ = question_.quarantine_threshold <= 0 ||
                age_s <= static_cast<double>(question_.quarantine_age_s) ||
                question_.fragment_index == question_.wanted_index;
}

void SolitaryDecision::add(const SolitaryAnswer& answer) {
    if (answer.status == status_not_found) {
        ++not_found_;
    } else if (answer.status == status_ok && answer.data_timestamp == question_.data_timestamp) {
        ++fragments_;
    } else {
        doubtful_ = true;
    }
}

bool SolitaryDecision::is_candidate() const {
    return !doubtful_ && not_found_ > 0 && fragments_ <= question_.quarantine_threshold &&
           fragments_ < question_.k;
}

}  // namespace fragmend::sync
