// hashes.pkl and hashes.invalid of every quality.
#include "host/swift/hashes_pickle.hpp"

#include <gtest/gtest.h>

#include "host/swift/replicate_answer.hpp"

namespace fragmend::swift {
namespace {

using std::string_literals::operator""s;

const std::string digest(32, 'a');

TEST(HashesPickle, AnythingDamagedIsInvalid) {
    for (const char* bytes : {"", "junk", "N.", "]."}) {
        EXPECT_EQ(parse_stored_hashes(bytes), StoredHashes{}) << bytes;
    }
    EXPECT_EQ(parse_stored_hashes("(dVabcd\nNs."), StoredHashes{});
    EXPECT_EQ(parse_stored_hashes("(dVABC\nNs."), StoredHashes{});
    EXPECT_EQ(parse_stored_hashes("(dI1\nNs."), StoredHashes{});
}

TEST(HashesPickle, AbsentValidMeansValid) {
    EXPECT_TRUE(parse_stored_hashes("(d.").valid);
    EXPECT_FALSE(parse_stored_hashes("(dVvalid\nI00\ns.").valid);
    EXPECT_TRUE(parse_stored_hashes("(dS'valid'\nI01\nsS'updated'\nF1.5\ns.").valid);
}

TEST(HashesPickle, UnusableValuesAreHashedAgain) {
    for (const std::string& value : {"N"s, "Vtext\n"s, "I5\n"s, "(dI-1\nV" + digest + "\ns",
                                     "(dI1\nVshort\ns"s, "(dVx\nV" + digest + "\ns"}) {
        const auto hashes = parse_stored_hashes("(dVabc\n" + value + "s.");
        EXPECT_TRUE(hashes.valid) << value;
        ASSERT_TRUE(hashes.suffixes.contains("abc")) << value;
        EXPECT_FALSE(hashes.suffixes.at("abc")) << value;
    }
    const auto usable =
        parse_stored_hashes("(dS'abc'\n(dNS'" + digest + "'\nsI3\nV" + digest + "\nss.");
    EXPECT_EQ(usable.suffixes.at("abc"), (SuffixHash{{std::nullopt, digest}, {3, digest}}));
}

TEST(HashesPickle, WholeObjectsHaveOneHashASuffixAndNoneOfTheOtherForm) {
    const SuffixHash whole{{std::nullopt, digest}};
    const StoredHashes stored{
        .valid = true, .form = SuffixForm::whole, .suffixes = {{"abc", whole}, {"fff", {}}}};
    EXPECT_EQ(parse_stored_hashes(dump_stored_hashes(stored, 1.5), SuffixForm::whole), stored);
    EXPECT_EQ(dump_replicate_answer({{"abc", whole}}, SuffixForm::whole),
              "\x80\x02}q\x00X\x03\x00\x00\x00"s + "abcq\x01X \x00\x00\x00"s + digest + "q\x02s.");
    const std::string dict = "(dVabc\n(dNV" + digest + "\nss.";
    const std::string text = "(dVabc\nV" + digest + "\ns.";
    EXPECT_TRUE(parse_stored_hashes(dict, SuffixForm::by_index).suffixes.at("abc"));
    EXPECT_FALSE(parse_stored_hashes(dict, SuffixForm::whole).suffixes.at("abc"));
    EXPECT_FALSE(parse_stored_hashes(text, SuffixForm::by_index).suffixes.at("abc"));
    EXPECT_EQ(parse_stored_hashes(text, SuffixForm::whole).suffixes.at("abc"), whole);
    for (const std::string& value : {"N"s, "Vshort\n"s, "I5\n"s}) {
        const auto hashes = parse_stored_hashes("(dVabc\n" + value + "s.", SuffixForm::whole);
        EXPECT_FALSE(hashes.suffixes.at("abc")) << value;
    }
}

TEST(Invalidations, ReadsLinesAndRemembersGarbage) {
    EXPECT_EQ(parse_invalidations(""), Invalidations{});
    EXPECT_EQ(parse_invalidations("abc\n123\nabc\n"), (Invalidations{{"123", "abc"}, true, false}));
    EXPECT_EQ(parse_invalidations(" abc \r\n123"), (Invalidations{{"123", "abc"}, true, false}));
    EXPECT_EQ(parse_invalidations("\n"), (Invalidations{{}, true, true}));
    EXPECT_EQ(parse_invalidations("ababc\nfff\n"), (Invalidations{{"fff"}, true, true}));
    EXPECT_EQ(parse_invalidations("..\n"), (Invalidations{{}, true, true}));
    EXPECT_EQ(parse_invalidations(std::string(3, '\0')), (Invalidations{{}, true, true}));
}

/// A dict of 1000 hashes that `names` suffixes share.
std::string shared_hashes(int names) {
    std::string pickle = "}(";
    std::string inner = "}(";
    for (int i = 0; i < 1000; ++i) {
        inner += "I" + std::to_string(i) + "\nV" + digest + "\n";
    }
    pickle += "Vaaa\n" + inner + "uq\x07";
    for (int i = 1; i < names; ++i)
        pickle += "Vaaa\nh\x07";
    return pickle + "u.";
}

TEST(HashesPickle, EndsWhatNamesOneDictManyTimes) {
    EXPECT_TRUE(parse_stored_hashes(shared_hashes(100)).valid);
    EXPECT_TRUE(parse_replicate_answer(shared_hashes(100)).has_value());
    EXPECT_FALSE(parse_stored_hashes(shared_hashes(2000)).valid);
    EXPECT_EQ(parse_replicate_answer(shared_hashes(2000)).error(), errc::bad_pickle);
}

/// Keys in falling order: each goes before all that are there.
std::string one_suffix_of(int count) {
    std::string pickle = "\x80\x02}q\x00U\x03"s + "abcq\x01}q\x02(";
    for (int key = count; key > 0; --key) {
        pickle += "M"s + static_cast<char>(key & 0xff) + static_cast<char>(key >> 8);
        pickle += "U\x20" + std::string(digest);
    }
    return pickle + "us.";
}

TEST(HashesPickle, ASuffixHasNoMoreHashesThanFragmentsCanBe) {
    EXPECT_EQ(parse_stored_hashes(one_suffix_of(1024)).suffixes.at("abc")->size(), 1024u);
    EXPECT_TRUE(parse_replicate_answer(one_suffix_of(1024)).has_value());
    EXPECT_FALSE(parse_stored_hashes(one_suffix_of(60000)).suffixes.at("abc"));
    EXPECT_EQ(*parse_replicate_answer(one_suffix_of(60000)), PartitionHashes());
}

TEST(ReplicateAnswer, RoundTripsAndLeavesOutWhatItCannotUse) {
    const PartitionHashes hashes{{"abc", {{std::nullopt, digest}, {2, digest}}}, {"fff", {}}};
    EXPECT_EQ(*parse_replicate_answer(dump_replicate_answer(hashes)), hashes);
    EXPECT_EQ(dump_replicate_answer({}), "\x80\x02}q\x00."s);
    const auto mixed = parse_replicate_answer("(dVabc\nNsVxyz\n(dsVdef\n(ds.");
    ASSERT_TRUE(mixed);
    EXPECT_EQ(*mixed, (PartitionHashes{{"def", {}}}));
    EXPECT_EQ(parse_replicate_answer("\x80\x02N."s).error().code, errc::bad_pickle);
    EXPECT_EQ(parse_replicate_answer("<html>").error().code, errc::bad_pickle);
}

}  // namespace
}  // namespace fragmend::swift
