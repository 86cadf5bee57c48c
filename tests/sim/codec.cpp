// XOR, headers, digests and the notes about them.
#include "tests/sim/codec.hpp"

#include <algorithm>

namespace fragmend::sim {

/// Notes what its attempt ends with.
class SimCodec::Digests final : public scheduler::SurvivorDigests {
  public:
    Digests(SimCodec& codec, std::size_t count) : codec_(codec), md5s_(count) {}

    /// The first round says what the attempt is about; what was known about it is void.
    void feed(const scheduler::SegmentWork& work) {
        if (indexes_.empty()) indexes_ = work.plan->survivors();
        for (std::size_t j = 0; j < md5s_.size(); ++j)
            md5s_[j].update(work.survivors[j]);
        const auto* header = reinterpret_cast<const char*>(work.survivors.front().data());
        seed_ = seed_of_header(header);
        for (const std::uint8_t wanted : work.plan->wanted()) {
            if (wanted_.insert(wanted).second) codec_.evidence_.erase({seed_, wanted});
        }
    }

    Md5Digest finish(std::size_t position) override {
        const Md5Digest digest = md5s_.at(position).finish();
        for (const std::uint8_t wanted : wanted_) {
            Evidence& evidence = codec_.evidence_[{seed_, wanted}];
            evidence.survivors = md5s_.size();
            const std::uint8_t index = indexes_.at(position);
            const auto owner = codec_.truth_.owner(to_hex(digest));
            const bool is_good = owner == std::pair(seed_, index);
            (is_good ? evidence.good : evidence.bad).insert(index);
        }
        return digest;
    }

  private:
    SimCodec& codec_;
    std::vector<Md5> md5s_;
    std::vector<std::uint8_t> indexes_;
    std::uint64_t seed_ = 0;
    std::set<std::uint8_t> wanted_;
};

std::size_t SimCodec::fragment_bytes(const scheduler::EcScheme& scheme, std::size_t segment_bytes) {
    const auto k = static_cast<std::size_t>(scheme.k);
    return header_bytes + (segment_bytes + k - 1) / k;
}

std::optional<std::size_t> SimCodec::announced_bytes(ByteView header) {
    return announced_piece(reinterpret_cast<const char*>(header.data()));
}

std::optional<std::vector<std::uint8_t>> SimCodec::choose_survivors(
    const scheduler::EcScheme& scheme, std::span<const std::uint8_t> available, std::uint8_t) {
    if (available.size() < static_cast<std::size_t>(scheme.k)) return std::nullopt;
    return std::vector<std::uint8_t>(available.begin(), available.begin() + scheme.k);
}

Result<std::shared_ptr<const scheduler::DecodePlan>> SimCodec::plan(
    const scheduler::EcScheme& scheme, std::span<const std::uint8_t> survivors,
    std::span<const std::uint8_t> wanted) {
    return std::make_shared<const scheduler::DecodePlan>(
        scheme, std::vector<std::uint8_t>(survivors.begin(), survivors.end()),
        std::vector<std::uint8_t>(wanted.begin(), wanted.end()));
}

std::unique_ptr<scheduler::SurvivorDigests> SimCodec::digests(std::size_t survivor_count) {
    return std::make_unique<Digests>(*this, survivor_count);
}

const Evidence* SimCodec::evidence(std::uint64_t seed, std::uint8_t wanted) const {
    const auto found = evidence_.find({seed, wanted});
    return found == evidence_.end() ? nullptr : &found->second;
}

void SimCodec::run(std::span<scheduler::SegmentWork*> batch) {
    for (scheduler::SegmentWork* work : batch) {
        const auto& indexes = work->plan->survivors();
        const std::size_t bytes = work->fragment_bytes();
        if (lost) {
            work->error = Error{errc::wrong_bytes, "the engine is gone"};
            continue;
        }
        std::string sum(bytes, '\0');
        for (std::size_t j = 0; j < indexes.size(); ++j) {
            const auto* in = reinterpret_cast<const char*>(work->survivors[j].data());
            if (!is_good_header(in, indexes[j], bytes)) {
                work->error = Error{errc::bad_fragment, "fragment header"};
                work->culprit = static_cast<int>(j);
                break;
            }
            for (std::size_t i = header_bytes; i < bytes; ++i)
                sum[i] = static_cast<char>(sum[i] ^ in[i] ^ mask_of(indexes[j]));
        }
        if (work->error) continue;
        const auto* first = reinterpret_cast<const char*>(work->survivors.front().data());
        for (std::size_t o = 0; o < work->outputs.size(); ++o) {
            const std::uint8_t wanted = work->plan->wanted()[o];
            auto* out = reinterpret_cast<char*>(work->outputs[o].data());
            for (std::size_t i = header_bytes; i < bytes; ++i)
                out[i] = static_cast<char>(sum[i] ^ mask_of(wanted));
            put_header(out, seed_of_header(first), wanted, bytes);
        }
        if (auto* digests = dynamic_cast<Digests*>(work->digests)) digests->feed(*work);
        if (!dice.chance(wrong_percent)) continue;
        work->outputs[dice.draw(work->outputs.size())][dice.draw(bytes)] ^= std::byte{1};
        work->error = Error{errc::wrong_bytes, "cross-check"};
    }
}

}  // namespace fragmend::sim
