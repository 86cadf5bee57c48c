// Estimates from what was observed.
#include "host/codec/router.hpp"

#include <algorithm>
#include <bit>

namespace fragmend::codec {
namespace {

/// How much one batch moves its figure.
constexpr double weight = 0.125;
/// Every so many batches the other path gets one, unless it is expected to take this much longer.
constexpr std::uint32_t turns_between_probes = 256;
constexpr double probe_factor_max = 4;
/// While a device has enough to do, a core that takes this much longer still adds to what is done.
constexpr double worth_factor_max = 3;

}  // namespace

std::size_t Router::class_of(std::size_t bytes) {
    const std::size_t first = class_bytes(0);
    if (bytes <= first) return 0;
    return std::min<std::size_t>(std::bit_width(bytes / first) - 1, classes - 1);
}

Router::Rates& Router::rates(Path path, gf::Field field) {
    return rates_[static_cast<std::size_t>(path)][static_cast<std::size_t>(field)];
}

const Router::Rates& Router::rates(Path path, gf::Field field) const {
    return rates_[static_cast<std::size_t>(path)][static_cast<std::size_t>(field)];
}

std::optional<double> Router::seconds(const Rates& rates, std::size_t bytes) {
    const std::size_t wanted = class_of(bytes);
    // The nearest class that knows something, the smaller one first: what it costs to start a batch
    // weighs more there, so a guess from below is rather too dear than too cheap.
    for (std::size_t distance = 0; distance < classes; ++distance) {
        if (distance <= wanted && rates[wanted - distance] > 0) {
            return rates[wanted - distance] * static_cast<double>(bytes);
        }
        if (wanted + distance < classes && rates[wanted + distance] > 0) {
            return rates[wanted + distance] * static_cast<double>(bytes);
        }
    }
    return std::nullopt;
}

std::optional<double> Router::estimate(Path path, gf::Field field, std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    return seconds(rates(path, field), bytes);
}

Path Router::choose(gf::Field field, std::size_t bytes) {
    if (policy_ == RoutePolicy::device_first) return Path::device;
    const std::lock_guard lock(mutex_);
    const auto cpu = seconds(rates(Path::cpu, field), bytes);
    auto device = seconds(rates(Path::device, field), bytes);
    if (!device) return Path::cpu;
    const bool has_enough = queue_s() >= queue_batches * *device;
    *device += queue_s();
    if (cpu && has_enough && *cpu < worth_factor_max * *device) return Path::cpu;
    if (!cpu) return Path::device;
    const Path sooner = *device < *cpu ? Path::device : Path::cpu;
    if (++turns_ % turns_between_probes != 0) return sooner;
    const double factor = std::max(*device, *cpu) / std::min(*device, *cpu);
    if (factor > probe_factor_max) return sooner;
    return sooner == Path::cpu ? Path::device : Path::cpu;
}

Router::Departure Router::depart(gf::Field field, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const double own = seconds(rates(Path::device, field), bytes).value_or(0);
    if (own <= 0) return {};
    const Departure departure{own, own / (own + queue_s())};
    under_way_s_ += own;
    return departure;
}

void Router::arrive(const Departure& departure) {
    const std::lock_guard lock(mutex_);
    under_way_s_ = std::max(0.0, under_way_s_ - departure.own_s);
}

void Router::observe(Path path, gf::Field field, std::size_t bytes, double taken) {
    if (bytes == 0 || taken <= 0) return;
    const double rate = taken / static_cast<double>(bytes);
    const std::lock_guard lock(mutex_);
    double& known = rates(path, field)[class_of(bytes)];
    known = known == 0 ? rate : known + weight * (rate - known);
}

void Router::forget_device() {
    const std::lock_guard lock(mutex_);
    rates_[static_cast<std::size_t>(Path::device)] = {};
}

}  // namespace fragmend::codec
