// Batches on the CPU: check headers, hash survivors, decode, cross-check, write the header.
#include "host/codec/cpu_codec.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string_view>

#include "host/codec/library.hpp"
#include "host/codec/md5_lanes.hpp"
#include "kernels/gf/decode_row.hpp"

namespace fragmend::codec {

using scheduler::SegmentWork;

namespace {

/// Decode and cross-check take turns on pieces that stay in the cache; whole Jerasure super-blocks.
constexpr std::size_t tile_bytes = 16384;

/// Survivor bytes that are hashed together and then decoded: enough streams to keep the MD5 lanes full,
/// few enough bytes for decoding to find them in a cache.
constexpr std::size_t group_bytes = 8u << 20;

class CpuDigests final : public scheduler::SurvivorDigests {
  public:
    explicit CpuDigests(std::size_t survivor_count) : streams_(survivor_count) {}
    Md5Digest finish(std::size_t position) override { return codec::finish(streams_.at(position)); }
    std::span<Md5Stream> streams() { return streams_; }

  private:
    std::vector<Md5Stream> streams_;
};

const Bytes* payload_of(ByteView fragment) {
    return reinterpret_cast<const Bytes*>(fragment.data()) + fragment_header_bytes;
}

void refuse(SegmentWork& item, std::size_t position, std::string_view why) {
    item.culprit = static_cast<int>(position);
    item.error =
        Error{errc::bad_fragment, "fragment " + std::to_string(item.plan->survivors()[position]) +
                                      ": " + std::string(why)};
}

/// Reads one survivor's header into `header`; false, and the item refused, when it is not what the
/// plan says or contradicts itself.
bool check_survivor(SegmentWork& item, std::size_t position, FragmentHeader& header) {
    const auto& plan = static_cast<const CpuPlan&>(*item.plan);
    const ByteView fragment = item.survivors[position];
    if (fragment.size() != item.output.size()) {
        refuse(item, position, "not as long as this round's fragments");
        return false;
    }
    Result<FragmentHeader> parsed = check_fragment_metadata(fragment);
    if (!parsed) {
        refuse(item, position, parsed.error().detail);
        return false;
    }
    header = *parsed;
    const int k = plan.scheme().k;
    const char* why = nullptr;
    if (header.swapped) {
        why = "written on a machine of the other byte order, which no decoder reads";
    } else if (header.index != plan.survivors()[position]) {
        why = "its header has another index";
    } else if (header.backend_id != plan.back_end().id) {
        why = "written by another erasure code";
    } else if (header.backend_metadata_bytes != 0) {
        why = "carries back-end metadata, which this erasure code does not have";
    } else if (header.payload_bytes + fragment_header_bytes != fragment.size()) {
        why = "its header has another length";
    } else if (header.segment_bytes == 0 ||
               payload_bytes(plan.back_end(), k, header.segment_bytes) != header.payload_bytes) {
        why = "its length does not fit its segment's";
    }
    if (why != nullptr) refuse(item, position, why);
    return why == nullptr;
}

/// Checks all survivors; returns the header that the output's fields come from.
std::optional<FragmentHeader> check_survivors(SegmentWork& item) {
    const std::size_t count = item.survivors.size();
    FragmentHeader first;
    std::size_t agreeing = 0;
    std::optional<std::size_t> other;
    for (std::size_t j = 0; j < count; ++j) {
        FragmentHeader header;
        if (!check_survivor(item, j, header)) return std::nullopt;
        if (j == 0) first = header;
        if (header.segment_bytes == first.segment_bytes) {
            ++agreeing;
        } else if (!other) {
            other = j;
        }
    }
    if (!other) return first;
    refuse(item, 2 * agreeing >= count ? *other : 0, "its segment has another length");
    return std::nullopt;
}

}  // namespace

/// What a thread reuses from batch to batch.
struct CpuCodec::Workspace {
    struct Accepted {
        SegmentWork* item;
        FragmentHeader source;
    };
    std::vector<Accepted> accepted;
    std::vector<Md5Feed> feeds;
    std::vector<const Bytes*> inputs;
    std::vector<Bytes> rederived = std::vector<Bytes>(tile_bytes);
};

CrcForm crc_form_of_environment() {
    const char* value = std::getenv("LIBERASURECODE_WRITE_LEGACY_CRC");
    const std::string_view text = value != nullptr ? value : "";
    return text.empty() || text == "0" ? CrcForm::standard : CrcForm::legacy;
}

CpuCodec::CpuCodec(CpuCodecOptions options)
    : crc_form_(options.crc_form),
      library_version_(options.library_version.value_or(codec::library_version())),
      dot_kernels_(options.dot_kernels != nullptr ? *options.dot_kernels
                                                  : *available_kernels().back()),
      md5_kernel_(options.md5_kernel != nullptr ? *options.md5_kernel
                                                : *available_md5_kernels().back()),
      plans_(options.plans_max) {}

Result<std::shared_ptr<const SchemeEntry>> CpuCodec::entry(const EcScheme& scheme) {
    const std::lock_guard lock(schemes_mutex_);
    const auto known = schemes_.find(scheme);
    if (known != schemes_.end()) return known->second;
    const auto back_end = find_back_end(scheme.ec_type);
    if (!back_end) return back_end.error();
    std::optional<gf::Matrix> generator = gf::generator((*back_end)->code, scheme.k, scheme.m);
    if (!generator) {
        return Error{errc::unsupported_scheme, to_string(scheme) + " does not exist"};
    }
    auto made =
        std::make_shared<const SchemeEntry>(SchemeEntry{scheme, *back_end, std::move(*generator)});
    schemes_.emplace(scheme, made);
    return made;
}

Result<void> CpuCodec::check(const EcScheme& scheme) {
    const auto known = entry(scheme);
    if (!known) return known.error();
    const std::lock_guard lock(library_mutex_);
    auto library = instances_.find(scheme);
    if (library == instances_.end()) {
        const Result<LibraryInstance> created = LibraryInstance::create(scheme);
        if (!created) return created.error();
        library = instances_.emplace(scheme, *created).first;
    }

    // Two units a fragment and a bit, so that padding and every word's place take part.
    const std::size_t unit_bytes = (*known)->back_end->unit_bytes;
    std::vector<std::byte> segment(static_cast<std::size_t>(scheme.k) * 2 * unit_bytes + 1);
    for (std::size_t i = 0; i < segment.size(); ++i) {
        segment[i] = static_cast<std::byte>((i * 2654435761u) >> 13);
    }
    const auto fragments = library->second.encode(segment);
    if (!fragments) return fragments.error();
    for (int wanted = 0; wanted < scheme.n(); ++wanted) {
        const auto same = gives_back(scheme, *fragments, static_cast<std::uint8_t>(wanted));
        if (same) continue;
        return Error{errc::unsupported_scheme,
                     "liberasurecode " + version_text(codec::library_version()) + " encodes " +
                         to_string(scheme) + " unlike Fragmend: " + same.error().detail};
    }
    return {};
}

Result<void> CpuCodec::gives_back(const EcScheme& scheme,
                                  const std::vector<std::vector<std::byte>>& fragments,
                                  std::uint8_t wanted) {
    std::vector<std::uint8_t> all(fragments.size());
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    const auto survivors = choose_survivors(scheme, all, wanted);
    if (!survivors) return Error{errc::singular, "nothing determines one fragment"};
    auto made = plan(scheme, *survivors, wanted);
    if (!made) return made.error();
    std::vector<ByteView> views;
    for (std::uint8_t index : *survivors) {
        views.emplace_back(fragments[index]);
    }
    std::vector<std::byte> output(fragments[wanted].size());
    SegmentWork item;
    item.plan = *made;
    item.survivors = views;
    item.output = output;
    SegmentWork* batch[] = {&item};
    run(batch);
    if (item.error) return *item.error;
    // The writer's version and the CRC may differ; nothing before and after them may.
    constexpr std::size_t same_header_bytes = 59;
    const std::span truth(fragments[wanted]);
    if (!std::ranges::equal(std::span(output).first(same_header_bytes),
                            truth.first(same_header_bytes))) {
        return Error{errc::wrong_bytes, "another header in fragment " + std::to_string(wanted)};
    }
    if (!std::ranges::equal(std::span(output).subspan(fragment_header_bytes),
                            truth.subspan(fragment_header_bytes))) {
        return Error{errc::wrong_bytes, "another payload in fragment " + std::to_string(wanted)};
    }
    return {};
}

std::size_t CpuCodec::fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) {
    const auto back_end = find_back_end(scheme.ec_type);
    FRAGMEND_ASSERT(back_end.has_value() && scheme.k > 0 && segment_bytes > 0);
    return fragment_header_bytes + payload_bytes(**back_end, scheme.k, segment_bytes);
}

