// Two threads that keep an engine's slots taken.
#include "kernels/selftest/overlap_cases.hpp"

#include <deque>
#include <random>
#include <thread>

#include "kernels/selftest/case_table.hpp"

namespace fragmend::selftest {
namespace {

using kernels::Memory;

constexpr std::uint32_t overlap_wait_limit_ms = 60'000;
constexpr int rounds = 3;
constexpr std::size_t cases_a_batch = 12;

constexpr Shape shapes[] = {{gf::Code::isa_l_rs_cauchy, 10, 4},
                            {gf::Code::liberasurecode_rs_vand, 10, 4},
                            {gf::Code::jerasure_rs_cauchy, 10, 4}};

/// One batch's cases, with memory of their own.
class OverlapBatch {
  public:
    OverlapBatch(kernels::Engine& engine, std::span<const Stripe> stripes, std::mt19937_64& random)
        : arena_(engine, bytes_of(stripes)) {
        for (std::size_t i = 0; arena_.usable() && i < cases_a_batch; ++i) {
            const Stripe& stripe = stripes[i % stripes.size()];
            const std::size_t n = stripe.fragments.size();
            const auto first = static_cast<std::uint8_t>(random() % (n - 1));
            std::vector<std::uint8_t> lost = {first};
            if (i % 2 == 1) lost.push_back(static_cast<std::uint8_t>(first + 1));
            Variation variation;
            variation.aligned = i % 4 != 3;
            auto made = Case::make(stripe, lost, variation, arena_, "overlapping batches");
            if (made) cases_.push_back(std::move(made));
        }
    }

    bool submit(kernels::Engine& engine, Memory memory) {
        items_.clear();
        for (const auto& one : cases_) {
            one->reset();
            items_.push_back(one->item());
        }
        return engine.submit(items_, memory, ticket_).ok();
    }

    /// Waits and judges all cases.
    void land(kernels::Engine& engine, Tally& tally) {
        const bool ok = engine.wait(ticket_, overlap_wait_limit_ms).ok() && !cases_.empty();
        tally.count(ok, "a batch among others");
        for (std::size_t i = 0; i < cases_.size(); ++i) {
            tally.count(ok && cases_[i]->verify(items_[i].wrong), cases_[i]->name());
        }
    }

  private:
    static std::size_t bytes_of(std::span<const Stripe> stripes) {
        std::size_t bytes = 0;
        for (const Stripe& stripe : stripes) {
            bytes += (cases_a_batch / stripes.size() + 1) * Case::bytes_max(stripe);
        }
        return bytes;
    }

    Arena arena_;
    std::vector<std::unique_ptr<Case>> cases_;
    std::vector<kernels::Item> items_;
    kernels::Ticket ticket_;
};

/// Keeps `batches` in flight, the oldest awaited before it is submitted again.
void keep_flying(kernels::Engine& engine, std::deque<OverlapBatch>& batches, Memory memory,
                 Tally& tally) {
    for (OverlapBatch& batch : batches) {
        tally.count(batch.submit(engine, memory), "a slot for each batch");
    }
    for (int round = 1; round <= rounds; ++round) {
        for (OverlapBatch& batch : batches) {
            batch.land(engine, tally);
            if (round < rounds)
                tally.count(batch.submit(engine, memory), "a slot that is free again");
        }
    }
}

}  // namespace

void run_overlap_cases(kernels::Engine& engine, std::span<const Memory> memories, Tally& tally) {
    std::mt19937_64 random(5);
    std::vector<Stripe> stripes;
    for (const Shape& shape : shapes) {
        const std::size_t bytes = lengths(shape.code).back();
        stripes.push_back(
            make_stripe(shape, gf::generator(shape.code, shape.k, shape.m).value(), bytes, random));
    }
    std::deque<OverlapBatch> batches[2];
    for (std::uint32_t i = 0; i < engine.limits().batches_in_flight; ++i) {
        batches[i % 2].emplace_back(engine, stripes, random);
    }
    for (const Memory memory : memories) {
        Tally other;
        {
            const std::jthread second([&] { keep_flying(engine, batches[1], memory, other); });
            keep_flying(engine, batches[0], memory, tally);
        }
        tally.add(other);
    }
}

}  // namespace fragmend::selftest
