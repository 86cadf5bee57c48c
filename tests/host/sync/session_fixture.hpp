// A session's surroundings without a network: with k = 1 the local archive is survivor enough.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "host/base/md5.hpp"
#include "host/codec/cpu_codec.hpp"
#include "host/sync/session_objects.hpp"
#include "tests/host/swift/disk_fixture.hpp"
#include "tests/host/swift/object_fixture.hpp"
#include "tests/host/swift/ring_builder.hpp"
#include "tests/support/run_coroutine.hpp"

namespace fragmend::sync::testing {

namespace ondisk = swift::testing;

/// Device `d1` holds fragment 0 of a 1 + 1 policy, device 1 has lost fragment 1. A retry without
/// the local archive finds nobody else to ask.
struct SessionFixture : ondisk::DiskFixture {
    SessionFixture() {
        context.fragment_count = 2;
        policy.policy.index = 1;
        policy.policy.type = swift::PolicyType::erasure_coding;
        policy.policy.ec_type = "isa_l_rs_vand";
        policy.policy.k = policy.policy.m = 1;
        policy.policy.segment_bytes = segment_bytes;
        policy.disk = context;
        const std::vector<std::vector<std::uint16_t>> rows(
            {std::vector<std::uint16_t>(8, 0), std::vector<std::uint16_t>(8, 1)});
        policy.ring = swift::test::make_ring(rows, 2);
    }
    ~SessionFixture() override {
        client.pool().close();
        const bool stopped = test::run_coroutine(io, stop_dispatcher());
        EXPECT_TRUE(stopped);
        disk_threads.join();
        decode_threads.join();
    }

    Awaitable<bool> stop_dispatcher() {
        co_await dispatcher.stop();
        co_return true;
    }

    Services services() { return services_with(budget, targets, sessions); }
    Services services_with(scheduler::MemoryBudget& memory, TargetSlots& slots,
                           Semaphore& session_count) {
        return {io.get_executor(),
                disk_threads.get_executor(),
                options,
                client,
                codec,
                dispatcher,
                memory,
                buffers,
                rebuild_stats,
                clock,
                {},
                {},
                session_count,
                replicate_calls,
                slots,
                stats,
                suspects,
                activities,
                metrics,
                brake,
                gate,
                context.logger,
                nullptr,
                &risks};
    }
    SessionPlan plan(std::vector<swift::SuffixName> suffixes) {
        Node local = swift::test::make_node(0);
        local.device = "d1";
        return {"7", local, 0, swift::test::make_node(1), 1, std::move(suffixes)};
    }

    /// Fragment 0 of an object of `segments` segments.
    std::string archive(std::size_t segments) {
        const std::size_t piece = codec.fragment_bytes(scheme(), segment_bytes);
        std::string bytes;
        for (std::size_t i = 0; i < segments; ++i) {
            std::string fragment(piece, static_cast<char>('a' + i % 26));
            codec::FragmentHeader header;
            header.payload_bytes = static_cast<std::uint32_t>(piece - codec::fragment_header_bytes);
            header.segment_bytes = segment_bytes;
            header.backend_id = 4;
            header.library_version = 0x010602;
            std::array<std::byte, codec::fragment_header_bytes> head{};
            codec::write_fragment_header(header, codec::CrcForm::standard, head);
            std::memcpy(fragment.data(), head.data(), head.size());
            bytes += fragment;
        }
        return bytes;
    }
    scheduler::EcScheme scheme() const { return {policy.policy.ec_type, 1, 1}; }

    std::string hash_of(const std::string& path) const {
        return swift::object_hash_of(context, path);
    }

