// How much memory a whole pass takes beside its budget: partitions in flight with the hashes of all
// their suffixes, partners' answers, offers, objects with their metadata, rebuilds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "host/app/engine.hpp"
#include "host/app/pass.hpp"
#include "host/base/md5.hpp"
#include "host/demo/ring_image.hpp"
#include "host/scan/turns.hpp"
#include "host/swift/diskfile.hpp"
#include "host/swift/hashes_pickle.hpp"
#include "host/swift/metadata_xattr.hpp"
#include "host/swift/policy_disk.hpp"
#include "host/swift/replicate_answer.hpp"
#include "tests/host/swift/disk_fixture.hpp"
#include "tests/memory/measured_child.hpp"

namespace fragmend::bench {
namespace {

namespace ondisk = swift::testing;

/// Between looks and sessions nothing may grow for a while.
constexpr std::chrono::seconds pass_calm{5};
/// Of the ring; the first of them lie on the disk.
constexpr std::uint32_t ring_partitions = 256;
constexpr std::uint16_t local_port = 1;
constexpr const char* local_device = "sd0";

struct PassCase {
    const char* name;
    std::int64_t sessions;
    Manner manner;
    std::uint32_t partitions;    ///< A third of them is sent in the first round.
    std::size_t objects;         ///< Of each of these.
    std::size_t fragment_bytes;  ///< An object has one of each index.
    std::size_t metadata_bytes;  ///< Of each object, set by its client.
    std::size_t budget_bytes = 128 << 20;
};

void PrintTo(const PassCase& one, std::ostream* out) {
    *out << one.name;
}

ObjectShape shape_of(const PassCase& one) {
    ObjectShape shape;
    shape.segment_bytes = static_cast<std::size_t>(shape.scheme.k) * (one.fragment_bytes - 80);
    return shape;
}

std::string suffix_of(std::size_t number) {
    char text[4];
    std::snprintf(text, sizeof text, "%03zx", number);
    return text;
}

/// As of a fragment of one index and a tombstone.
swift::SuffixHash suffix_hash_of(char digit, int index) {
    const std::string digest(swift::md5_hex_length, digit);
    return {{std::nullopt, digest}, {index, digest}};
}

/// All suffixes, and in none of them what we have.
std::string full_answer() {
    swift::PartitionHashes hashes;
    for (std::size_t i = 0; i < swift::suffixes_max; ++i)
        hashes.emplace(suffix_of(i), suffix_hash_of('b', 1));
    return swift::dump_replicate_answer(hashes);
}

/// What a client said of an object.
std::vector<std::pair<std::string, std::string>> own_metadata(std::size_t bytes) {
    constexpr std::size_t value_bytes = 250;
    std::vector<std::pair<std::string, std::string>> items;
    for (std::size_t i = 0; i < bytes / value_bytes; ++i)
        items.emplace_back("X-Object-Meta-" + std::to_string(i), std::string(value_bytes, 'v'));
    return items;
}

std::string metadata_lines(std::size_t bytes) {
    std::string lines;
    for (const auto& [name, value] : own_metadata(bytes))
        lines += name + ": " + value + "\r\n";
    return lines;
}

/// The disk and the configuration of a node whose device is the first primary of all partitions,
/// each of them with hashes of all suffixes.
class Place {
  public:
    Place(const std::string& root, const PassCase& one) : one_(one) {
        options.devices = root + "/devices";
        options.mount_check = false;
        options.swift_dir = root + "/etc";
        options.ring_ip = "127.0.0.1";
        options.port = local_port;
        options.replication_concurrency_per_device = 0;
        options.fragmend.memory_limit_bytes = one.budget_bytes;
        options.fragmend.sessions = one.sessions;
        options.fragmend.node_sessions = options.fragmend.disk_sessions = one.sessions;
        const ObjectShape shape = shape_of(one);
        policy.index = 1;
        policy.name = "coded";
        policy.type = swift::PolicyType::erasure_coding;
        policy.ec_type = shape.scheme.ec_type;
        policy.k = shape.scheme.k;
        policy.m = shape.scheme.m;
        policy.segment_bytes = shape.segment_bytes;
        conf.hash_path_suffix = "suf";
        disk =
            swift::policy_disk(options, conf, policy, Logger(nullptr, LogLevel::critical), clock);
    }

