// What a survivor's header must say before its bytes are decoded.
#include "host/codec/survivor_check.hpp"

#include <string_view>

#include "host/codec/fragment_plan.hpp"

namespace fragmend::codec {

using scheduler::SegmentWork;

namespace {

struct Source {
    FragmentHeader header;
    CrcForm form;
};

void refuse(SegmentWork& item, std::size_t position, std::string_view why) {
    item.culprit = static_cast<int>(position);
    item.error =
        Error{errc::bad_fragment, "fragment " + std::to_string(item.plan->survivors()[position]) +
                                      ": " + std::string(why)};
}

/// Reads one survivor's header into `header`; false, and the item refused, when it is not what the
/// plan says or contradicts itself.
bool check_survivor(SegmentWork& item, std::size_t position, Source& source) {
    const auto& plan = static_cast<const FragmentPlan&>(*item.plan);
    const ByteView fragment = item.survivors[position];
    if (fragment.size() != item.fragment_bytes()) {
        refuse(item, position, "not as long as this round's fragments");
        return false;
    }
    Result<FragmentHeader> parsed = check_fragment_metadata(fragment, &source.form);
    if (!parsed) {
        refuse(item, position, parsed.error().detail);
        return false;
    }
    const FragmentHeader& header = source.header = *parsed;
    const int k = plan.scheme().k;
    const char* why = nullptr;
    if (header.swapped) {
        why = "written on a machine of the other byte order, which no decoder reads";
    } else if (header.index != plan.survivors()[position]) {
        why = "its header has another index";
    } else if (header.backend_id != plan.back_end().id) {
        why = "written by another erasure code";
    } else if (header.backend_metadata_bytes != 0) {
        why = "carries back-end metadata, which this erasure code does not have";
    } else if (header.payload_bytes + fragment_header_bytes != fragment.size()) {
        why = "its header has another length";
    } else if (header.segment_bytes == 0 ||
               payload_bytes(plan.back_end(), k, header.segment_bytes) != header.payload_bytes) {
        why = "its length does not fit its segment's";
    }
    if (why != nullptr) refuse(item, position, why);
    return why == nullptr;
}

}  // namespace

const SiblingHeaders* SurvivorCheck::run(SegmentWork& item) {
    const auto& plan = static_cast<const FragmentPlan&>(*item.plan);
    const std::size_t count = item.survivors.size();
    const bool fits = last_ && plan.back_end().id == back_end_id_ && plan.scheme().k == k_ &&
                      item.fragment_bytes() == fragment_bytes_ &&
                      item.survivors[0].size() == fragment_bytes_;
    if (!fits || !last_->is_sibling(item.survivors[0], plan.survivors()[0])) {
        last_.reset();
        Source source;
        if (!check_survivor(item, 0, source)) return nullptr;
        last_.emplace(item.survivors[0], source.header, source.form);
        back_end_id_ = plan.back_end().id;
        k_ = plan.scheme().k;
        fragment_bytes_ = item.fragment_bytes();
    }
    std::size_t agreeing = 1;
    std::optional<std::size_t> other;
    for (std::size_t j = 1; j < count; ++j) {
        const ByteView fragment = item.survivors[j];
        if (fragment.size() == fragment_bytes_ &&
            last_->is_sibling(fragment, plan.survivors()[j])) {
            ++agreeing;
            continue;
        }
        Source source;
        if (!check_survivor(item, j, source)) return nullptr;
        if (source.header.segment_bytes == last_->header().segment_bytes) {
            ++agreeing;
        } else if (!other) {
            other = j;
        }
    }
    if (!other) return &*last_;
    refuse(item, 2 * agreeing >= count ? *other : 0, "its segment has another length");
    return nullptr;
}

}  // namespace fragmend::codec