    /// Stores the object and returns its hash. `damaged`: the last byte is not the one that was
    /// hashed.
    std::string put(const std::string& path, std::string bytes, bool damaged = false) {
        Md5 md5;
        md5.update(std::string_view(bytes));
        const auto etag = md5.finish_hex();
        if (damaged) bytes.back() = static_cast<char>(bytes.back() ^ 1);
        const Timestamp time = ago(1000);
        swift::Metadata metadata;
        metadata.set("X-Timestamp", time.internal());
        metadata.set("Content-Type", "text/plain");
        metadata.set("Content-Length", std::to_string(bytes.size()));
        metadata.set("ETag", etag);
        metadata.set("X-Object-Sysmeta-Ec-Etag", "whole");
        metadata.set("X-Object-Sysmeta-Ec-Frag-Index", "0");
        metadata.set("name", path);
        const auto hash = hash_of(path);
        const std::string file = partition_path() + "/" + hash.substr(29) + "/" + hash + "/" +
                                 swift::data_file_name(time, 0, true);
        ondisk::write_file(file, bytes);
        const UniqueFd fd(::open(file.c_str(), O_RDONLY));
        EXPECT_TRUE(swift::write_metadata(fd.get(), file, metadata).has_value());
        return hash;
    }
    /// One more item in what the `.data` file says of its object.
    void set_metadata(const std::string& hash, const std::string& name, const std::string& value) {
        const std::string file = partition_path() + "/" + hash.substr(29) + "/" + hash + "/" +
                                 swift::data_file_name(ago(1000), 0, true);
        auto metadata = swift::read_metadata(file).value();
        metadata.set(name, value);
        const UniqueFd fd(::open(file.c_str(), O_RDONLY));
        EXPECT_TRUE(swift::write_metadata(fd.get(), file, metadata).has_value());
    }
    /// A POST with one item.
    void post(const std::string& path, const std::string& name, const std::string& value) {
        const auto hash = hash_of(path);
        const Timestamp time = ago(500);
        const std::string file =
            partition_path() + "/" + hash.substr(29) + "/" + hash + "/" + time.internal() + ".meta";
        swift::Metadata metadata;
        metadata.set("X-Timestamp", time.internal());
        metadata.set(name, value);
        metadata.set("name", path);
        ondisk::write_file(file);
        const UniqueFd fd(::open(file.c_str(), O_RDONLY));
        EXPECT_TRUE(swift::write_metadata(fd.get(), file, metadata).has_value());
    }
    static transport::ssync::Wanted want(const std::string& hash) {
        transport::ssync::Wanted wanted;
        wanted.object_hash = ObjectHash::parse(hash).value();
        wanted.data = true;
        return wanted;
    }

    static constexpr std::size_t segment_bytes = 16 * 1024;
    asio::io_context io;
    asio::thread_pool disk_threads{1};
    asio::thread_pool decode_threads{1};
    swift::ReconstructorOptions options;
    codec::CpuCodec codec;
    HeapSlabs slabs;
    BufferPool buffers{slabs, 64 << 20};
    scheduler::MemoryBudget budget{io.get_executor(), 64 << 20};
    scheduler::RebuildStats rebuild_stats;
    scheduler::Dispatcher dispatcher{io.get_executor(), decode_threads.get_executor(), codec, {}};
    transport::http::Client client{io.get_executor(), "obj-reconstructor 1", clock};
    Semaphore sessions{io.get_executor(), 1};
    Semaphore replicate_calls{io.get_executor(), 1};
    TargetSlots targets{io.get_executor(), 1};
    PassStats stats;
    Risks risks;
    Suspects suspects;
    ActivityBoard activities{clock};
    NoMetrics metrics;
    Activity activity{activities, "test", [] {}};
    QuarantineBrake brake{0};
    Gate gate{io.get_executor()};
    int pauses = 0;  ///< That a job was seen to wait for the end of.

    /// For a peer in the midst of its session: pauses until a job waits for the end of it.
    void pause_from_peer() {
        asio::post(io, [this] {
            gate.close();
            open_when_noticed();
        });
    }
    void open_when_noticed() {
        const bool noticed =
            std::ranges::any_of(activities.snapshot(),
                                [](const ActivityView& job) { return job.doing == "is paused"; });
        if (!noticed) return asio::post(io, [this] { open_when_noticed(); });
        ++pauses;
        gate.open();
    }
    PolicyContext policy;
};

}  // namespace fragmend::sync::testing
