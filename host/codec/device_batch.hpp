// One batch of rounds in the words of kernels/api.
#pragma once

#include <span>
#include <vector>

#include "host/codec/fragment_header.hpp"
#include "kernels/api/engine.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::codec {

/// Collects items whose headers were checked, hands them to an engine, and brings the results back.
/// Used by one thread at a time, again and again; must stay in place while a batch is in flight.
/// After a failure the items are as if they had never been here, but for unspecified outputs.
class DeviceBatch {
  public:
    struct Entry {
        scheduler::SegmentWork* item;
        SiblingHeaders source;
        bool wrong = false;  ///< The device's check failed: its output must not be used.
    };

    void clear();
    /// Whether `item`, whose plan is a `CpuPlan`, fits beside what is here already.
    bool fits(const scheduler::SegmentWork& item, const kernels::Limits& limits) const;
    /// `turn` chooses which survivor is cross-checked. The plan has `device_rows`.
    void add(scheduler::SegmentWork& item, const SiblingHeaders& source, std::uint32_t turn);
    bool empty() const { return entries_.empty(); }

    /// Errors: those of `Engine::submit`.
    kernels::Status submit(kernels::Engine& engine, kernels::Ticket& ticket);
    /// After a successful wait: survivors' digests move on, failed checks are marked.
    void take_results();

    std::span<Entry> entries() { return entries_; }
    /// Survivor bytes.
    std::size_t bytes() const { return bytes_; }

  private:
    /// Where one kernels::Item's pointers lie in the vectors below.
    struct Draft {
        const kernels::Rows* rows = nullptr;
        std::size_t entry = 0;
        std::size_t first_source = 0;
        std::size_t source_count = 0;
        std::size_t first_digest = 0;
        std::size_t first_output = 0;  ///< And check: one an output.
        std::size_t output_count = 0;
        std::size_t payload_bytes = 0;
        bool hashed = false;
    };
    void add_source(const scheduler::SegmentWork& item, std::size_t position);
    void count_rows(const kernels::Rows* rows);
    void make_items();

    std::vector<Entry> entries_;
    std::vector<Draft> drafts_;
    std::vector<const std::uint8_t*> sources_;
    std::vector<std::uint8_t*> outputs_;
    std::vector<kernels::Check> checks_;
    std::vector<kernels::Md5State> states_;
    std::vector<kernels::Md5State*> state_pointers_;
    std::vector<std::size_t> positions_;  ///< Of each state's survivor in its item.
    std::vector<kernels::Item> items_;
    std::vector<const kernels::Rows*> rows_;  ///< Distinct ones, in the order of their addresses.
    std::size_t bytes_ = 0;
    std::size_t input_bytes_ = 0;  ///< As a device lays them out, at most.
    std::size_t output_bytes_ = 0;
};

}  // namespace fragmend::codec
