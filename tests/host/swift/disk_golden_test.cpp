// Bytes that the real Swift stored, read and written by us.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "host/base/md5.hpp"
#include "host/swift/diskfile.hpp"
#include "host/swift/hashes_pickle.hpp"
#include "host/swift/metadata.hpp"
#include "host/swift/pickle.hpp"

namespace fragmend::swift {
namespace {

std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; hex != "-" && i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

using Words = std::vector<std::string>;

/// The lines of tests/golden/swift/disk_golden.txt; its generator describes them.
std::vector<Words> golden_lines() {
    std::ifstream file(FRAGMEND_SOURCE_DIR "/tests/golden/swift/disk_golden.txt");
    std::vector<Words> lines;
    for (std::string line; std::getline(file, line);) {
        std::istringstream stream(line);
        Words words;
        for (std::string word; stream >> word;)
            words.push_back(word);
        lines.push_back(std::move(words));
    }
    return lines;
}

void add_item(Metadata& metadata, const Words& words) {
    if (words[2] == "i") {
        metadata.set(from_hex(words[1]), std::int64_t{std::stoll(words[3])});
    } else {
        metadata.set(from_hex(words[1]), from_hex(words[3]));
    }
}

TEST(DiskGolden, MetadataIsWrittenAndReadByteForByte) {
    std::size_t cases = 0;
    std::string name;
    Metadata items;
    std::string stored;
    for (const auto& words : golden_lines()) {
        if (words[0] == "metadata" || words[0] == "read") {
            name = words[0] == "metadata" ? words[1] : "";
            items = {};
            stored.clear();
        } else if (words[0] == "item") {
            add_item(items, words);
        } else if (words[0] == "xattr" && words[1] != "user.swift.metadata_checksum") {
            stored += from_hex(words[2]);
        } else if (words[0] == "xattr") {
            ++cases;
            EXPECT_EQ(encode_metadata(items), stored) << name;
            EXPECT_EQ(md5_hex(stored), from_hex(words[2])) << name;
            const auto read = decode_metadata(stored);
            ASSERT_TRUE(read) << name << " " << to_string(read.error());
            EXPECT_EQ(*read, items) << name;
        }
    }
    EXPECT_EQ(cases, 12u);
}

TEST(DiskGolden, OlderMetadataIsRead) {
    std::size_t cases = 0;
    std::string name;
    Metadata items;
    for (const auto& words : golden_lines()) {
        if (words[0] == "metadata" || words[0] == "read" || words[0] == "hashes") {
            name = words[0] == "read" ? words[1] : "";
            items = {};
        } else if (words[0] == "item") {
            add_item(items, words);
        } else if (words[0] == "pickle" && !name.empty()) {
            ++cases;
            const auto read = decode_metadata(from_hex(words[1]));
            ASSERT_TRUE(read) << name << " " << to_string(read.error());
            EXPECT_EQ(*read, items) << name;
        }
    }
    EXPECT_EQ(cases, 18u);
}

TEST(DiskGolden, ManyItemsAreBatchedAsPythonDoes) {
    std::size_t cases = 0;
    for (const auto& words : golden_lines()) {
        if (words[0] != "many") continue;
        ++cases;
        Metadata metadata;
        for (int i = 0; i < std::stoi(words[1]); ++i)
            metadata.set("K" + std::to_string(i), "v");
        EXPECT_EQ(md5_hex(encode_metadata(metadata)), words[2]) << words[1];
    }
    EXPECT_EQ(cases, 6u);
}

StoredHashes golden_suffixes(const std::vector<Words>& lines) {
    StoredHashes hashes;
    for (const auto& words : lines) {
        auto& hash = hashes.suffixes[words[1]];
        if (words.size() == 3 && words[2] == "none") continue;
        hash.emplace();
        for (std::size_t i = 2; i < words.size(); ++i) {
            const auto equals = words[i].find('=');
            const auto index = words[i].substr(0, equals);
            hash->emplace(index == "None" ? std::nullopt : std::optional(std::stoi(index)),
                          words[i].substr(equals + 1));
        }
    }
    return hashes;
}

constexpr double golden_updated_s = 1795333043.19771;

TEST(DiskGolden, HashesAreWrittenAndReadByteForByte) {
    std::size_t cases = 0;
    std::string name;
    std::vector<Words> suffixes;
    bool valid = false;
    for (const auto& words : golden_lines()) {
        if (words[0] == "hashes" || words[0] == "read") {
            name = words[0] == "hashes" ? words[1] : "";
            suffixes.clear();
        } else if (words[0] == "suffix") {
            suffixes.push_back(words);
        } else if (words[0] == "valid") {
            valid = words[1] == "1";
        } else if (words[0] == "pickle" && !name.empty()) {
            ++cases;
            StoredHashes hashes = golden_suffixes(suffixes);
            hashes.valid = valid;
            const auto stored = from_hex(words[1]);
            EXPECT_EQ(dump_stored_hashes(hashes, golden_updated_s), stored) << name;
            EXPECT_EQ(parse_stored_hashes(stored), hashes) << name;
        }
    }
    EXPECT_EQ(cases, 4u);
}

/// The generator's digest: a product of up to 76 bits, in hex.
std::string numbered_digest(std::uint64_t number) {
    constexpr std::uint64_t factor = 0x1234567890abcdef;
    const std::uint64_t low = number * (factor & 0xffffffff);
    const std::uint64_t high = (number * (factor >> 32) + (low >> 32)) >> 32;
    char text[40];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                  static_cast<unsigned long long>(number * factor));
    return text;
}

TEST(DiskGolden, AllSuffixesGiveSwiftsPickle) {
    StoredHashes hashes;
    hashes.valid = true;
    for (int i = 0; i < 4096; ++i) {
        char suffix[4];
        std::snprintf(suffix, sizeof suffix, "%03x", i);
        const auto number = static_cast<std::uint64_t>(i);
        hashes.suffixes[suffix] = SuffixHash{{std::nullopt, numbered_digest(number)},
                                             {i % 14, numbered_digest(number + 1)}};
    }
    const auto pickle = dump_stored_hashes(hashes, golden_updated_s);
    EXPECT_EQ(parse_stored_hashes(pickle), hashes);
    std::size_t cases = 0;
    for (const auto& words : golden_lines()) {
        if (words[0] != "all_suffixes") continue;
        ++cases;
        EXPECT_EQ(md5_hex(pickle), words[1]);
    }
    EXPECT_EQ(cases, 1u);
}

TEST(DiskGolden, EveryProtocolGivesTheSameValue) {
    std::vector<PickleValue> values;
    for (const auto& words : golden_lines()) {
        if (words[0] != "protocol") continue;
        auto value = read_pickle(from_hex(words[2]));
        ASSERT_TRUE(value) << words[1] << " " << to_string(value.error());
        values.push_back(std::move(*value));
    }
    ASSERT_EQ(values.size(), 5u);
    for (const auto& value : values)
        EXPECT_EQ(value, values.front());
    const auto& items = values.front().as<PickleDict>()->items;
    ASSERT_EQ(items.size(), 7u);
    EXPECT_EQ(items[0].key.as<PickleText>()->utf8, "text \xc3\xa9\xe2\x82\xac\\n");
    EXPECT_EQ(items[0].value.as<PickleBytes>()->bytes, std::string("\0\xff"
                                                                   "bytes",
                                                                   7));
    const auto& numbers = items[1].value.as<PickleSequence>()->items;
    const std::vector<std::int64_t> expected{1, -1, 1LL << 40, -(1LL << 40), 255, 256, 65536};
    ASSERT_EQ(numbers.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(*numbers[i].as<std::int64_t>(), expected[i]);
    }
    EXPECT_NE(items[2].key.as<PickleNone>(), nullptr);
    EXPECT_EQ(*items[3].key.as<double>(), 1.5);
    EXPECT_EQ(items[4].value.as<PickleSequence>()->items.size(), 3u);
    EXPECT_EQ(*items[6].value.as<double>(), 1e300);
}

TEST(DiskGolden, ObjectHashes) {
    std::size_t cases = 0;
    for (const auto& words : golden_lines()) {
        if (words[0] != "hash") continue;
        ++cases;
        DiskContext context;
        context.hash_path_prefix = from_hex(words[1]);
        context.hash_path_suffix = from_hex(words[2]);
        EXPECT_EQ(object_hash_of(context, from_hex(words[3])), words[4]);
    }
    EXPECT_EQ(cases, 3u);
}

}  // namespace
}  // namespace fragmend::swift
