// Each contest: what we do, what the rival does, and the ratio that is asked for.
#include "bench/codec/rivals.hpp"

#include <algorithm>
#include <cstring>
#include <iostream>
#include <stdexcept>

#include "bench/codec/objects.hpp"
#include "host/base/md5.hpp"
#include "host/codec/cpu_codec.hpp"
#include "host/codec/md5_lanes.hpp"

#ifdef FRAGMEND_HAVE_ISAL
#include <isa-l.h>
#endif

namespace fragmend::bench {
namespace {

using codec::Bytes;
using codec::EcScheme;
using codec::fragment_header_bytes;

/// Rounds in one call of ours, all over the same bytes, as the dispatcher brings them under load.
constexpr std::size_t in_batch = 16;

/// Whole fragments in, a whole fragment out: ours checks headers, decodes, cross-checks and writes
/// the header; the library does the same without a cross-check.
void against_library(const Pace& pace, const EcScheme& scheme, std::size_t segment_bytes,
                     double target, Report& report) {
    const auto library = codec::LibraryInstance::create(scheme);
    if (!library) {
        std::cout << library.error().detail << '\n';
        return;
    }
    codec::CpuCodec cpu;
    Objects objects(cpu, *library, {scheme, segment_bytes, 1});
    scheduler::SegmentWork& item = objects.next();
    std::vector<std::byte> theirs(item.output.size());
    std::vector<scheduler::SegmentWork*> batch(in_batch, &item);
    const auto result = duel(
        pace.rounds, pace.pass_ms, in_batch * objects.survivor_bytes(), [&] { cpu.run(batch); },
        [&] {
            for (std::size_t i = 0; i < in_batch; ++i) {
                if (library->reconstruct(item.survivors, 0, theirs)) continue;
                throw std::runtime_error("liberasurecode failed");
            }
        });
    objects.check();
    if (!std::ranges::equal(item.output, theirs)) throw std::runtime_error("bytes differ");
    report.add({"codec: headers, decode, check", "liberasurecode", codec::to_string(scheme),
                objects.fragment_bytes(), result, target});
}

#ifdef FRAGMEND_HAVE_ISAL
/// `ec_encode_data` with tables made before: the bare arithmetic, as a rival of our bare row and of
/// the whole codec.
void against_isal(const Pace& pace, const EcScheme& scheme, std::size_t segment_bytes,
                  Report& report) {
    const auto library = codec::LibraryInstance::create(scheme);
    if (!library) return;
    codec::CpuCodec cpu;
    Objects objects(cpu, *library, {scheme, segment_bytes, 1});
    const auto& plan = static_cast<const codec::CpuPlan&>(objects.plan());
    scheduler::SegmentWork& item = objects.next();
    const std::size_t payload = objects.fragment_bytes() - fragment_header_bytes;
    std::vector<const Bytes*> inputs;
    for (std::uint8_t position : plan.used()) {
        inputs.push_back(reinterpret_cast<const Bytes*>(item.survivors[position].data()) +
                         fragment_header_bytes);
    }
    auto* output = reinterpret_cast<Bytes*>(item.output.data()) + fragment_header_bytes;
    const auto k = static_cast<int>(inputs.size());
    std::vector<Bytes> tables(32 * inputs.size());
    std::vector<Bytes> coefficients;
    for (gf::Element element : plan.row()) {
        coefficients.push_back(static_cast<Bytes>(element));
    }
    ec_init_tables(k, 1, coefficients.data(), tables.data());
    std::vector<Bytes> their_output(payload);
    const auto isal = [&] {
        Bytes* outputs[] = {their_output.data()};
        for (std::size_t i = 0; i < in_batch; ++i) {
            ec_encode_data(static_cast<int>(payload), k, 1, tables.data(),
                           const_cast<Bytes**>(inputs.data()), outputs);
        }
    };
    const std::size_t bytes = in_batch * inputs.size() * payload;
    const auto rows = duel(
        pace.rounds, pace.pass_ms, bytes,
        [&] {
            for (std::size_t i = 0; i < in_batch; ++i)
                plan.decode().run(inputs, output, payload);
        },
        isal);
    if (std::memcmp(output, their_output.data(), payload) != 0) {
        throw std::runtime_error("bytes differ");
    }
    const std::string name = codec::to_string(scheme);
    report.add({"bare row, cached tables", "ISA-L", name, objects.fragment_bytes(), rows, 0.95});
    std::vector<scheduler::SegmentWork*> batch(in_batch, &item);
    const auto whole = duel(
        pace.rounds, pace.pass_ms, bytes, [&] { cpu.run(batch); }, isal);
    objects.check();
    report.add(
        {"codec: headers, decode, check", "bare ISA-L", name, objects.fragment_bytes(), whole, 0});
}
#endif

void against_openssl(const Pace& pace, std::size_t fragment_bytes, std::size_t streams,
                     const codec::Md5Kernel& kernel, double target, Report& report) {
    std::vector<std::byte> bytes(fragment_bytes * streams, std::byte{7});
    std::vector<codec::Md5Stream> states(streams);
    std::vector<codec::Md5Feed> feeds;
    for (std::size_t i = 0; i < streams; ++i) {
        feeds.push_back({&states[i], ByteView(bytes).subspan(i * fragment_bytes, fragment_bytes)});
    }
    Md5 openssl;
    const auto result = duel(
        pace.rounds, pace.pass_ms, bytes.size(), [&] { codec::update(feeds, kernel); },
        [&] { openssl.update(bytes); });
    report.add({"MD5 " + std::string(kernel.name), "OpenSSL, one stream",
                std::to_string(streams) + " streams", fragment_bytes, result, target});
}

}  // namespace

void run_rivals(const Pace& pace, Report& report) {
    for (const char* ec_type : {"isa_l_rs_cauchy", "isa_l_rs_vand"}) {
        for (const int k : {10, 15}) {
            const EcScheme scheme{ec_type, k, 4};
            const auto parts = static_cast<std::size_t>(k);
            against_library(pace, scheme, parts * 1024, 20, report);
            against_library(pace, scheme, parts * 8192, 3.5, report);
            against_library(pace, scheme, parts * 104858, 1.5, report);
#ifdef FRAGMEND_HAVE_ISAL
            for (const std::size_t bytes : {1024, 8192, 104858}) {
                against_isal(pace, scheme, parts * bytes, report);
            }
#endif
        }
    }
    for (const std::size_t bytes : {1024, 8192, 104858}) {
        against_library(pace, {"liberasurecode_rs_vand", 10, 4}, 10 * bytes, 20, report);
    }
    for (const std::size_t bytes : {4096, 8192, 102400}) {
        against_library(pace, {"jerasure_rs_cauchy", 10, 4}, 10 * bytes, 3, report);
    }
    against_library(pace, {"jerasure_rs_vand", 10, 4}, 1048576, 0, report);
    for (const codec::Md5Kernel* kernel : codec::available_md5_kernels()) {
        // A lone lane is no rival of OpenSSL's; it is there for single streams.
        const double target = kernel->lanes > 1 ? 4 : 0;
        for (const std::size_t bytes : {1104, 8272, 104938}) {
            against_openssl(pace, bytes, 160, *kernel, target, report);
        }
    }
}

}  // namespace fragmend::bench
