// Batches on the CPU: check headers, hash survivors, decode, cross-check, write the header.
#include "host/codec/cpu_codec.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "host/codec/cpu_digests.hpp"
#include "host/codec/md5_lanes.hpp"
#include "host/codec/survivor_check.hpp"
#include "kernels/gf/decode_row.hpp"

namespace fragmend::codec {

using scheduler::SegmentWork;

namespace {

/// Survivor bytes that are hashed together and then decoded: enough streams to keep the MD5 lanes
/// full, few enough bytes for decoding to find them in a cache.
constexpr std::size_t group_bytes = 8u << 20;

/// Survivor sets that are tried out on the library before one fragment counts as lost.
constexpr std::size_t library_choices_max = 64;

/// Of this thread.
std::chrono::nanoseconds cpu_time() {
    timespec now{};
    static_cast<void>(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now));
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// What `plan` makes; asked for every item, where a dynamic_cast would cost as much as the header.
bool is_ours(const scheduler::DecodePlan& plan) {
    const std::type_info& type = typeid(plan);
    return type == typeid(CpuPlan) || type == typeid(LibraryPlan);
}

}  // namespace

std::span<Md5Stream> streams_of(const SegmentWork& item) {
    if (item.digests == nullptr) return {};
    auto* digests = dynamic_cast<CpuDigests*>(item.digests);
    FRAGMEND_ASSERT(digests != nullptr && digests->streams().size() == item.survivors.size());
    return digests->streams();
}

/// What a thread reuses from batch to batch.
struct CpuCodec::Workspace {
    struct Accepted {
        SegmentWork* item;
        SiblingHeaders source;
    };
    SurvivorCheck check;
    std::vector<Accepted> accepted;
    std::vector<Md5Feed> feeds;
    DecodeScratch scratch;
};

CrcForm crc_form_of_environment() {
    const char* value = std::getenv("LIBERASURECODE_WRITE_LEGACY_CRC");
    const std::string_view text = value != nullptr ? value : "";
    return text.empty() || text == "0" ? CrcForm::standard : CrcForm::legacy;
}

CpuCodec::CpuCodec(CpuCodecOptions options)
    : decoder_(options.decoder),
      crc_form_(options.crc_form),
      library_version_(options.library_version.value_or(codec::library_version())),
      dot_kernels_(options.dot_kernels != nullptr ? *options.dot_kernels
                                                  : *available_kernels().back()),
      md5_kernel_(options.md5_kernel != nullptr ? *options.md5_kernel
                                                : *available_md5_kernels().back()),
      generator_(options.generator),
      log_(options.log),
      plans_(options.plans_max) {}

Result<std::shared_ptr<const CpuCodec::SchemeDecoder>> CpuCodec::decoder(const EcScheme& scheme) {
    const std::lock_guard lock(schemes_mutex_);
    const auto known = schemes_.find(scheme);
    if (known != schemes_.end()) return known->second;
    auto made = make_decoder(scheme);
    if (made) schemes_.emplace(scheme, *made);
    return made;
}

Result<std::shared_ptr<const CpuCodec::SchemeDecoder>> CpuCodec::make_decoder(
    const EcScheme& scheme) {
    const auto back_end = find_back_end(scheme.ec_type);
    if (!back_end) return back_end.error();
    const bool solved_exactly = gf::field((*back_end)->code) == gf::Field::gf2;
    SchemeDecoder made;
    if (decoder_ != Decoder::library || solved_exactly) {
        auto generator = generator_((*back_end)->code, scheme.k, scheme.m);
        if (generator) {
            made.matrices.emplace(SchemeEntry{scheme, *back_end, std::move(*generator)});
        } else if (decoder_ == Decoder::matrices || solved_exactly) {
            return Error{errc::unsupported_scheme, to_string(scheme) + " does not exist"};
        }
    }
    if (!made.matrices) {
        auto installed = library(scheme);
        if (!installed) return installed.error();
        made.library = std::move(*installed);
    }
    return std::make_shared<const SchemeDecoder>(std::move(made));
}

Result<std::shared_ptr<const LibraryScheme>> CpuCodec::library(const EcScheme& scheme) {
    const auto known = libraries_.find(scheme);
    if (known != libraries_.end()) return known->second;
    auto made = LibraryScheme::make(scheme);
    if (made) libraries_.emplace(scheme, *made);
    return made;
}

Result<void> CpuCodec::check(const EcScheme& scheme) {
    const auto known = decoder(scheme);
    if (!known) return known.error();
    const auto found = installed(scheme);
    if (!found) return found.error();
    const std::shared_ptr<const LibraryScheme>& reference = *found;
    const std::string name = "liberasurecode " + version_text(codec::library_version());
    if ((*known)->library != nullptr) {
        log_.notice(
            name + " itself decodes " + to_string(scheme) +
            (decoder_ == Decoder::library ? ", as configured" : ": Fragmend has no matrix for it"));
    } else if (decoder_ == Decoder::library) {
        log_.notice("Fragmend decodes " + to_string(scheme) +
                    ": liberasurecode can give wrong bytes for flat XOR codes");
    }
    const RunOne here = [this](SegmentWork& item) { return run_one(item); };
    const auto same = gives_back(scheme, here);
    if (same) return {};
    const std::string why =
        name + " encodes " + to_string(scheme) + " unlike Fragmend: " + same.error().detail;
    const bool can_turn = decoder_ == Decoder::automatic && (*known)->library == nullptr &&
                          gf::field(reference->back_end().code) != gf::Field::gf2;
    if (!can_turn) return Error{errc::unsupported_scheme, why};
    {
        const std::lock_guard lock(schemes_mutex_);
        schemes_[scheme] =
            std::make_shared<const SchemeDecoder>(SchemeDecoder{std::nullopt, reference});
    }
    plans_.clear();
    log_.notice(why + "; so it decodes itself");
    return gives_back(scheme, here);
}

Result<std::shared_ptr<const LibraryScheme>> CpuCodec::installed(const EcScheme& scheme) {
    const std::lock_guard lock(schemes_mutex_);
    return library(scheme);
}

Result<void> CpuCodec::run_one(SegmentWork& item) {
    SegmentWork* batch[] = {&item};
    run(batch);
    if (item.error) return *item.error;
    return {};
}

Result<void> CpuCodec::gives_back(const EcScheme& scheme, const RunOne& rebuild) {
    const auto found = installed(scheme);
    if (!found) return found.error();
    const LibraryScheme& reference = **found;
    const auto& sample = reference.sample();
    std::vector<std::uint8_t> all(sample.size());
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    for (std::uint8_t wanted : all) {
        const auto survivors = choose_survivors(reference.scheme(), all, wanted);
        if (!survivors) return Error{errc::singular, "nothing determines one fragment"};
        auto made = plan(reference.scheme(), *survivors, wanted);
        if (!made) return made.error();
        std::vector<ByteView> views;
        for (std::uint8_t index : *survivors) {
            views.emplace_back(sample[index]);
        }
        std::vector<std::byte> output(sample[wanted].size());
        const ByteSpan outputs[] = {output};
        SegmentWork item;
        item.plan = *made;
        item.survivors = views;
        item.outputs = outputs;
        if (auto done = rebuild(item); !done) return done;
        if (auto same = reference.compare(output, wanted); !same) return same;
    }
    return {};
}

std::size_t CpuCodec::fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) {
    const auto back_end = find_back_end(scheme.ec_type);
    FRAGMEND_ASSERT(back_end.has_value() && scheme.k > 0 && segment_bytes > 0);
    return fragment_header_bytes + payload_bytes(**back_end, scheme.k, segment_bytes);
}

