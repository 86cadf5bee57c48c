// Made-up fragments, run on both paths.
#include "host/codec/calibration.hpp"

#include <algorithm>
#include <random>

#include "host/codec/device_batch.hpp"

namespace fragmend::codec {

using scheduler::SegmentWork;

namespace {

/// Swift's segments of 1 MiB in ten parts.
constexpr std::size_t payload_bytes_max = 104'858;
/// The fastest counts: the first run warms caches and clocks up.
constexpr int repeats = 3;

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point start) {
    return std::chrono::duration<double>(Steady::now() - start).count();
}

/// One batch on the engine, from gathering to headers.
Trial run_on(kernels::Engine& engine, CpuCodec& cpu, SyntheticRounds& rounds,
             std::chrono::milliseconds wait) {
    DeviceBatch batch;
    SurvivorCheck check;
    std::uint32_t turn = 0;
    for (SegmentWork* item : rounds.items()) {
        const SiblingHeaders* source = check.run(*item);
        FRAGMEND_ASSERT(source != nullptr);
        batch.add(*item, *source, turn++);
    }
    kernels::Ticket ticket;
    kernels::Status status = batch.submit(engine, ticket);
    if (status.ok()) status = engine.wait(ticket, static_cast<std::uint32_t>(wait.count()));
    if (!status.ok()) {
        return {std::string(kernels::name(status.code)) + " (" + status.detail + ")",
                status.code == kernels::StatusCode::timed_out};
    }
    batch.take_results();
    for (const DeviceBatch::Entry& entry : batch.entries()) {
        if (entry.wrong) return {"its own cross-check fails"};
        cpu.write_header(*entry.item, entry.source);
    }
    return {};
}

/// Whether a batch of this size can be one of the engine's.
bool fits(SyntheticRounds& rounds, const kernels::Limits& limits) {
    DeviceBatch batch;
    SurvivorCheck check;
    for (SegmentWork* item : rounds.items()) {
        if (!batch.fits(*item, limits)) return false;
        batch.add(*item, *check.run(*item), 0);
    }
    return true;
}

Trial compare(CpuCodec& cpu, kernels::Engine& engine, const CalibrationLimits& limits,
              const EcScheme& scheme, std::size_t bytes, Router* router) {
    SyntheticRounds rounds(cpu, scheme, bytes);
    if (!fits(rounds, engine.limits())) return {};
    const auto field = static_cast<const CpuPlan&>(rounds.plan()).field();
    double best[2] = {0, 0};
    for (int repeat = 0; repeat < (router != nullptr ? repeats : 1); ++repeat) {
        Md5Digest summaries[2];
        for (const Path path : {Path::cpu, Path::device}) {
            rounds.reset(cpu);
            const auto start = Steady::now();
            if (path == Path::cpu) {
                cpu.run(rounds.items());
            } else if (Trial trial = run_on(engine, cpu, rounds, limits.wait); !trial.why.empty()) {
                return trial;
            }
            const double taken = seconds_since(start);
            double& shortest = best[static_cast<std::size_t>(path)];
            shortest = repeat == 0 ? taken : std::min(shortest, taken);
            summaries[static_cast<std::size_t>(path)] = rounds.summary();
        }
        if (summaries[0] != summaries[1]) {
            return {"gives other bytes than the CPU for " + to_string(scheme)};
        }
    }
    if (router != nullptr) {
        router->observe(Path::cpu, field, rounds.survivor_bytes(), best[0]);
        router->observe(Path::device, field, rounds.survivor_bytes(), best[1]);
    }
    return {};
}

}  // namespace

SyntheticRounds::SyntheticRounds(CpuCodec& cpu, const EcScheme& scheme, std::size_t bytes) {
    const BackEnd& back_end = *find_back_end(scheme.ec_type).value();
    std::vector<std::uint8_t> available;
    for (int i = scheme.n() - 1; i >= 0; --i) {
        available.push_back(static_cast<std::uint8_t>(i));
    }
    const auto survivors = cpu.choose_survivors(scheme, available, 0).value();
    plan_ = cpu.plan(scheme, survivors, 0).value();
    const std::size_t unit = back_end.unit_bytes;
    const std::size_t wish = std::min(bytes / survivors.size(), payload_bytes_max);
    const std::size_t payload = std::max(wish / unit, std::size_t{1}) * unit;
    const std::size_t fragment = fragment_header_bytes + payload;
    const std::size_t count = std::max(bytes / (survivors.size() * fragment), std::size_t{1});
    survivor_bytes_ = count * survivors.size() * fragment;

    memory_.resize(count * (survivors.size() + 1) * fragment);
    std::mt19937_64 random(1);
    std::ranges::generate(memory_, [&] { return static_cast<std::byte>(random()); });
    FragmentHeader header;
    header.payload_bytes = static_cast<std::uint32_t>(payload);
    header.segment_bytes = payload * static_cast<std::size_t>(scheme.k);
    header.backend_id = back_end.id;
    header.backend_version = back_end.version;
    header.library_version = 0x010602;
    ByteSpan rest = memory_;
    const auto take = [&] {
        const ByteSpan taken = rest.first(fragment);
        rest = rest.subspan(fragment);
        return taken;
    };
    items_.resize(count);
    views_.resize(count);
    outputs_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::uint8_t index : survivors) {
            const ByteSpan survivor = take();
            header.index = index;
            write_fragment_header(header, CrcForm::standard,
                                  survivor.first<fragment_header_bytes>());
            views_[i].push_back(survivor);
        }
        items_[i].plan = plan_;
        items_[i].survivors = views_[i];
        outputs_[i] = take();
        items_[i].outputs = std::span(&outputs_[i], 1);
        pointers_.push_back(&items_[i]);
    }
    reset(cpu);
}

void SyntheticRounds::reset(CpuCodec& cpu) {
    digests_.clear();
    for (SegmentWork& item : items_) {
        std::ranges::fill(item.outputs.front(), std::byte{0});
        digests_.push_back(cpu.digests(item.survivors.size()));
        item.digests = digests_.back().get();
    }
}

Md5Digest SyntheticRounds::summary() {
    Md5 md5;
    for (SegmentWork& item : items_) {
        md5.update(item.outputs.front());
        for (std::size_t j = 0; j < item.survivors.size(); ++j) {
            md5.update(item.digests->finish(j));
        }
    }
    return md5.finish();
}

std::span<const EcScheme> calibration_schemes() {
    static const EcScheme schemes[] = {{"isa_l_rs_cauchy", 10, 4},
                                       {"liberasurecode_rs_vand", 10, 4},
                                       {"jerasure_rs_cauchy", 10, 4},
                                       {"flat_xor_hd_3", 10, 5}};
    return schemes;
}

Trial calibrate(CpuCodec& cpu, kernels::Engine& engine, const CalibrationLimits& limits,
                Router* router) {
    for (const EcScheme& scheme : calibration_schemes()) {
        for (std::size_t bytes = Router::class_bytes(0); bytes <= limits.bytes_max; bytes *= 4) {
            if (Trial trial = compare(cpu, engine, limits, scheme, bytes, router);
                !trial.why.empty()) {
                return trial;
            }
        }
    }
    return {};
}

}  // namespace fragmend::codec
