// From rounds to items of kernels/api and back.
#include "host/codec/device_batch.hpp"

#include <algorithm>
#include <functional>

#include "host/codec/cpu_digests.hpp"
#include "host/codec/cpu_plan.hpp"

namespace fragmend::codec {

using scheduler::SegmentWork;

namespace {

/// What a fragment takes on a device beyond its own bytes, at most: alignment before and after.
constexpr std::size_t slack_bytes = 2 * kernels::payload_alignment;

kernels::Md5State device_state(const Md5Stream& stream) {
    kernels::Md5State state;
    std::ranges::copy(stream.words.word, state.words);
    state.bytes = stream.bytes;
    std::ranges::copy(stream.tail, state.tail);
    return state;
}

void keep(const kernels::Md5State& state, Md5Stream& stream) {
    std::ranges::copy(state.words, stream.words.word);
    stream.bytes = state.bytes;
    std::ranges::copy(state.tail, stream.tail.begin());
}

const CpuPlan& plan_of(const SegmentWork& item) {
    return static_cast<const CpuPlan&>(*item.plan);
}

}  // namespace

void DeviceBatch::clear() {
    entries_.clear();
    drafts_.clear();
    sources_.clear();
    outputs_.clear();
    states_.clear();
    state_pointers_.clear();
    positions_.clear();
    items_.clear();
    rows_.clear();
    bytes_ = 0;
    input_bytes_ = 0;
    output_bytes_ = 0;
}

bool DeviceBatch::fits(const SegmentWork& item, const kernels::Limits& limits) const {
    const std::size_t fragment = item.output.size() + slack_bytes;
    // Survivors that are hashed but not used become an item of their own.
    return drafts_.size() + 2 <= limits.batch_items_max &&
           rows_.size() + 2 <= limits.batch_rows_max &&
           sources_.size() + item.survivors.size() <= limits.batch_sources_max &&
           outputs_.size() + 1 <= limits.batch_outputs_max &&
           input_bytes_ + item.survivors.size() * fragment <= limits.batch_input_bytes_max &&
           output_bytes_ + fragment <= limits.batch_output_bytes_max;
}

void DeviceBatch::add_source(const SegmentWork& item, std::size_t position) {
    sources_.push_back(reinterpret_cast<const std::uint8_t*>(item.survivors[position].data()) +
                       fragment_header_bytes);
    const std::span<Md5Stream> streams = streams_of(item);
    if (streams.empty()) return;
    states_.push_back(device_state(streams[position]));
    positions_.push_back(position);
}

void DeviceBatch::count_rows(const kernels::Rows* rows) {
    const auto place = std::ranges::lower_bound(rows_, rows, std::less<>());
    if (place == rows_.end() || *place != rows) rows_.insert(place, rows);
}

void DeviceBatch::add(SegmentWork& item, const SiblingHeaders& source, std::uint32_t turn) {
    const CpuPlan& plan = plan_of(item);
    const DeviceRows& rows = *plan.device_rows();
    const std::span<const std::uint8_t> used = plan.used();
    const auto checked = turn % static_cast<std::uint32_t>(used.size());
    Draft draft;
    draft.rows = &rows.decode;
    draft.entry = entries_.size();
    draft.first_source = sources_.size();
    draft.source_count = used.size();
    draft.first_digest = states_.size();
    draft.payload_bytes = item.output.size() - fragment_header_bytes;
    draft.hashed = item.digests != nullptr;
    draft.check = {&rows.checks[checked], static_cast<std::uint8_t>(checked)};
    count_rows(draft.rows);
    count_rows(draft.check.row);
    for (std::uint8_t position : used) {
        add_source(item, position);
    }
    drafts_.push_back(draft);
    outputs_.push_back(reinterpret_cast<std::uint8_t*>(item.output.data()) + fragment_header_bytes);
    if (draft.hashed && used.size() != item.survivors.size()) {
        Draft rest = draft;
        rest.rows = nullptr;
        rest.first_source = sources_.size();
        rest.first_digest = states_.size();
        for (std::size_t position = 0; position < item.survivors.size(); ++position) {
            if (std::ranges::find(used, position) == used.end()) add_source(item, position);
        }
        rest.source_count = sources_.size() - rest.first_source;
        drafts_.push_back(rest);
        outputs_.push_back(nullptr);
    }
    entries_.push_back({&item, source});
    const std::size_t fragment = item.output.size() + slack_bytes;
    bytes_ += item.survivors.size() * item.output.size();
    input_bytes_ += item.survivors.size() * fragment;
    output_bytes_ += fragment;
}

void DeviceBatch::make_items() {
    state_pointers_.clear();
    for (kernels::Md5State& state : states_) {
        state_pointers_.push_back(&state);
    }
    items_.clear();
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
        const Draft& draft = drafts_[i];
        kernels::Item item;
        item.rows = draft.rows;
        item.sources = std::span(sources_).subspan(draft.first_source, draft.source_count);
        item.bytes = draft.payload_bytes;
        item.prefix_bytes = fragment_header_bytes;
        if (draft.rows != nullptr) {
            item.outputs = std::span(outputs_).subspan(i, 1);
            item.checks = std::span(&draft.check, 1);
        }
        if (draft.hashed) {
            item.digests =
                std::span(state_pointers_).subspan(draft.first_digest, draft.source_count);
        }
        items_.push_back(item);
    }
}

kernels::Status DeviceBatch::submit(kernels::Engine& engine, kernels::Ticket& ticket) {
    make_items();
    return engine.submit(items_, kernels::Memory::plain, ticket);
}

void DeviceBatch::take_results() {
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
        const Draft& draft = drafts_[i];
        Entry& entry = entries_[draft.entry];
        if (items_[i].wrong) entry.wrong = true;
        if (!draft.hashed) continue;
        const std::span<Md5Stream> streams = streams_of(*entry.item);
        for (std::size_t s = draft.first_digest; s < draft.first_digest + draft.source_count; ++s) {
            keep(states_[s], streams[positions_[s]]);
        }
    }
}

}  // namespace fragmend::codec
