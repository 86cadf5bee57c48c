// Rates of the CPU codec on one core, its competitors in the same run.
#include <iostream>
#include <string_view>

#include "bench/codec/devices.hpp"
#include "bench/codec/objects.hpp"
#include "bench/codec/report.hpp"
#include "bench/codec/rivals.hpp"
#include "host/codec/cpu_codec.hpp"

namespace fragmend::bench {
namespace {

using codec::Bytes;
using codec::CpuCodec;
using codec::DotKernels;
using codec::EcScheme;
using codec::fragment_header_bytes;

constexpr std::size_t in_batch = 16;
/// More than any cache holds.
constexpr std::size_t cold_bytes = 96'000'000;

std::size_t object_count(const EcScheme& scheme, std::size_t segment_bytes, bool cold) {
    const std::size_t object_bytes =
        segment_bytes + segment_bytes / static_cast<std::size_t>(scheme.k);
    return cold ? cold_bytes / object_bytes : 1;
}

/// The bare decode row on each kind of vector instructions that this CPU has.
void rows(const DotKernels& kernels, const EcScheme& scheme, std::size_t segment_bytes, bool cold,
          const codec::LibraryInstance& library, int pass_ms, Report& report) {
    codec::CpuCodecOptions options;
    options.dot_kernels = &kernels;
    CpuCodec cpu(options);
    Objects objects(cpu, library,
                    {scheme, segment_bytes, object_count(scheme, segment_bytes, cold)});
    const auto& plan = static_cast<const codec::CpuPlan&>(objects.plan());
    const std::size_t payload = objects.fragment_bytes() - fragment_header_bytes;
    std::vector<const Bytes*> inputs(plan.used(0).size());
    const double rate = measure(pass_ms, inputs.size() * payload, [&] {
        scheduler::SegmentWork& item = objects.next();
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const ByteView survivor = item.survivors[plan.used(0)[i]];
            inputs[i] = reinterpret_cast<const Bytes*>(survivor.data()) + fragment_header_bytes;
        }
        plan.row(0).decode.run(
            inputs, reinterpret_cast<Bytes*>(item.outputs[0].data()) + fragment_header_bytes,
            payload);
    });
    report.add({"row " + std::string(kernels.name), codec::to_string(scheme),
                objects.fragment_bytes(), cold, rate});
}

/// The whole codec: headers, decode, cross-check; then with the survivors' MD5s as well.
void batches(const EcScheme& scheme, std::size_t segment_bytes, bool cold,
             const codec::LibraryInstance& library, int pass_ms, Report& report) {
    CpuCodec cpu;
    const std::size_t count = object_count(scheme, segment_bytes, cold);
    Objects objects(cpu, library, {scheme, segment_bytes, std::max(count, in_batch)});
    std::vector<std::unique_ptr<scheduler::SurvivorDigests>> digests;
    for (scheduler::SegmentWork& item : objects.items()) {
        digests.push_back(cpu.digests(item.survivors.size()));
    }
    for (const bool hashed : {false, true}) {
        for (std::size_t i = 0; i < digests.size(); ++i) {
            objects.items()[i].digests = hashed ? digests[i].get() : nullptr;
        }
        std::vector<scheduler::SegmentWork*> batch(in_batch);
        const double rate = measure(pass_ms, in_batch * objects.survivor_bytes(), [&] {
            for (scheduler::SegmentWork*& item : batch) {
                item = &objects.next();
            }
            cpu.run(batch);
        });
        objects.check();
        report.add({hashed ? "codec: checks, decode, MD5" : "codec: checks, decode",
                    codec::to_string(scheme), objects.fragment_bytes(), cold, rate});
    }
}

void run_rates(int pass_ms, Report& report) {
    for (const char* ec_type : {"isa_l_rs_cauchy", "liberasurecode_rs_vand", "jerasure_rs_vand",
                                "jerasure_rs_cauchy", "flat_xor_hd_4"}) {
        const EcScheme scheme{ec_type, 10, std::string_view(ec_type) == "flat_xor_hd_4" ? 5 : 4};
        const auto library = codec::LibraryInstance::create(scheme);
        if (!library) {
            std::cout << library.error().detail << '\n';
            continue;
        }
        for (const bool cold : {false, true}) {
            for (const std::size_t segment_bytes : {10240, 1048576}) {
                for (const DotKernels* kernels : codec::available_kernels()) {
                    rows(*kernels, scheme, segment_bytes, cold, *library, pass_ms, report);
                }
                batches(scheme, segment_bytes, cold, *library, pass_ms, report);
            }
        }
    }
}

int usage(int code) {
    std::cout
        << "usage: codec_bench [--rivals | --rates | --devices] [--quick] [--json FILE]\n\n"
           "  GB of survivor bytes read per CPU second, on one thread.\n"
           "  --rivals  only the contests with liberasurecode, ISA-L and OpenSSL, in turns\n"
           "  --rates   only the rates of each path by itself, hot and cold\n"
           "  --devices only GPUs beside all cores of this machine, wall time, and the router\n"
           "  --quick   shorter passes: for a look, not for a result\n"
           "exit codes: 0 all targets met, 3 one was missed, 2 usage or no device\n";
    return code;
}

}  // namespace
}  // namespace fragmend::bench

int main(int argc, char** argv) {
    using namespace fragmend::bench;
    Pace pace;
    int pass_ms = 200;
    bool rivals = true;
    bool rates = true;
    bool devices = false;
    std::string json_path;
    std::string command = "codec_bench";
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        command += ' ' + std::string(argument == json_path ? "FILE" : argument);
        if (argument == "--help") return usage(0);
        if (argument == "--quick") {
            pace = {3, 20};
            pass_ms = 50;
        } else if (argument == "--rivals") {
            rates = false;
        } else if (argument == "--rates") {
            rivals = false;
        } else if (argument == "--devices") {
            rivals = rates = false;
            devices = true;
        } else if (argument == "--json" && i + 1 < argc) {
            json_path = argv[++i];
        } else {
            return usage(2);
        }
    }
    std::cout << cpu_name() << std::endl;
    Report report;
    if (rivals) run_rivals(pace, report);
    if (rates) run_rates(pass_ms, report);
    const bool found = !devices || run_devices(10 * pass_ms, report);
    if (!json_path.empty()) report.write_json(json_path, command);
    if (!found) return 2;
    return report.missed() == 0 ? 0 : 3;
}
