// The same random partitions through real Swift and through us: results and remaining files.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <regex>
#include <sstream>

#include "host/base/bytes.hpp"
#include "host/base/md5.hpp"
#include "host/swift/diskfile.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/hashes_file.hpp"
#include "host/swift/offers.hpp"
#include "host/swift/partition_hashes.hpp"
#include "tests/host/swift/disk_fixture.hpp"

#include <fcntl.h>

namespace fragmend::swift {
namespace {

using testing::ScratchFolder;
namespace fs = std::filesystem;

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::stringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);)
        parts.push_back(part);
    return parts;
}

std::string joined(std::vector<std::string> parts, const std::string& separator) {
    std::string text;
    for (const auto& part : parts) {
        if (!text.empty()) text += separator;
        text += part;
    }
    return text;
}

std::optional<int> optional_index(const std::string& text) {
    if (text == "-") return std::nullopt;
    return std::stoi(text);
}

std::optional<std::vector<FragmentPreference>> preferences_from(const std::string& text) {
    if (text == "-") return std::nullopt;
    std::vector<FragmentPreference> preferences;
    if (text == "*") return preferences;
    for (const auto& item : split(text, '|')) {
        const auto colon = item.find(':');
        FragmentPreference preference;
        preference.timestamp = Timestamp::parse(item.substr(0, colon)).value();
        for (const auto& index : split(item.substr(colon + 1), ',')) {
            preference.exclude.push_back(std::stoi(index));
        }
        preferences.push_back(std::move(preference));
    }
    return preferences;
}

std::string text_or_dash(const std::optional<Timestamp>& timestamp) {
    return timestamp ? timestamp->internal() : "-";
}

std::string name_or_dash(const std::optional<OndiskFile>& file) {
    return file ? percent_quote(file->name) : "-";
}

std::string digest(const Metadata& metadata) {
    std::vector<std::string> lines;
    for (const auto& [key, value] : metadata.items())
        lines.push_back(key + "=" + to_text(value));
    std::sort(lines.begin(), lines.end());
    return md5_hex(joined(lines, "\n"));
}

/// Repeats the oracle's operations on the other copy.
class Replayer {
  public:
    Replayer(std::string root, int fragment_count) : root_(std::move(root)) {
        context_.devices_root = root_;
        context_.mount_check = false;
        context_.hash_path_prefix = "pre";
        context_.hash_path_suffix = "suf";
        context_.data_dir_name = "objects-1";
        context_.fragment_count = fragment_count;
        context_.clock = &clock_;
    }

    void begin(const std::string& partition, double commit_window_s) {
        partition_ = partition;
        context_.commit_window_s = commit_window_s;
    }
    std::string perform(const std::string& line);

  private:
    std::string device() const { return "d" + partition_; }
    std::string device_path() const { return root_ + "/" + device(); }
    std::string partition_path() const { return device_path() + "/objects-1/" + partition_; }
    std::string hashes(const std::vector<std::string>& words);
    std::string offers(const std::vector<std::string>& words);
    std::string cleanup(const std::vector<std::string>& words);
    std::string open(const std::vector<std::string>& words);
    std::string describe(const OpenObject& object) const;
    std::string tree() const;

    testing::StillClock clock_{testing::test_now()};
    DiskContext context_;
    std::string root_;
    std::string partition_;
};

std::string Replayer::hashes(const std::vector<std::string>& words) {
    HashRequest request;
    request.list_directory = words[1] == "1";
    if (words[2] != "-") request.recalculate = split(words[2], ',');
    const auto result = get_hashes(context_, device(), partition_, request);
    if (!result) return to_string(result.error());
    std::map<std::string, std::string> texts;
    for (const auto& suffix : result->failed)
        texts[suffix] = suffix + "!";
    for (const auto& [suffix, hash] : result->hashes) {
        std::vector<std::string> keys;
        for (const auto& [index, digest_text] : hash) {
            keys.push_back((index ? std::to_string(*index) : "None") + ":" +
                           std::string(digest_text));
        }
        texts[suffix] = suffix + "{" + joined(keys, ",") + "}";
    }
    std::string text = "n=" + std::to_string(result->hashed);
    for (const auto& [suffix, hash] : texts)
        text += " " + hash;
    return text;
}

std::string Replayer::offers(const std::vector<std::string>& words) {
    const OfferOptions options{optional_index(words[2]), preferences_from(words[3])};
    const auto result = list_offers(context_, device(), partition_, words[1], options);
    if (!result) return to_string(result.error());
    std::vector<std::string> texts;
    for (const auto& offer : *result) {
        const std::string durable = !offer.durable ? "-" : *offer.durable ? "True" : "False";
        texts.push_back(offer.object_hash + " " + offer.data.internal() + " " +
                        text_or_dash(offer.meta) + " " + text_or_dash(offer.content_type) + " " +
                        durable);
    }
    std::sort(texts.begin(), texts.end());
    return joined(texts, ";");
}

