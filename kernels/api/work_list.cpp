// Checking, grouping and cutting a batch.
#include "kernels/api/work_list.hpp"

#include <algorithm>
#include <tuple>

#include "kernels/api/variants.hpp"

namespace fragmend::kernels {
namespace {

/// More than there are combinations of kernel, sources, outputs and kind of task.
constexpr std::size_t groups_max = 512;

std::uint64_t address(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

/// Equal for tasks that one launch can take, greater for checks than for decodes.
std::uint32_t launch_of(const Rows& rows, bool check) {
    const std::uint32_t instance = instance_sources(rows.kernel(), rows.sources(), rows.outputs());
    return (check ? 1u << 24 : 0u) | static_cast<std::uint32_t>(rows.kernel()) << 16 |
           rows.outputs() << 8 | instance;
}

Status bad_item(std::uint32_t index, const char* detail) {
    return {StatusCode::bad_item, index, detail};
}

}  // namespace

std::size_t WorkList::tasks_max(const Limits& limits) {
    return std::size_t{limits.batch_items_max} + limits.batch_outputs_max;
}

std::size_t WorkList::pointers_max(const Limits& limits) {
    // A check repeats its item's sources and adds what it expects.
    const std::size_t listed = std::size_t{limits.batch_sources_max} + limits.batch_outputs_max;
    return listed * (1 + outputs_max);
}

std::size_t WorkList::streams_max(const Limits& limits) {
    return std::size_t{limits.batch_sources_max} + limits.batch_outputs_max;
}

std::size_t WorkList::table_words_of_batch_max(const Limits& limits) {
    return limits.batch_rows_max * table_words_max;
}

WorkList::WorkList(const Limits& limits) : limits_(limits) {
    pointers_.reserve(pointers_max(limits));
    drafts_.reserve(tasks_max(limits));
    tasks_.reserve(tasks_max(limits));
    first_tiles_.reserve(tasks_max(limits));
    table_.reserve(table_words_of_batch_max(limits));
    groups_.reserve(groups_max);
    part_drafts_.reserve(streams_max(limits));
    parts_.reserve(streams_max(limits));
    streams_.reserve(streams_max(limits));
    states_.reserve(streams_max(limits));
    differences_.reserve(limits.batch_items_max);
}

Status WorkList::verify(const Item& item, std::uint32_t index) const {
    const Rows* rows = item.rows;
    if (item.sources.size() > sources_max) return bad_item(index, "too many sources");
    if (rows == nullptr) {
        if (!item.outputs.empty() || !item.checks.empty())
            return bad_item(index, "outputs without rows");
    } else {
        if (item.sources.size() != rows->sources())
            return bad_item(index, "sources and rows differ");
        if (item.outputs.size() != rows->outputs())
            return bad_item(index, "outputs and rows differ");
        if (item.bytes % rows->granule_bytes() != 0)
            return bad_item(index, "length does not suit the field");
    }
    const std::size_t digests = item.digests.size();
    if (digests != 0 && digests != item.sources.size() &&
        digests != item.sources.size() + item.outputs.size())
        return bad_item(index, "digests do not fit sources and outputs");
    if (!item.checks.empty() && item.checks.size() != item.outputs.size())
        return bad_item(index, "checks and outputs differ");
    for (const Check& check : item.checks) {
        const bool fits = check.row != nullptr && check.row->outputs() == 1 &&
                          check.row->sources() == item.sources.size() &&
                          check.position < item.sources.size() &&
                          item.bytes % check.row->granule_bytes() == 0;
        if (!fits) return bad_item(index, "check does not fit its item");
    }
    return {};
}

Status WorkList::list(std::span<const Item> items) {
    pointers_.clear();
    if (items.size() > limits_.batch_items_max) return {StatusCode::too_large, 0, "items"};
    std::size_t sources = 0;
    std::size_t outputs = 0;
    for (std::uint32_t i = 0; i < items.size(); ++i) {
        const Item& item = items[i];
        if (Status status = verify(item, i); !status.ok()) return status;
        sources += item.sources.size();
        outputs += item.outputs.size();
        if (sources > limits_.batch_sources_max) return {StatusCode::too_large, i, "sources"};
        if (outputs > limits_.batch_outputs_max) return {StatusCode::too_large, i, "outputs"};
        for (const std::uint8_t* source : item.sources) {
            pointers_.push_back(address(source));
        }
        for (std::uint8_t* output : item.outputs) {
            pointers_.push_back(address(output));
        }
    }
    differences_.assign(items.size(), 0);
    return {};
}

Status WorkList::arrange(std::span<const Item> items, std::uint32_t tile_columns) {
    tasks_.clear();
    first_tiles_.clear();
    table_.clear();
    groups_.clear();
    table_rows_ = nullptr;
    draft_tasks(items);
    // One launch a group, and each table once: neighbours in this order share them.
    std::ranges::sort(drafts_, {}, [](const Draft& d) {
        return std::tuple(d.launch, address(d.rows), d.item, d.first_pointer);
    });
    for (const Draft& draft : drafts_) {
        if (!place_table(*draft.rows)) return {StatusCode::too_large, draft.item, "tables"};
        add_task(draft, items[draft.item].bytes, tile_columns);
    }
    join_parts();
    return {};
}

void WorkList::draft_tasks(std::span<const Item> items) {
    drafts_.clear();
    part_drafts_.clear();
    digests_outputs_ = false;
    std::uint32_t first = 0;
    for (std::uint32_t i = 0; i < items.size(); ++i) {
        const Item& item = items[i];
        if (item.rows != nullptr && item.bytes != 0) {
            drafts_.push_back({launch_of(*item.rows, false), item.rows, i, first, false});
            draft_checks(item, i, first);
        }
        draft_parts(item, i, first);
        first += static_cast<std::uint32_t>(item.sources.size() + item.outputs.size());
    }
}

void WorkList::draft_checks(const Item& item, std::uint32_t index, std::uint32_t first_pointer) {
    const auto sources = static_cast<std::uint32_t>(item.sources.size());
    for (std::uint32_t o = 0; o < item.checks.size(); ++o) {
        const Check& check = item.checks[o];
        const auto first = static_cast<std::uint32_t>(pointers_.size());
        for (std::uint32_t j = 0; j < sources; ++j) {
            const std::uint32_t from = j == check.position ? sources + o : j;
            pointers_.push_back(pointers_[first_pointer + from]);
        }
        pointers_.push_back(pointers_[first_pointer + check.position]);
        drafts_.push_back({launch_of(*check.row, true), check.row, index, first, true});
    }
}

void WorkList::draft_parts(const Item& item, std::uint32_t index, std::uint32_t first_pointer) {
    for (std::uint32_t j = 0; j < item.digests.size(); ++j) {
        if (item.digests[j] == nullptr) continue;
        const bool output = j >= item.sources.size();
        const std::size_t prefix = output ? 0 : item.prefix_bytes;
        const StreamPart part = {pointers_[first_pointer + j] - prefix, prefix + item.bytes};
        digests_outputs_ = digests_outputs_ || output;
        part_drafts_.push_back({item.digests[j], index, j, part});
    }
}

bool WorkList::place_table(const Rows& rows) {
    if (table_rows_ == &rows) return true;
    if (table_.size() + rows.table().size() > table_words_of_batch_max(limits_)) return false;
    table_rows_ = &rows;
    table_first_ = static_cast<std::uint32_t>(table_.size());
    table_.insert(table_.end(), rows.table().begin(), rows.table().end());
    return true;
}

void WorkList::add_task(const Draft& draft, std::uint64_t bytes, std::uint32_t tile_columns) {
    const Rows& rows = *draft.rows;
    const auto outputs = static_cast<std::uint8_t>(rows.outputs());
    const std::uint8_t sources = instance_sources(rows.kernel(), rows.sources(), outputs);
    const bool joins = !groups_.empty() && groups_.back().kernel == rows.kernel() &&
                       groups_.back().sources == sources && groups_.back().outputs == outputs &&
                       groups_.back().check == draft.check;
    if (!joins) {
        groups_.push_back({rows.kernel(), sources, outputs, draft.check,
                           static_cast<std::uint32_t>(tasks_.size()), 0, 0, tile_columns});
    }
    DecodeTask task;
    task.bytes = bytes;
    task.item = draft.item;
    task.first_pointer = draft.first_pointer;
    task.first_table_word = table_first_;
    task.sources = static_cast<std::uint8_t>(rows.sources());
    std::uint64_t all = 0;
    for (std::uint32_t p = 0; p < rows.sources() + outputs; ++p) {
        all |= pointers_[draft.first_pointer + p];
    }
    task.aligned = all % payload_alignment == 0;
    TaskGroup& group = groups_.back();
    first_tiles_.push_back(group.tiles);
    tasks_.push_back(task);
    ++group.task_count;
    group.tiles += static_cast<std::uint32_t>((columns(rows.kernel(), bytes) + tile_columns - 1) /
                                              tile_columns);
}

void WorkList::join_parts() {
    parts_.clear();
    streams_.clear();
    states_.clear();
    std::ranges::sort(part_drafts_, {}, [](const PartDraft& d) {
        return std::tuple(address(d.state), d.item, d.source);
    });
    for (const PartDraft& draft : part_drafts_) {
        if (states_.empty() || states_.back() != draft.state) {
            states_.push_back(draft.state);
            streams_.push_back({static_cast<std::uint32_t>(parts_.size()), 0});
        }
        parts_.push_back(draft.part);
        ++streams_.back().part_count;
    }
}

}  // namespace fragmend::kernels
