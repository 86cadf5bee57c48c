// Trying plans out on a known segment, and running them.
#include "host/codec/library_plan.hpp"

#include <algorithm>

#include "host/codec/fragment_header.hpp"

namespace fragmend::codec {

Result<std::shared_ptr<const LibraryScheme>> LibraryScheme::make(const EcScheme& scheme) {
    const auto instance = LibraryInstance::create(scheme);
    if (!instance) return instance.error();
    BackEnd back_end = *find_back_end(scheme.ec_type).value();
    // Two units a fragment and a bit, so that padding and every word's place take part.
    std::vector<std::byte> segment(static_cast<std::size_t>(scheme.k) * 2 * back_end.unit_bytes +
                                   1);
    for (std::size_t i = 0; i < segment.size(); ++i) {
        segment[i] = static_cast<std::byte>((i * 2654435761u) >> 13);
    }
    auto sample = instance->encode(segment);
    if (!sample) return sample.error();
    const auto header = parse_fragment_header(sample->front());
    if (!header || header->backend_id != back_end.id || header->backend_metadata_bytes != 0 ||
        sample->front().size() !=
            fragment_header_bytes + payload_bytes(back_end, scheme.k, segment.size())) {
        return Error{errc::unsupported_scheme, "liberasurecode " + version_text(library_version()) +
                                                   " lays " + to_string(scheme) +
                                                   " out unlike Fragmend"};
    }
    back_end.version = header->backend_version;
    return std::shared_ptr<const LibraryScheme>(
        new LibraryScheme(scheme, back_end, *instance, std::move(*sample)));
}

Result<void> LibraryScheme::compare(ByteView rebuilt, std::uint8_t index) const {
    // Behind the metadata stand the writer's version and the CRC.
    constexpr std::size_t metadata_bytes = 59;
    const ByteView truth = sample_[index];
    if (!std::ranges::equal(rebuilt.first(metadata_bytes), truth.first(metadata_bytes))) {
        return Error{errc::wrong_bytes, "another header in fragment " + std::to_string(index)};
    }
    if (!std::ranges::equal(rebuilt.subspan(fragment_header_bytes),
                            truth.subspan(fragment_header_bytes))) {
        return Error{errc::wrong_bytes, "another payload in fragment " + std::to_string(index)};
    }
    return {};
}

bool LibraryScheme::rebuilds(std::span<const std::uint8_t> survivors, std::uint8_t wanted) const {
    std::vector<ByteView> views;
    for (std::uint8_t index : survivors) {
        views.emplace_back(sample_[index]);
    }
    std::vector<std::byte> output(sample_[wanted].size());
    return instance_.reconstruct(views, wanted, output) && compare(output, wanted);
}

Result<std::shared_ptr<const LibraryPlan>> LibraryPlan::make(
    std::shared_ptr<const LibraryScheme> library, std::span<const std::uint8_t> survivors,
    std::span<const std::uint8_t> wanted) {
    if (auto fit = check_indexes(library->scheme(), survivors, wanted); !fit) return fit.error();
    std::vector<std::vector<std::uint8_t>> used;
    for (std::uint8_t index : wanted) {
        std::vector<std::uint8_t>& positions = used.emplace_back();
        if (library->rebuilds(survivors, index)) {
            std::vector<std::uint8_t> others(survivors.begin(), survivors.end());
            for (std::size_t i = 0; i < others.size(); ++i) {
                others[i] = index;
                if (library->rebuilds(others, survivors[i])) {
                    positions.push_back(static_cast<std::uint8_t>(i));
                }
                others[i] = survivors[i];
            }
        }
        if (positions.empty()) {
            return Error{errc::singular, to_string(library->scheme()) +
                                             ": liberasurecode does not give fragment " +
                                             std::to_string(index) + " from these survivors"};
        }
    }
    return std::shared_ptr<const LibraryPlan>(
        new LibraryPlan(std::move(library), {survivors.begin(), survivors.end()},
                        {wanted.begin(), wanted.end()}, std::move(used)));
}

Result<void> LibraryPlan::rebuild(const scheduler::SegmentWork& item, std::uint32_t turn,
                                  DecodeScratch& scratch) const {
    const LibraryInstance& instance = library_->instance();
    for (std::size_t o = 0; o < item.outputs.size(); ++o) {
        const ByteSpan output = item.outputs[o];
        if (auto done = instance.reconstruct(item.survivors, wanted()[o], output); !done) {
            return done;
        }
        const std::size_t position = used(o)[checked(o, turn)];
        std::vector<ByteView> others(item.survivors.begin(), item.survivors.end());
        const ByteView expected = std::exchange(others[position], output);
        scratch.rederived.resize(expected.size());
        if (auto done = instance.reconstruct(others, survivors()[position], scratch.rederived);
            !done) {
            return done;
        }
        if (!std::ranges::equal(ByteView(scratch.rederived).subspan(fragment_header_bytes),
                                expected.subspan(fragment_header_bytes))) {
            return does_not_give_back(o, checked(o, turn));
        }
    }
    return {};
}

}  // namespace fragmend::codec