std::optional<std::size_t> CpuCodec::announced_bytes(ByteView header) {
    const auto parsed = parse_fragment_header(header);
    if (parsed.has_error()) return std::nullopt;
    return fragment_header_bytes + parsed->payload_bytes;
}

std::optional<std::vector<std::uint8_t>> CpuCodec::choose_survivors(
    const EcScheme& scheme, std::span<const std::uint8_t> available, std::uint8_t wanted) {
    const auto known = decoder(scheme);
    if (!known || wanted >= scheme.n()) return std::nullopt;
    if ((*known)->matrices) {
        const SchemeEntry& entry = *(*known)->matrices;
        return gf::choose_survivors(entry.back_end->code, entry.generator, available, wanted);
    }
    // The library does not say which sets it can use: the first k come first, then others with the
    // preferred ones kept longest.
    std::vector<std::uint8_t> usable(available.begin(), available.end());
    std::erase(usable, wanted);
    const auto k = static_cast<std::size_t>(scheme.k);
    if (usable.size() < k) return std::nullopt;
    std::vector<bool> taken(usable.size());
    std::fill_n(taken.begin(), k, true);
    for (std::size_t tries = 0; tries < library_choices_max; ++tries) {
        std::vector<std::uint8_t> chosen;
        for (std::size_t i = 0; i < usable.size(); ++i) {
            if (taken[i]) chosen.push_back(usable[i]);
        }
        if (plan(scheme, chosen, wanted)) return chosen;
        if (!std::prev_permutation(taken.begin(), taken.end())) break;
    }
    return std::nullopt;
}