std::optional<std::vector<std::uint8_t>> CpuCodec::choose_survivors(
    const EcScheme& scheme, std::span<const std::uint8_t> available, std::uint8_t wanted) {
    const auto known = entry(scheme);
    if (!known || wanted >= scheme.n()) return std::nullopt;
    return gf::choose_survivors((*known)->back_end->code, (*known)->generator, available, wanted);
}

Result<std::shared_ptr<const scheduler::DecodePlan>> CpuCodec::plan(
    const EcScheme& scheme, std::span<const std::uint8_t> survivors, std::uint8_t wanted) {
    PlanKey key{scheme, {survivors.begin(), survivors.end()}, wanted};
    if (auto cached = plans_.find(key)) return cached;
    const auto known = entry(scheme);
    if (!known) return known.error();
    auto made = CpuPlan::make(**known, survivors, wanted, dot_kernels_);
    if (!made) return made.error();
    plans_.insert(std::move(key), *made);
    return *made;
}

std::unique_ptr<scheduler::SurvivorDigests> CpuCodec::digests(std::size_t survivor_count) {
    return std::make_unique<CpuDigests>(survivor_count);
}

void CpuCodec::run(std::span<SegmentWork*> batch) {
    thread_local Workspace workspace;
    std::size_t first = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        bytes += batch[i]->survivors.size() * batch[i]->output.size();
        if (bytes < group_bytes && i + 1 != batch.size()) continue;
        run_group(batch.subspan(first, i + 1 - first), workspace);
        first = i + 1;
        bytes = 0;
    }
}

