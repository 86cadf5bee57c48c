// From a batch to tasks: checked, addressed, grouped by kernel, cut into tiles.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/api/batch.hpp"
#include "kernels/api/limits.hpp"
#include "kernels/api/status.hpp"
#include "kernels/api/task.hpp"

namespace fragmend::kernels {

/// One batch prepared for the threads. Reused from batch to batch: all memory is taken at start.
/// Flow: `list` checks the items and writes down their pointers; the engine then replaces each by
/// the address that its threads will use; `arrange` makes tasks, groups and streams of them.
class WorkList {
  public:
    explicit WorkList(const Limits& limits);

    /// Errors: bad_item; too_large. Fills `pointers()`: item by item its sources, then its outputs.
    Status list(std::span<const Item> items);

    /// A tile has `tile_columns` columns. Errors: too_large (tables).
    Status arrange(std::span<const Item> items, std::uint32_t tile_columns);

    std::vector<std::uint64_t>& pointers() { return pointers_; }
    std::span<const DecodeTask> tasks() const { return tasks_; }
    /// first_tiles()[i] is task i's first tile within its group.
    std::span<const std::uint32_t> first_tiles() const { return first_tiles_; }
    std::span<const std::uint32_t> table() const { return table_; }
    /// In the order in which they must run: all decodes before all checks.
    std::span<const TaskGroup> groups() const { return groups_; }
    std::span<const StreamTask> streams() const { return streams_; }
    std::span<const StreamPart> parts() const { return parts_; }
    /// states()[i] belongs to streams()[i].
    std::span<Md5State* const> states() const { return states_; }
    /// Whether a stream reads what a decode wrote.
    bool digests_outputs() const { return digests_outputs_; }
    /// One word an item for the threads to report a failed check in, on a host; zero after `list`.
    std::vector<std::uint32_t>& differences() { return differences_; }

    /// Upper bounds of what a batch within `limits` needs, for device buffers.
    static std::size_t tasks_max(const Limits& limits);
    static std::size_t pointers_max(const Limits& limits);
    static std::size_t table_words_of_batch_max(const Limits& limits);
    static std::size_t streams_max(const Limits& limits);

  private:
    struct Draft {
        std::uint32_t launch = 0;  ///< Made once, not in each comparison of the sort.
        const Rows* rows = nullptr;
        std::uint32_t item = 0;
        std::uint32_t first_pointer = 0;
        bool check = false;
    };
    struct PartDraft {
        Md5State* state = nullptr;
        std::uint32_t item = 0;
        std::uint32_t source = 0;
        StreamPart part;
    };
    Status verify(const Item& item, std::uint32_t index) const;
    void draft_tasks(std::span<const Item> items);
    void draft_checks(const Item& item, std::uint32_t index, std::uint32_t first_pointer);
    void draft_parts(const Item& item, std::uint32_t index, std::uint32_t first_pointer);
    bool place_table(const Rows& rows);
    void add_task(const Draft& draft, std::uint64_t bytes, std::uint32_t tile_columns);
    void join_parts();

    const Limits limits_;
    std::vector<std::uint64_t> pointers_;
    std::vector<Draft> drafts_;
    std::vector<DecodeTask> tasks_;
    std::vector<std::uint32_t> first_tiles_;
    std::vector<std::uint32_t> table_;
    const Rows* table_rows_ = nullptr;
    std::uint32_t table_first_ = 0;
    std::vector<TaskGroup> groups_;
    std::vector<PartDraft> part_drafts_;
    std::vector<StreamPart> parts_;
    std::vector<StreamTask> streams_;
    std::vector<Md5State*> states_;
    bool digests_outputs_ = false;
    std::vector<std::uint32_t> differences_;
};

}  // namespace fragmend::kernels
