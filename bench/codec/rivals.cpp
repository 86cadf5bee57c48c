// Each contest: what we do, what the rival does, and the ratio that is asked for.
#include "bench/codec/rivals.hpp"

#include <algorithm>
#include <array>
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
#ifdef FRAGMEND_HAVE_GF_COMPLETE
#include "bench/codec/gf_complete.hpp"
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
    std::vector<std::byte> theirs(item.fragment_bytes());
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
    if (!std::ranges::equal(item.outputs[0], theirs)) throw std::runtime_error("bytes differ");
    report.add({"codec: headers, decode, check", "liberasurecode", codec::to_string(scheme),
                objects.fragment_bytes(), result, target});
}

#if defined(FRAGMEND_HAVE_ISAL) || defined(FRAGMEND_HAVE_GF_COMPLETE)
/// The bare arithmetic of one fragment, as rivals that know neither headers nor checks meet it.
struct BareRow {
    BareRow(const EcScheme& scheme, const codec::LibraryInstance& library,
            std::size_t segment_bytes, const codec::DotKernels& kernels)
        : cpu(with(kernels)),
          objects(cpu, library, {scheme, segment_bytes, 1}),
          plan(static_cast<const codec::CpuPlan&>(objects.plan())),
          payload(objects.fragment_bytes() - fragment_header_bytes) {
        const scheduler::SegmentWork& item = objects.items().front();
        for (std::uint8_t position : plan.used(0)) {
            inputs.push_back(reinterpret_cast<const Bytes*>(item.survivors[position].data()) +
                             fragment_header_bytes);
        }
        output = reinterpret_cast<Bytes*>(item.outputs[0].data()) + fragment_header_bytes;
    }
    /// Of one call of a rival's and of `run`.
    std::size_t bytes() const { return in_batch * inputs.size() * payload; }
    void run() const {
        for (std::size_t i = 0; i < in_batch; ++i)
            plan.row(0).decode.run(inputs, output, payload);
    }
    void expect(const Bytes* theirs) const {
        if (std::memcmp(output, theirs, payload) != 0) throw std::runtime_error("bytes differ");
    }

    codec::CpuCodec cpu;
    Objects objects;
    const codec::CpuPlan& plan;
    std::size_t payload;
    std::vector<const Bytes*> inputs;
    Bytes* output = nullptr;

  private:
    static codec::CpuCodecOptions with(const codec::DotKernels& kernels) {
        codec::CpuCodecOptions options;
        options.dot_kernels = &kernels;
        return options;
    }
};
#endif

#ifdef FRAGMEND_HAVE_ISAL
/// `ec_encode_data` with tables made before: the bare arithmetic, as a rival of our bare row and of
/// the whole codec.
void against_isal(const Pace& pace, const EcScheme& scheme, std::size_t segment_bytes,
                  Report& report) {
    const auto library = codec::LibraryInstance::create(scheme);
    if (!library) return;
    BareRow row(scheme, *library, segment_bytes, *codec::available_kernels().back());
    const auto k = static_cast<int>(row.inputs.size());
    std::vector<Bytes> tables(32 * row.inputs.size());
    std::vector<Bytes> coefficients;
    for (gf::Element element : row.plan.row(0).coefficients) {
        coefficients.push_back(static_cast<Bytes>(element));
    }
    ec_init_tables(k, 1, coefficients.data(), tables.data());
    std::vector<Bytes> their_output(row.payload);
    const auto isal = [&] {
        Bytes* outputs[] = {their_output.data()};
        for (std::size_t i = 0; i < in_batch; ++i) {
            ec_encode_data(static_cast<int>(row.payload), k, 1, tables.data(),
                           const_cast<Bytes**>(row.inputs.data()), outputs);
        }
    };
    const auto rows = duel(
        pace.rounds, pace.pass_ms, row.bytes(), [&] { row.run(); }, isal);
    row.expect(their_output.data());
    const std::string name = codec::to_string(scheme);
    const std::size_t fragment_bytes = row.objects.fragment_bytes();
    report.add({"bare row, cached tables", "ISA-L", name, fragment_bytes, rows, 0.95});
    std::vector<scheduler::SegmentWork*> batch(in_batch, &row.objects.next());
    const auto whole = duel(
        pace.rounds, pace.pass_ms, row.bytes(), [&] { row.cpu.run(batch); }, isal);
    row.objects.check();
    report.add({"codec: headers, decode, check", "bare ISA-L", name, fragment_bytes, whole, 0});
}
#endif

#ifdef FRAGMEND_HAVE_GF_COMPLETE
/// The same row by one region multiplication of gf-complete's a survivor, which makes its tables in
/// each call; on copies, since it takes only what lies equally far beyond a multiple of 16.
void against_gf_complete(const Pace& pace, const EcScheme& scheme, std::size_t segment_bytes,
                         const codec::DotKernels& kernels, Report& report) {
    const auto library = codec::LibraryInstance::create(scheme);
    if (!library) return;
    BareRow row(scheme, *library, segment_bytes, kernels);
    std::vector<std::vector<Bytes>> copies;
    for (const Bytes* input : row.inputs) {
        copies.emplace_back(input, input + row.payload);
    }
    GfComplete field(row.plan.field());
    std::vector<Bytes> their_output(row.payload);
    // memset leaves the vector registers' upper halves in use, which costs the rival's SSE loops up
    // to three quarters of their rate; our vector loops end by clearing them.
    std::array<Bytes, 256> few{};
    const Bytes* from[] = {few.data()};
    const auto clear_registers = [&] {
        codec::available_kernels().back()->gf2(from, 1, few.data() + 128, 128);
    };
    const auto result = duel(
        pace.rounds, pace.pass_ms, row.bytes(), [&] { row.run(); },
        [&] {
            clear_registers();
            for (std::size_t i = 0; i < in_batch; ++i) {
                for (std::size_t j = 0; j < copies.size(); ++j) {
                    field.multiply_region(row.plan.row(0).coefficients[j], copies[j].data(),
                                          their_output.data(), row.payload, j != 0);
                }
            }
        });
    row.expect(their_output.data());
    report.add({"bare row, " + std::string(kernels.name) + " loops", "gf-complete",
                codec::to_string(scheme), row.objects.fragment_bytes(), result, 0});
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
#ifdef FRAGMEND_HAVE_GF_COMPLETE
    for (const char* ec_type : {"isa_l_rs_cauchy", "liberasurecode_rs_vand"}) {
        for (const codec::DotKernels* kernels : codec::available_kernels()) {
            for (const std::size_t bytes : {1024, 8192, 104858}) {
                against_gf_complete(pace, {ec_type, 10, 4}, 10 * bytes, *kernels, report);
            }
        }
    }
#endif
    for (const codec::Md5Kernel* kernel : codec::available_md5_kernels()) {
        // A lone lane is no rival of OpenSSL's; it is there for single streams.
        const double target = kernel->lanes > 1 ? 4 : 0;
        for (const std::size_t bytes : {1104, 8272, 104938}) {
            against_openssl(pace, bytes, 160, *kernel, target, report);
        }
    }
}

}  // namespace fragmend::bench