std::string Replayer::cleanup(const std::vector<std::string>& words) {
    const std::string suffix_path = partition_path() + "/" + words[1].substr(0, 3);
    const std::string name = words[1].substr(4);
    SelectionOptions options;
    options.fragment_count = words[2] == "1" ? context_.fragment_count : any_fragment_count;
    options.frag_index = optional_index(words[3]);
    options.frag_prefs = preferences_from(words[4]);
    const auto dir = cleanup_hash_dir(context_, {AT_FDCWD, suffix_path, name}, options);
    if (!dir) return "errno " + std::to_string(dir.error().number);
    const auto& files = dir->files;
    std::vector<std::string> sets;
    for (const auto& set : files.recorded) {
        std::vector<std::string> indexes;
        for (const auto& member : set.members) {
            indexes.push_back(std::to_string(member.parsed.fragment_index));
        }
        sets.push_back(set.timestamp.internal() + ":" + joined(indexes, ","));
    }
    std::vector<std::string> names;
    for (const auto& left : dir->names)
        names.push_back(percent_quote(left));
    // Swift names the durable set only beside a chosen file.
    const auto durable = files.data ? files.durable_timestamp() : std::nullopt;
    return "data=" + name_or_dash(files.data) + " meta=" + name_or_dash(files.meta) +
           " ctype=" + name_or_dash(files.content_type) + " ts=" + name_or_dash(files.tombstone) +
           " durable=" + text_or_dash(durable) + " sets=" + joined(sets, "|") +
           " names=" + joined(names, ",");
}

std::string Replayer::describe(const OpenObject& object) const {
    if (object.tombstone) {
        return "deleted " + percent_quote(object.name.path()) + " " + object.tombstone->internal();
    }
    return "open " + percent_quote(object.name.path()) + " " +
           percent_quote(object.files.data->name) + " " + object.data_timestamp.internal() + " " +
           object.timestamp.internal() + " " + text_or_dash(object.content_type_timestamp) + " " +
           text_or_dash(object.durable_timestamp) + " " + std::to_string(object.fragment_index) +
           " " + std::to_string(object.content_length) + " " + digest(object.data_metadata) + " " +
           (object.meta_metadata ? digest(*object.meta_metadata) : "-") + " " +
           digest(object.effective);
}

std::string Replayer::open(const std::vector<std::string>& words) {
    auto found = find_object(context_, device(), partition_, words[1]);
    if (!found) return "no object";
    const OpenOptions options{optional_index(words[2]), preferences_from(words[3]),
                              words[4] == "1"};
    const auto object = open_found(context_, device(), *found, options);
    if (object) return describe(*object);
    std::string reason = object.error().detail;
    switch (object.error().code) {
        case errc::expired:
            return "expired";
        case errc::not_found:
            return "not found";
        case errc::name_collision:
            return "collision";
        case errc::quarantined:
            if (reason.find("etadata checksum") != std::string::npos ||
                reason.find("reading metadata") != std::string::npos) {
                return "quarantined metadata";
            }
            return "quarantined " +
                   percent_quote(std::regex_replace(reason, std::regex(root_), ""));
        default:
            return to_string(object.error());
    }
}

std::string Replayer::tree() const {
    static const std::regex uuid_tail("-[0-9a-f]{32}(/|$)");
    static const std::regex left_out("^(\\.lock|hashes\\.).*");
    std::vector<std::string> paths;
    const std::string top = device_path();
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
        if (std::regex_match(entry.path().filename().string(), left_out)) continue;
        const auto relative = percent_quote(entry.path().string().substr(top.size() + 1));
        paths.push_back(std::regex_replace(relative, uuid_tail, "-UUID$1"));
    }
    std::sort(paths.begin(), paths.end());
    return joined(paths, " ");
}

std::string Replayer::perform(const std::string& line) {
    const auto words = split(line, ' ');
    const std::string& verb = words[0];
    if (verb == "H") return hashes(words);
    if (verb == "O") return offers(words);
    if (verb == "C") return cleanup(words);
    if (verb == "D") return open(words);
    if (verb == "T") return tree();
    if (verb == "rm") {
        fs::remove(partition_path() + "/" + percent_unquote(words[1]));
    } else if (verb == "touch") {
        testing::write_file(partition_path() + "/" + percent_unquote(words[1]));
    } else if (verb == "invalidate") {
        EXPECT_TRUE(invalidate_suffix(partition_path(), words[1]).has_value());
    } else if (verb == "spoil") {
        std::string bytes;
        for (std::size_t i = 0; words[1] != "-" && i + 1 < words[1].size(); i += 2) {
            bytes += static_cast<char>(std::stoi(words[1].substr(i, 2), nullptr, 16));
        }
        testing::write_file(partition_path() + "/hashes.pkl", bytes);
    } else {
        ADD_FAILURE() << "unknown operation " << line;
    }
    return "";
}