    void write_ring(const Addresses& addresses) const {
        std::vector<Node> nodes;
        for (std::size_t i = 0; i < addresses.ports.size(); ++i)
            nodes.push_back(MemoryPeers::node_at(i, i == 0 ? local_port : addresses.ports[i]));
        swift::RingParts parts;
        parts.devices.assign(nodes.begin(), nodes.end());
        parts.part_shift = 32;
        for (std::uint32_t count = ring_partitions; count > 1; count /= 2)
            --parts.part_shift;
        for (std::uint16_t i = 0; i < nodes.size(); ++i)
            parts.assignments.narrow.insert(parts.assignments.narrow.end(), ring_partitions, i);
        ondisk::write_file(options.swift_dir + "/" + policy.ring_file_name(),
                           demo::ring_file_bytes(parts));
    }

    void write_hashes() const {
        swift::StoredHashes stored{.valid = true, .form = {}, .suffixes = {}};
        for (std::size_t i = 0; i < swift::suffixes_max; ++i)
            stored.suffixes[suffix_of(i)] = suffix_hash_of('a', 0);
        const std::string pickle = swift::dump_stored_hashes(stored, 1);
        for (std::uint32_t partition = 0; partition < one_.partitions; ++partition)
            ondisk::write_file(path_of(partition) + "/hashes.pkl", pickle);
    }

    /// False where a file cannot have so much metadata.
    bool write_objects(const std::string& archive) const {
        std::vector<std::size_t> missing(ring_partitions);
        std::size_t left = 0;
        for (std::uint32_t partition = 0; partition < one_.partitions; ++partition) {
            if (scan::round_of(partition, 0, 6) == 0) left += missing[partition] = one_.objects;
        }
        for (std::size_t number = 0; left > 0; ++number) {
            const std::string path = "/a/c/" + std::to_string(number);
            const std::string hash = swift::object_hash_of(disk, path);
            const auto partition = static_cast<std::uint32_t>(
                std::stoul(hash.substr(0, 8), nullptr, 16) / (0x100000000 / ring_partitions));
            if (missing[partition] == 0) continue;
            --missing[partition];
            --left;
            const std::string file = path_of(partition) + "/" + hash.substr(29) + "/" + hash + "/" +
                                     swift::data_file_name(MemoryPeers::time, 0, true);
            ondisk::write_file(file, archive);
            const UniqueFd fd(::open(file.c_str(), O_RDONLY));
            const auto metadata = metadata_of(path, archive, one_.metadata_bytes);
            if (!swift::write_metadata(fd.get(), file, metadata)) return false;
        }
        return true;
    }

    swift::ReconstructorOptions options;
    swift::Policy policy;
    swift::SwiftConf conf;
    SystemClock clock;
    swift::DiskContext disk;

  private:
    std::string path_of(std::uint32_t partition) const {
        return options.devices + "/" + local_device + "/" + policy.data_dir() + "/" +
               std::to_string(partition);
    }
    swift::Metadata metadata_of(const std::string& path, const std::string& archive,
                                std::size_t own_bytes) const {
        swift::Metadata metadata;
        metadata.set("X-Timestamp", MemoryPeers::time.internal());
        metadata.set("Content-Type", "application/octet-stream");
        metadata.set("Content-Length", std::to_string(archive.size()));
        metadata.set("ETag", md5_hex(archive));
        metadata.set("X-Object-Sysmeta-Ec-Etag", MemoryPeers::ec_etag);
        metadata.set("X-Object-Sysmeta-Ec-Frag-Index", "0");
        metadata.set("X-Object-Sysmeta-Ec-Segment-Size", std::to_string(policy.segment_bytes));
        metadata.set("name", path);
        for (const auto& [name, value] : own_metadata(own_bytes))
            metadata.set(name, value);
        return metadata;
    }

