// Agreement says what reading the whole answer and comparing says.
#include "host/scan/agreement.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "host/scan/suffix_delta.hpp"
#include "host/swift/hashes_pickle.hpp"
#include "host/swift/replicate_answer.hpp"
#include "tests/support/seed.hpp"

namespace fragmend::scan {
namespace {

using swift::PartitionHashes;
using swift::SuffixHash;

const std::string digest_a(32, 'a');
const std::string digest_b(32, 'b');

bool agrees_with(const PartitionHashes& local, const PartitionHashes& remote) {
    const HashPairs ours(local, 0);
    return Agreement(ours).holds(swift::dump_replicate_answer(remote), 1);
}

TEST(Agreement, ComparesOwnIndexWithTheirsAndWhatHasNoIndex) {
    const PartitionHashes local{{"abc", {{std::nullopt, digest_a}, {0, digest_a}}}};
    EXPECT_TRUE(agrees_with(local, {{"abc", {{std::nullopt, digest_a}, {1, digest_a}}}}));
    EXPECT_FALSE(agrees_with(local, {{"abc", {{std::nullopt, digest_a}, {1, digest_b}}}}));
    EXPECT_FALSE(agrees_with(local, {{"abc", {{std::nullopt, digest_b}, {1, digest_a}}}}));
    EXPECT_FALSE(agrees_with(local, {{"abc", {{std::nullopt, digest_a}, {0, digest_a}}}}));
    EXPECT_FALSE(agrees_with(local, {{"abc", {{std::nullopt, digest_a}}}}));
    EXPECT_FALSE(agrees_with(local, {{"abd", {{std::nullopt, digest_a}, {1, digest_a}}}}));
    EXPECT_FALSE(agrees_with(local, {}));
}

TEST(Agreement, WhatOnlyThePartnerHasDoesNotCount) {
    const SuffixHash theirs{{std::nullopt, digest_a}, {1, digest_a}};
    EXPECT_TRUE(agrees_with({}, {{"abc", theirs}}));
    EXPECT_TRUE(agrees_with({}, {}));
    // Neither does a suffix of ours in which nothing counts, or only other indexes.
    EXPECT_TRUE(agrees_with({{"abc", {}}, {"abd", {{4, digest_b}}}}, {}));
}

TEST(Agreement, WhatSwiftDoesNotWriteIsNoAgreement) {
    const HashPairs nothing;
    const Agreement with_nothing(nothing);
    EXPECT_FALSE(with_nothing.holds("", 1));
    EXPECT_FALSE(with_nothing.holds("\x80\x02N.", 1));
    const auto answer = [](std::string_view suffix, int times) {
        swift::PickleWriter writer;
        auto dict = writer.begin_dict(static_cast<std::size_t>(times));
        for (int i = 0; i < times; ++i) {
            writer.begin_item(dict);
            writer.text(suffix);
            swift::write_suffix_hash(writer, {{1, digest_a}}, swift::SuffixForm::by_index);
        }
        writer.end_dict(dict);
        return writer.finish();
    };
    EXPECT_TRUE(with_nothing.holds(answer("abc", 1), 1));
    EXPECT_FALSE(with_nothing.holds(answer("abc", 2), 1));
    EXPECT_FALSE(with_nothing.holds(answer("ABC", 1), 1));
    EXPECT_FALSE(with_nothing.holds(answer("abcd", 1), 1));
}

TEST(Agreement, IsTheEmptyDeltaOfTheWholeAnswer) {
    std::mt19937_64 random(test::seed());
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
    const auto random_hashes = [&] {
        PartitionHashes hashes;
        for (unsigned suffixes = below(4); suffixes > 0; --suffixes) {
            auto& hash = hashes["ab" + std::string(1, "0123"[below(4)])];
            for (unsigned keys = below(4); keys > 0; --keys) {
                const unsigned index = below(4);
                const auto key = index == 3 ? std::nullopt : std::optional<int>(index);
                hash[key] = below(8) == 0 ? digest_b : digest_a;
            }
        }
        return hashes;
    };
    int agreed = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto local = random_hashes();
        const auto remote = below(2) == 0 ? local : random_hashes();
        const int ours = static_cast<int>(below(3)), theirs = static_cast<int>(below(3));
        const HashPairs our_pairs(local, ours);
        const bool expected = suffix_delta(our_pairs, {remote, theirs}).empty();
        const auto answer = swift::dump_replicate_answer(remote);
        ASSERT_EQ(Agreement(our_pairs).holds(answer, theirs), expected);
        agreed += expected ? 1 : 0;
    }
    EXPECT_GT(agreed, 2'000);
    EXPECT_LT(agreed, 18'000);
}

TEST(Agreement, DamagedBytesNeverAgreeWhereReadInFullTheyDiffer) {
    std::mt19937_64 random(test::seed());
    PartitionHashes local, remote;
    for (const char* suffix : {"0ab", "abc", "fff"}) {
        local[suffix] = {{std::nullopt, digest_a}, {0, digest_b}};
        remote[suffix] = {{std::nullopt, digest_a}, {1, digest_b}, {300, digest_a}};
    }
    const HashPairs pairs(local, 0);
    const Agreement agreement(pairs);
    const std::string whole = swift::dump_replicate_answer(remote);
    ASSERT_TRUE(agreement.holds(whole, 1));
    int agreed = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::string bytes = whole;
        for (auto changes = 1 + random() % 3; changes > 0; --changes) {
            const auto at = random() % bytes.size();
            switch (random() % 3) {
                case 0:
                    bytes[at] = static_cast<char>(random());
                    break;
                case 1:
                    bytes.erase(at, 1 + random() % 40);
                    break;
                default:
                    bytes.insert(at, whole.substr(random() % whole.size(), 1 + random() % 40));
            }
            if (bytes.empty()) bytes = "x";
        }
        if (!agreement.holds(bytes, 1)) continue;
        ++agreed;
        const auto read = swift::parse_replicate_answer(bytes);
        ASSERT_TRUE(read);
        ASSERT_TRUE(suffix_delta(pairs, {*read, 1}).empty());
    }
    EXPECT_GT(agreed, 100) << "hashes of other indexes do not count";
}

TEST(Agreement, AnAnswerThatIsCutDoesNotAgree) {
    const std::string whole = swift::dump_replicate_answer(
        {{"abc", {{1, digest_a}}}, {"abd", {{std::nullopt, digest_b}}}});
    const HashPairs nothing;
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
        EXPECT_FALSE(Agreement(nothing).holds(whole.substr(0, bytes), 1)) << bytes;
    EXPECT_TRUE(Agreement(nothing).holds(whole, 1));
}

}  // namespace
}  // namespace fragmend::scan