Result<std::shared_ptr<const scheduler::DecodePlan>> CpuCodec::plan(
    const EcScheme& scheme, std::span<const std::uint8_t> survivors,
    std::span<const std::uint8_t> wanted) {
    PlanKey key{scheme, {survivors.begin(), survivors.end()}, {wanted.begin(), wanted.end()}};
    if (auto cached = plans_.find(key)) return cached;
    const auto known = decoder(scheme);
    if (!known) return known.error();
    std::shared_ptr<const FragmentPlan> plan;
    if ((*known)->matrices) {
        auto made = CpuPlan::make(*(*known)->matrices, survivors, wanted, dot_kernels_);
        if (!made) return made.error();
        plan = std::move(*made);
    } else {
        auto made = LibraryPlan::make((*known)->library, survivors, wanted);
        if (!made) return made.error();
        plan = std::move(*made);
    }
    plans_.insert(std::move(key), plan);
    return plan;
}

std::unique_ptr<scheduler::SurvivorDigests> CpuCodec::digests(std::size_t survivor_count) {
    return std::make_unique<CpuDigests>(survivor_count);
}

void CpuCodec::run(std::span<SegmentWork*> batch) {
    thread_local Workspace workspace;
    std::size_t first = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        bytes += batch[i]->survivors.size() * batch[i]->fragment_bytes();
        if (bytes < group_bytes && i + 1 != batch.size()) continue;
        run_group(batch.subspan(first, i + 1 - first), workspace);
        first = i + 1;
        bytes = 0;
    }
}

Md5Digest CpuCodec::fingerprint(ByteView bytes) {
    std::array<Md5Stream, md5_lanes_max> streams;
    std::vector<Md5Feed> feeds;
    feeds.reserve(streams.size());
    const std::size_t slice = (bytes.size() + streams.size() - 1) / streams.size();
    for (Md5Stream& stream : streams) {
        feeds.push_back({&stream, bytes.first(std::min(slice, bytes.size()))});
        bytes = bytes.subspan(feeds.back().bytes.size());
    }
    update(feeds, md5_kernel_);
    Md5 all;
    for (const Md5Stream& stream : streams)
        all.update(finish(stream));
    return all.finish();
}

void CpuCodec::run_group(std::span<SegmentWork*> group, Workspace& workspace) {
    const auto began = cpu_time();
    workspace.accepted.clear();
    workspace.feeds.clear();
    for (SegmentWork* item : group) {
        FRAGMEND_ASSERT(is_ours(*item->plan));
        FRAGMEND_ASSERT(item->survivors.size() == item->plan->survivors().size());
        FRAGMEND_ASSERT(item->outputs.size() == item->plan->wanted().size());
        item->error.reset();
        item->culprit = -1;
        const SiblingHeaders* source = workspace.check.run(*item);
        if (source == nullptr) continue;
        workspace.accepted.push_back({item, *source});
        const std::span<Md5Stream> streams = streams_of(*item);
        for (std::size_t j = 0; j < streams.size(); ++j) {
            workspace.feeds.push_back({&streams[j], item->survivors[j]});
        }
    }
    if (!workspace.feeds.empty()) update(workspace.feeds, md5_kernel_);
    const auto verified = cpu_time();
    std::uint32_t turn =
        next_check_.fetch_add(static_cast<std::uint32_t>(group.size()), std::memory_order_relaxed);
    for (const Workspace::Accepted& accepted : workspace.accepted) {
        decode(*accepted.item, accepted.source, turn++, workspace);
    }
    verify_ns_.fetch_add((verified - began).count(), std::memory_order_relaxed);
    decode_ns_.fetch_add((cpu_time() - verified).count(), std::memory_order_relaxed);
}

scheduler::CodecTimes CpuCodec::times() const {
    return {std::chrono::nanoseconds(verify_ns_.load(std::memory_order_relaxed)),
            std::chrono::nanoseconds(decode_ns_.load(std::memory_order_relaxed))};
}

void CpuCodec::decode(SegmentWork& item, const SiblingHeaders& source, std::uint32_t turn,
                      Workspace& workspace) {
    const auto& plan = static_cast<const FragmentPlan&>(*item.plan);
    if (auto done = plan.rebuild(item, turn, workspace.scratch); !done) {
        item.error = done.error();
        return;
    }
    write_header(item, source);
}

void CpuCodec::write_header(SegmentWork& item, const SiblingHeaders& source) const {
    const auto& plan = static_cast<const FragmentPlan&>(*item.plan);
    FragmentHeader header;
    header.payload_bytes = source.header().payload_bytes;
    header.segment_bytes = source.header().segment_bytes;
    header.backend_id = plan.back_end().id;
    header.backend_version = plan.back_end().version;
    header.library_version = library_version_;
    for (std::size_t o = 0; o < item.outputs.size(); ++o) {
        header.index = plan.wanted()[o];
        const auto output = item.outputs[o].first<fragment_header_bytes>();
        if (!source.write(header, crc_form_, output)) {
            write_fragment_header(header, crc_form_, output);
        }
    }
}

}  // namespace fragmend::codec
