// Keeping all slots taken.
#include "kernels/bench/engine_flow.hpp"

#include <chrono>

#include "kernels/api/md5_stream.hpp"

namespace fragmend::bench {

using kernels::Status;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint32_t wait_limit_ms = 20'000;

double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

bool digest_is_right(const kernels::Md5State& state, const std::uint8_t* data, std::size_t bytes,
                     int rounds) {
    kernels::Md5State expected;
    for (int i = 0; i < rounds; ++i) {
        kernels::md5_absorb(expected, data, bytes);
    }
    return kernels::md5_digest(expected) == kernels::md5_digest(state);
}

}  // namespace

Status run_flow(kernels::Engine& engine, std::vector<Work>& works, kernels::Memory memory,
                int rounds, Flow& flow) {
    const std::size_t slots = works.size();
    const std::size_t batches = slots * static_cast<std::size_t>(rounds);
    std::vector<kernels::Ticket> tickets(slots);
    std::vector<Clock::time_point> ends;
    double submitting = 0;
    const auto submit = [&](std::size_t batch) {
        const auto before = Clock::now();
        const Status status =
            engine.submit(works[batch % slots].items, memory, tickets[batch % slots]);
        submitting += seconds_between(before, Clock::now());
        return status;
    };
    Status status;
    const auto start = Clock::now();
    for (std::size_t i = 0; status.ok() && i < slots; ++i) {
        status = submit(i);
    }
    for (std::size_t i = 0; status.ok() && i < batches; ++i) {
        status = engine.wait(tickets[i % slots], wait_limit_ms);
        ends.push_back(Clock::now());
        if (status.ok() && i + slots < batches) status = submit(i + slots);
    }
    if (!status.ok()) {
        // Whatever still flies must not take a slot from the next row.
        for (const kernels::Ticket ticket : tickets) {
            (void)engine.wait(ticket, wait_limit_ms);
        }
        return status;
    }
    // Between these two ends all slots were taken all the time.
    const std::size_t first = slots - 1;
    const std::size_t last = batches - slots;
    flow.seconds = seconds_between(ends[first], ends[last]) / static_cast<double>(last - first);
    flow.seconds_with_ends = seconds_between(start, ends.back()) / static_cast<double>(batches);
    flow.submit_seconds = submitting / static_cast<double>(batches);
    return {};
}

bool digests_are_right(const Work& work, int rounds) {
    for (const std::size_t i : {std::size_t{0}, work.items.size() - 1}) {
        const kernels::Item& item = work.items[i];
        for (std::size_t d = 0; d < item.digests.size(); ++d) {
            const std::uint8_t* data =
                d < item.sources.size() ? item.sources[d] : item.outputs[d - item.sources.size()];
            if (!digest_is_right(*item.digests[d], data, item.bytes, rounds)) return false;
        }
    }
    return true;
}

}  // namespace fragmend::bench
