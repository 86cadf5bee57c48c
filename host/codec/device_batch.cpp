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
    checks_.clear();
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
    const std::size_t fragment = item.fragment_bytes() + slack_bytes;
    // Survivors that are hashed but not used become an item of their own.
    return drafts_.size() + 2 <= limits.batch_items_max &&
           rows_.size() + 1 + item.outputs.size() <= limits.batch_rows_max &&
           sources_.size() + item.survivors.size() <= limits.batch_sources_max &&
           outputs_.size() + item.outputs.size() <= limits.batch_outputs_max &&
           input_bytes_ + item.survivors.size() * fragment <= limits.batch_input_bytes_max &&
           output_bytes_ + item.outputs.size() * fragment <= limits.batch_output_bytes_max;
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
    Draft draft;
    draft.rows = &rows.decode;
    draft.entry = entries_.size();
    draft.first_source = sources_.size();
    draft.source_count = rows.sources.size();
    draft.first_digest = states_.size();
    draft.first_output = outputs_.size();
    draft.output_count = item.outputs.size();
    draft.payload_bytes = item.fragment_bytes() - fragment_header_bytes;
    draft.hashed = item.digests != nullptr;
    count_rows(draft.rows);
    for (std::uint8_t position : rows.sources) {
        add_source(item, position);
    }
    for (std::size_t o = 0; o < item.outputs.size(); ++o) {
        outputs_.push_back(reinterpret_cast<std::uint8_t*>(item.outputs[o].data()) +
                           fragment_header_bytes);
        const DeviceRows::Check& check = rows.checks[o][plan.checked(o, turn)];
        checks_.push_back({&check.row, check.source});
        count_rows(&check.row);
    }
    drafts_.push_back(draft);
    if (draft.hashed && rows.sources.size() != item.survivors.size()) {
        Draft rest = draft;
        rest.rows = nullptr;
        rest.first_source = sources_.size();
        rest.first_digest = states_.size();
        rest.output_count = 0;
        for (std::size_t position = 0; position < item.survivors.size(); ++position) {
            if (std::ranges::find(rows.sources, position) == rows.sources.end())
                add_source(item, position);
        }
        rest.source_count = sources_.size() - rest.first_source;
        drafts_.push_back(rest);
    }
    entries_.push_back({&item, source});
    const std::size_t fragment = item.fragment_bytes() + slack_bytes;
    bytes_ += item.survivors.size() * item.fragment_bytes();
    input_bytes_ += item.survivors.size() * fragment;
    output_bytes_ += item.outputs.size() * fragment;
}

void DeviceBatch::make_items() {
    state_pointers_.clear();
    for (kernels::Md5State& state : states_) {
        state_pointers_.push_back(&state);
    }
    items_.clear();
    for (const Draft& draft : drafts_) {
        kernels::Item item;
        item.rows = draft.rows;
        item.sources = std::span(sources_).subspan(draft.first_source, draft.source_count);
        item.bytes = draft.payload_bytes;
        item.prefix_bytes = fragment_header_bytes;
        item.outputs = std::span(outputs_).subspan(draft.first_output, draft.output_count);
        item.checks = std::span(checks_).subspan(draft.first_output, draft.output_count);
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
