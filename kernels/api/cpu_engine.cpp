// Running tiles and streams on the CPU.
#include "kernels/api/cpu_engine.hpp"

#include <algorithm>
#include <new>

#include "kernels/api/decode_step.hpp"
#include "kernels/api/variants.hpp"

namespace fragmend::kernels {
namespace {

constexpr std::size_t page_bytes = 4096;
/// Small, so that items of a few KiB already have several tiles.
constexpr std::uint32_t tile_columns = 64;

TaskView view_of(WorkList& work, const TaskGroup& group, const DecodeTask& task) {
    TaskView view;
    view.pointers = work.pointers().data() + task.first_pointer;
    view.table = work.table().data() + task.first_table_word;
    view.bytes = task.bytes;
    view.sources = task.sources;
    view.aligned = task.aligned;
    view.check = group.check;
    return view;
}

/// All tiles of one group, as the blocks of a launch would take them.
struct RunGroup {
    WorkList& work;
    const TaskGroup& group;

    template <Kernel kernel, unsigned K, unsigned M>
    void operator()() const {
        const std::uint32_t* first_tiles = work.first_tiles().data() + group.first_task;
        for (std::uint32_t tile = 0; tile < group.tiles; ++tile) {
            const std::uint32_t index = task_of_tile(first_tiles, group.task_count, tile);
            const DecodeTask& task = work.tasks()[group.first_task + index];
            const TaskView view = view_of(work, group, task);
            const std::uint64_t first =
                std::uint64_t{tile - first_tiles[index]} * group.tile_columns;
            const std::uint64_t end =
                std::min(first + group.tile_columns, columns(kernel, task.bytes));
            for (std::uint64_t column = first; column < end; ++column) {
                if (decode_column<kernel, K, M>(view, column)) work.differences()[task.item] = 1;
            }
        }
    }
};

void run_group(WorkList& work, const TaskGroup& group) {
    const RunGroup run{work, group};
    switch (group.kernel) {
        case Kernel::exclusive_or:
            return with_instance<Kernel::exclusive_or>(group.sources, group.outputs, run);
        case Kernel::packets:
            return with_instance<Kernel::packets>(group.sources, group.outputs, run);
        case Kernel::gf8:
            return with_instance<Kernel::gf8>(group.sources, group.outputs, run);
        case Kernel::gf16:
            return with_instance<Kernel::gf16>(group.sources, group.outputs, run);
        case Kernel::reference_gf8:
            return with_instance<Kernel::reference_gf8>(group.sources, group.outputs, run);
        case Kernel::reference_gf16:
            return with_instance<Kernel::reference_gf16>(group.sources, group.outputs, run);
    }
}

void run_streams(const WorkList& work) {
    for (std::size_t i = 0; i < work.streams().size(); ++i) {
        const StreamTask& stream = work.streams()[i];
        for (const StreamPart& part : work.parts().subspan(stream.first_part, stream.part_count)) {
            md5_absorb(*work.states()[i], reinterpret_cast<const std::uint8_t*>(part.address),
                       part.bytes);
        }
    }
}

}  // namespace

CpuEngine::CpuEngine(const Limits& limits) : limits_(limits), tickets_(limits.batches_in_flight) {
    work_.reserve(limits.batches_in_flight);
    for (std::uint32_t i = 0; i < limits.batches_in_flight; ++i) {
        work_.emplace_back(limits);
    }
}

Status CpuEngine::submit(std::span<Item> items, Memory /*memory*/, Ticket& ticket) {
    const auto acquired = tickets_.acquire();
    if (!acquired) return {StatusCode::busy, 0, "all batches are in flight"};
    WorkList& work = work_[acquired->slot];
    Status status = work.list(items);
    if (status.ok()) status = work.arrange(items, tile_columns);
    if (!status.ok()) {
        tickets_.release(*acquired);
        return status;
    }
    for (const TaskGroup& group : work.groups()) {
        run_group(work, group);
    }
    run_streams(work);
    for (std::size_t i = 0; i < items.size(); ++i) {
        items[i].wrong = work.differences()[i] != 0;
    }
    ticket = *acquired;
    return {};
}

Status CpuEngine::wait(Ticket ticket, std::uint32_t /*limit_ms*/) {
    if (!tickets_.claim(ticket)) return {StatusCode::bad_ticket, 0, "not in flight"};
    tickets_.release(ticket);
    return {};
}

std::uint8_t* CpuEngine::allocate_pinned(std::size_t bytes) {
    return static_cast<std::uint8_t*>(
        ::operator new (bytes, std::align_val_t{page_bytes}, std::nothrow));
}

void CpuEngine::free_pinned(std::uint8_t* memory) {
    ::operator delete (memory, std::align_val_t{page_bytes});
}

}  // namespace fragmend::kernels
