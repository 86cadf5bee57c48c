// Rebuilds out of archives with damage of every kind.
#include <gtest/gtest.h>

#include <set>

#include "host/codec/archive_rebuild.hpp"
#include "tests/host/codec/archive_fixture.hpp"
#include "tests/host/codec/damage.hpp"

namespace fragmend::codec {
namespace {

/// Damage of every kind at every class of place in one or more sources. With the servers' MD5s:
/// right and all culprits named up to survivors - k bad ones, nothing beyond. Without: right and
/// named while spares can tell, and never a wrong byte.
TEST(CorruptionMatrix, NothingWrongEverComesOut) {
    const std::size_t cases = sampled(1'000'000, 10'000);
    std::mt19937_64 random(test_seed());
    CpuCodec codec;
    std::vector<std::pair<EcScheme, Fragments>> objects;
    for (const EcScheme& scheme :
         {EcScheme{"isa_l_rs_cauchy", 4, 3}, EcScheme{"isa_l_rs_vand", 4, 2},
          EcScheme{"liberasurecode_rs_vand", 4, 3}, EcScheme{"jerasure_rs_vand", 3, 3},
          EcScheme{"isa_l_rs_cauchy", 10, 4}, EcScheme{"flat_xor_hd_4", 5, 5},
          EcScheme{"jerasure_rs_cauchy", 2, 2}}) {
        const std::size_t full = 64 * static_cast<std::size_t>(scheme.k);
        objects.emplace_back(scheme, make_archives(codec, scheme, 2, full, 17, random));
    }
    std::size_t rebuilt = 0;
    std::size_t refused = 0;
    std::size_t named = 0;
    for (std::size_t turn = 0; turn < cases; ++turn) {
        const auto& [scheme, whole] = objects[random() % objects.size()];
        const bool flat = scheme.ec_type.starts_with("flat");
        const bool with_md5 = random() % 2 == 0;
        const auto wanted = static_cast<std::uint8_t>(random() % whole.size());
        Fragments archives = whole;
        std::vector<ArchiveSource> sources;
        std::vector<std::size_t> indexes;
        for (std::size_t i = 0; i < whole.size(); ++i) {
            if (i != wanted) indexes.push_back(i);
        }
        std::ranges::shuffle(indexes, random);
        const auto spares = indexes.size() - static_cast<std::size_t>(scheme.k);
        // One more than the spares now and then.
        const std::size_t bad = random() % (spares + 2);
        std::set<std::size_t> culprits;
        for (std::size_t b = 0; b < bad && b < indexes.size(); ++b) {
            auto& archive = archives[indexes[b]];
            damage_somewhere(archive,
                             codec.fragment_bytes(scheme, 64 * static_cast<std::size_t>(scheme.k)),
                             random);
            if (archive == whole[indexes[b]]) continue;  // Two zeros changed places.
            culprits.insert(indexes[b]);
        }
        std::vector<std::size_t> order = indexes;
        std::ranges::shuffle(order, random);
        for (std::size_t i : order) {
            sources.push_back({"", ByteView(archives[i]),
                               with_md5 ? std::optional(md5_of(whole[i])) : std::nullopt});
        }
        std::vector<std::byte> output;
        ArchiveReport report;
        const auto done = rebuild_archive(
            codec, {scheme, wanted, {}}, sources,
            [&](ByteView bytes) -> Result<void> {
                output.insert(output.end(), bytes.begin(), bytes.end());
                return {};
            },
            report);
        const auto describe = [&] {
            return to_string(scheme) + ", case " + std::to_string(turn) + ", " +
                   std::to_string(culprits.size()) + " bad of " + std::to_string(sources.size()) +
                   (with_md5 ? ", MD5s known" : "") + (done ? "" : ": " + done.error().detail);
        };
        if (!done) {
            ++refused;
            ASSERT_TRUE(output.empty()) << describe();
            const bool enough = culprits.size() <= spares;
            ASSERT_FALSE(with_md5 && enough && !flat) << describe();
            const bool tellable = 2 * culprits.size() < spares;
            ASSERT_FALSE(!with_md5 && tellable && !flat) << describe();
            continue;
        }
        // Without MD5s so many never go unnoticed; more could be of one mind.
        const std::size_t noticed = spares - (spares - 1) / 2;
        if (with_md5 || (!flat && culprits.size() <= noticed)) {
            ASSERT_TRUE(output == whole[wanted]) << describe();
            ++rebuilt;
        }
        if (with_md5) {
            for (const LeftOut& one : report.left_out) {
                ASSERT_TRUE(culprits.erase(order[one.source])) << describe();
                ++named;
            }
            ASSERT_TRUE(culprits.empty()) << describe();
        }
    }
    std::cout << cases << " cases: " << rebuilt << " rebuilt, " << refused << " refused, " << named
              << " culprits named by MD5\n";
    EXPECT_GT(rebuilt, cases / 3);
    EXPECT_GT(refused, cases / 100);
}

}  // namespace
}  // namespace fragmend::codec