    const PassCase& one_;
};

Awaitable<void> stop(app::Engine& engine) {
    co_await engine.stop();
}

void drive(app::Engine& engine, Awaitable<void> work) {
    TaskGroup main(engine.io().get_executor());
    main.spawn(std::move(work));
    while (main.running() > 0)
        engine.io().run_one();
}

std::uint64_t run_pass(const Place& place, const ObjectShape& shape) {
    const Logger log(nullptr, LogLevel::critical);
    std::vector<app::PolicyState> policies(1);
    app::PolicyState& state = policies.front();
    state.policy = place.policy;
    state.disk = place.disk;
    state.ring_file = std::make_unique<swift::RingFile>(place.options.swift_dir, place.policy, log);
    if (!state.ring_file->load(place.clock.steady())) std::abort();
    app::Engine engine(place.options, {}, place.clock, log);
    if (engine.codec().check(shape.scheme).has_error()) std::abort();
    sync::PassStats stats;
    sync::Suspects suspects;
    sync::ActivityBoard activities(place.clock);
    NoMetrics metrics;
    auto targets = engine.target_slots();
    auto services = engine.services(stats, suspects, targets, activities, metrics);
    {
        app::Pass pass(services, policies, {}, {});
        drive(engine, pass.run());
    }
    drive(engine, stop(engine));
    return stats.partitions_done;
}

class PassMemory : public ::testing::TestWithParam<PassCase> {};

TEST_P(PassMemory, GrowsByTheBudgetAndFivePercentAtMost) {
    const PassCase& one = GetParam();
    ondisk::ScratchFolder scratch;
    const Place place(scratch.path(), one);
    Child peers([&](int from_parent, int to_parent) {
        const MemoryPeers own(shape_of(one), one.manner, full_answer(),
                              metadata_lines(one.metadata_bytes));
        ondisk::write_file(scratch / "archive", own.archive(0));
        serve(own, from_parent, to_parent);
    });
    Addresses addresses{};
    ASSERT_TRUE(peers.hear(addresses));
    Child builder([&](int, int to_parent) {
        place.write_ring(addresses);
        place.write_hashes();
        tell(to_parent, place.write_objects(ondisk::read_file(scratch / "archive")));
    });
    bool is_built = false;
    ASSERT_TRUE(builder.hear(is_built));
    if (!is_built) GTEST_SKIP() << scratch.path() << " has no room for such metadata";
    Child rebuilder([&](int from_parent, int to_parent) {
        tell_size(to_parent);
        tell(to_parent, run_pass(place, shape_of(one)));
        stay(from_parent);
    });
    const bool ends = one.manner == Manner::quick;
    expect_growth_within(rebuilder, one.name, one.budget_bytes, {.ends = ends, .calm = pass_calm});
    if (!ends) return;
    std::uint64_t done = 0;
    ASSERT_TRUE(rebuilder.hear(done));
    EXPECT_EQ(done, one.partitions);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, PassMemory,
    ::testing::Values(PassCase{"pass_of_hashes_alone", 8, Manner::quick, 96, 0, 16 * kib, 0},
                      PassCase{"pass_not_answering", 8, Manner::stalls_when_hashing, 192, 0,
                               16 * kib, 0, 64 << 20},
                      PassCase{"pass_one_session", 1, Manner::quick, 96, 2, 64 * kib, 4 * kib},
                      PassCase{"pass_one_not_reading", 1, Manner::stalls_when_receiving, 192, 12,
                               64 * kib, 60 * kib},
                      PassCase{"pass_one_not_sending", 1, Manner::stalls_when_sending, 192, 12,
                               64 * kib, 60 * kib},
                      PassCase{"pass_in_little_memory", 8, Manner::stalls_when_receiving, 192, 12,
                               256 * kib, 4 * kib, 64 << 20},
                      PassCase{"pass_64_sessions", 64, Manner::quick, 192, 12, 64 * kib, 4 * kib},
                      PassCase{"pass_64_not_reading_small", 64, Manner::stalls_when_receiving, 192,
                               24, kib, 4 * kib},
                      PassCase{"pass_64_not_reading", 64, Manner::stalls_when_receiving, 192, 12,
                               64 * kib, 4 * kib},
                      PassCase{"pass_64_not_sending", 64, Manner::stalls_when_sending, 192, 12,
                               64 * kib, 4 * kib},
                      PassCase{"pass_64_not_reading_metadata", 64, Manner::stalls_when_receiving,
                               192, 12, 64 * kib, 60 * kib},
                      PassCase{"pass_64_not_sending_metadata", 64, Manner::stalls_when_sending, 192,
                               12, 64 * kib, 60 * kib}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace fragmend::bench