void CpuCodec::run_group(std::span<SegmentWork*> group, Workspace& workspace) {
    workspace.accepted.clear();
    workspace.feeds.clear();
    for (SegmentWork* item : group) {
        FRAGMEND_ASSERT(dynamic_cast<const CpuPlan*>(item->plan.get()) != nullptr);
        FRAGMEND_ASSERT(item->survivors.size() == item->plan->survivors().size());
        item->error.reset();
        item->culprit = -1;
        const std::optional<FragmentHeader> source = check_survivors(*item);
        if (!source) continue;
        workspace.accepted.push_back({item, *source});
        if (item->digests == nullptr) continue;
        auto* digests = dynamic_cast<CpuDigests*>(item->digests);
        FRAGMEND_ASSERT(digests != nullptr && digests->streams().size() == item->survivors.size());
        for (std::size_t j = 0; j < item->survivors.size(); ++j) {
            workspace.feeds.push_back({&digests->streams()[j], item->survivors[j]});
        }
    }
    update(workspace.feeds, md5_kernel_);
    for (const Workspace::Accepted& accepted : workspace.accepted) {
        decode(*accepted.item, accepted.source, workspace);
    }
}

void CpuCodec::decode(SegmentWork& item, const FragmentHeader& source, Workspace& workspace) {
    const auto& plan = static_cast<const CpuPlan&>(*item.plan);
    const std::span used = plan.used();
    const std::size_t payload = item.output.size() - fragment_header_bytes;
    auto* output = reinterpret_cast<Bytes*>(item.output.data()) + fragment_header_bytes;
    const std::size_t checked = next_check_.fetch_add(1, std::memory_order_relaxed) % used.size();
    std::vector<const Bytes*>& inputs = workspace.inputs;
    inputs.resize(used.size());
    for (std::size_t at = 0; at < payload; at += tile_bytes) {
        const std::size_t bytes = std::min(tile_bytes, payload - at);
        for (std::size_t i = 0; i < used.size(); ++i) {
            inputs[i] = payload_of(item.survivors[used[i]]) + at;
        }
        plan.decode().run(inputs, output + at, bytes);
        const Bytes* expected = std::exchange(inputs[checked], output + at);
        plan.check(checked).run(inputs, workspace.rederived.data(), bytes);
        if (std::memcmp(workspace.rederived.data(), expected, bytes) != 0) {
            item.error =
                Error{errc::wrong_bytes, "fragment " + std::to_string(plan.wanted()) +
                                             " does not give back survivor " +
                                             std::to_string(plan.survivors()[used[checked]])};
            return;
        }
    }
    FragmentHeader header;
    header.index = plan.wanted();
    header.payload_bytes = source.payload_bytes;
    header.segment_bytes = source.segment_bytes;
    header.backend_id = plan.back_end().id;
    header.backend_version = plan.back_end().version;
    header.library_version = library_version_;
    write_fragment_header(header, crc_form_, item.output.first<fragment_header_bytes>());
}

}  // namespace fragmend::codec