struct Tally {
    std::size_t partitions = 0;
    std::size_t operations = 0;
    std::size_t given_up_by_swift = 0;
    std::size_t differences = 0;
};

/// Reads the oracle's lines and repeats what they say until the end or ten differences.
void follow(std::FILE* oracle, Replayer& replayer, Tally& tally) {
    char* buffer = nullptr;
    std::size_t capacity = 0;
    std::string operation;
    std::string outcome;
    bool skipping = false;
    for (ssize_t length = 0; (length = ::getline(&buffer, &capacity, oracle)) > 0;) {
        const std::string line(buffer, static_cast<std::size_t>(length) - 1);
        if (line.starts_with("P ")) {
            const auto words = split(line, ' ');
            replayer.begin(words[1], std::stod(words[2]));
            skipping = false;
            ++tally.partitions;
        } else if (line.starts_with("! ")) {
            skipping = true;
            ++tally.given_up_by_swift;
        } else if (line.starts_with("= ")) {
            if (!skipping && outcome != line.substr(2) && tally.differences++ < 10) {
                ADD_FAILURE() << "partition " << tally.partitions - 1 << ": " << operation
                              << "\nSwift: " << line.substr(2) << "\nours:  " << outcome;
            }
        } else {
            operation = line;
            outcome = replayer.perform(line);
            ++tally.operations;
        }
    }
    std::free(buffer);
}

std::size_t from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string oracle_command() {
    return "/usr/bin/python3 " FRAGMEND_SOURCE_DIR "/tests/interop/swift/disk_oracle.py ";
}

/// `kind` as the oracle takes it.
void compare_random_partitions(const std::string& kind, int fragment_count, std::size_t dirs) {
    constexpr std::size_t dirs_per_partition = 30;
    const auto seed = testing::seed_from_environment(20260726);
    std::cout << "seed " << seed << ", " << dirs << " hash directories\n";
    const ScratchFolder scratch;
    const std::string roots = scratch.path() + "/a " + scratch.path() + "/b";
    fs::create_directories(scratch / "a");
    fs::create_directories(scratch / "b");
    const std::string command =
        oracle_command() + "run " + roots + " " + kind + " " + std::to_string(seed) + " " +
        std::to_string(dirs / dirs_per_partition) + " " + std::to_string(dirs_per_partition);
    std::FILE* oracle = ::popen(command.c_str(), "r");
    ASSERT_NE(oracle, nullptr);
    Replayer replayer(scratch / "b", fragment_count);
    Tally tally;
    follow(oracle, replayer, tally);
    EXPECT_EQ(::pclose(oracle), 0);
    EXPECT_EQ(tally.partitions, dirs / dirs_per_partition);
    EXPECT_LT(tally.given_up_by_swift * 8, tally.partitions);
    EXPECT_EQ(tally.differences, 0u);
    std::cout << tally.operations << " operations, Swift gave up on " << tally.given_up_by_swift
              << " partitions\n";

    const std::string compare = oracle_command() + "compare " + roots + " " + kind;
    std::FILE* comparison = ::popen(compare.c_str(), "r");
    ASSERT_NE(comparison, nullptr);
    char verdict[400] = {};
    EXPECT_NE(std::fgets(verdict, sizeof verdict, comparison), nullptr);
    EXPECT_TRUE(std::string(verdict).starts_with("equal ")) << verdict;
    EXPECT_EQ(::pclose(comparison), 0);
}

/// FRAGMEND_HASH_DIRS sets how many directories a run makes, FRAGMEND_SEED which ones.
TEST(SwiftDiskInterop, AgreesWithSwiftOnRandomPartitions) {
    if (!testing::swift_is_installed()) GTEST_SKIP() << "no Swift here";
    compare_random_partitions("fragments", 6, from_environment("FRAGMEND_HASH_DIRS", 3000));
}

TEST(SwiftDiskInterop, AgreesWithSwiftOnRandomPartitionsOfWholeObjects) {
    if (!testing::swift_is_installed()) GTEST_SKIP() << "no Swift here";
    compare_random_partitions("whole", no_fragments, from_environment("FRAGMEND_HASH_DIRS", 3000));
}

}  // namespace
}  // namespace fragmend::swift
