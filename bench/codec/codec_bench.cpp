// Rates of the CPU codec on one core, its competitors in the same run.
#include <sys/utsname.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <numeric>
#include <random>
#include <vector>

#include "host/codec/cpu_codec.hpp"
#include "host/codec/library.hpp"
#include "host/codec/md5_lanes.hpp"

#ifdef FRAGMEND_HAVE_ISAL
#include <isa-l.h>
#endif

namespace {

using namespace fragmend;
using namespace fragmend::codec;

struct Line {
    std::string what;
    std::string scheme;
    std::size_t fragment_bytes;
    bool cold;  ///< Every fragment comes from memory, not from a cache.
    double gigabytes_read_per_second;
};

struct Options {
    std::string json_path;
    int pass_ms = 200;
};

/// CPU time of this thread, so that a busy machine does not make us look slow (nor fast).
double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Calls `work` (which reads `bytes_read`) for about `pass_ms` and returns GB/s.
double measure(const Options& options, std::size_t bytes_read, const std::function<void()>& work) {
    work();
    const double start = cpu_seconds();
    double seconds = 0;
    std::size_t calls = 0;
    while (seconds < options.pass_ms * 1e-3) {
        work();
        ++calls;
        seconds = cpu_seconds() - start;
    }
    return static_cast<double>(calls) * static_cast<double>(bytes_read) / seconds / 1e9;
}

/// One erasure pattern over many equal objects: one of them for hot runs, 96 MB for cold ones.
struct Objects {
    Objects(CpuCodec& codec, const LibraryInstance& library, const EcScheme& scheme,
            std::size_t segment_bytes, bool cold, std::size_t in_batch) {
        std::mt19937_64 random(1);
        std::vector<std::byte> segment(segment_bytes);
        std::ranges::generate(segment, [&] { return static_cast<std::byte>(random()); });
        const auto fragments = library.encode(segment).value();
        fragment_bytes = fragments.front().size();
        std::vector<std::uint8_t> available;
        // Parities first: data fragments alone would make plain XORs of many patterns.
        for (int i = scheme.n() - 1; i >= 0; --i) {
            available.push_back(static_cast<std::uint8_t>(i));
        }
        const auto survivors = codec.choose_survivors(scheme, available, 0).value();
        plan = codec.plan(scheme, survivors, 0).value();
        const std::size_t object_bytes = (survivors.size() + 1) * fragment_bytes;
        const std::size_t wanted_bytes = cold ? 96'000'000 : 0;
        count = std::max(in_batch, wanted_bytes / object_bytes);
        memory.resize(count * object_bytes);
        items.resize(count);
        views.resize(count);
        std::byte* next = memory.data();
        for (std::size_t i = 0; i < count; ++i) {
            for (std::uint8_t index : survivors) {
                std::memcpy(next, fragments[index].data(), fragment_bytes);
                views[i].emplace_back(next, fragment_bytes);
                next += fragment_bytes;
            }
            items[i].plan = plan;
            items[i].survivors = views[i];
            items[i].output = {next, fragment_bytes};
            next += fragment_bytes;
        }
        survivor_bytes = survivors.size() * fragment_bytes;
    }

    std::size_t fragment_bytes = 0;
    std::size_t survivor_bytes = 0;  ///< Of one object.
    std::size_t count = 0;
    std::shared_ptr<const scheduler::DecodePlan> plan;
    std::vector<std::byte> memory;
    std::vector<std::vector<ByteView>> views;
    std::vector<scheduler::SegmentWork> items;
};

class Bench {
  public:
    explicit Bench(Options options) : options_(std::move(options)) {}
    const std::vector<Line>& lines() const { return lines_; }

    void hashing(std::size_t fragment_bytes, std::size_t streams) {
        std::vector<std::byte> bytes(fragment_bytes * streams, std::byte{7});
        Md5 openssl;
        const double reference = measure(options_, bytes.size(), [&] {
            for (std::size_t i = 0; i < streams; ++i) {
                openssl.reset();
                openssl.update(ByteView(bytes).subspan(i * fragment_bytes, fragment_bytes));
                openssl.finish();
            }
        });
        const std::string name = std::to_string(streams) + " streams";
        add("md5 openssl", name, fragment_bytes, false, reference);
        for (const Md5Kernel* kernel : available_md5_kernels()) {
            std::vector<Md5Stream> states(streams);
            std::vector<Md5Feed> feeds;
            for (std::size_t i = 0; i < streams; ++i) {
                feeds.push_back(
                    {&states[i], ByteView(bytes).subspan(i * fragment_bytes, fragment_bytes)});
            }
            const double rate = measure(options_, bytes.size(), [&] { update(feeds, *kernel); });
            add("md5 lanes " + std::string(kernel->name), name, fragment_bytes, false, rate);
        }
    }

    void decoding(const EcScheme& scheme, std::size_t segment_bytes, bool cold) {
        const auto library = LibraryInstance::create(scheme);
        if (!library) {
            std::cout << library.error().detail << '\n';
            return;
        }
        for (const DotKernels* kernels : available_kernels()) {
            CpuCodecOptions codec_options;
            codec_options.dot_kernels = kernels;
            CpuCodec codec(codec_options);
            Objects objects(codec, *library, scheme, segment_bytes, cold, 1);
            rows(objects, scheme, std::string(kernels->name), cold);
        }
        CpuCodec codec;
        constexpr std::size_t in_batch = 16;
        Objects objects(codec, *library, scheme, segment_bytes, cold, in_batch);
        batches(codec, objects, scheme, cold, in_batch);
        reference(*library, objects, scheme, cold);
    }

  private:
    void add(std::string what, std::string scheme, std::size_t fragment_bytes, bool cold,
             double rate) {
        std::printf("%-34s %-28s %8zu B %-5s %7.2f GB/s\n", what.c_str(), scheme.c_str(),
                    fragment_bytes, cold ? "cold" : "hot", rate);
        lines_.push_back({std::move(what), std::move(scheme), fragment_bytes, cold, rate});
    }

    /// The bare decode row, and ISA-L's loop with cached tables where it applies.
    void rows(Objects& objects, const EcScheme& scheme, const std::string& kernels, bool cold) {
        const auto& plan = static_cast<const CpuPlan&>(*objects.plan);
        const std::size_t payload = objects.fragment_bytes - fragment_header_bytes;
        std::vector<const Bytes*> inputs(plan.used().size());
        std::size_t next = 0;
        const auto take = [&]() -> Bytes* {
            scheduler::SegmentWork& item = objects.items[next++ % objects.count];
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                const ByteView survivor = item.survivors[plan.used()[i]];
                inputs[i] = reinterpret_cast<const Bytes*>(survivor.data()) + fragment_header_bytes;
            }
            return reinterpret_cast<Bytes*>(item.output.data()) + fragment_header_bytes;
        };
        const double rate = measure(options_, inputs.size() * payload, [&] {
            Bytes* output = take();
            plan.decode().run(inputs, output, payload);
        });
        add("row " + kernels, to_string(scheme), objects.fragment_bytes, cold, rate);
#ifdef FRAGMEND_HAVE_ISAL
        if (scheme.ec_type != "isa_l_rs_cauchy" || kernels != "portable") return;
        const auto k = static_cast<int>(inputs.size());
        std::vector<Bytes> coefficients(inputs.size(), 7);
        std::vector<Bytes> tables(32 * inputs.size());
        ec_init_tables(k, 1, coefficients.data(), tables.data());
        const double isal = measure(options_, inputs.size() * payload, [&] {
            Bytes* output = take();
            ec_encode_data(static_cast<int>(payload), k, 1, tables.data(),
                           const_cast<Bytes**>(inputs.data()), &output);
        });
        add("row isa-l, cached tables", to_string(scheme), objects.fragment_bytes, cold, isal);
#endif
    }

    /// The whole codec: headers, decode, cross-check; then with the survivors' MD5s as well.
    void batches(CpuCodec& codec, Objects& objects, const EcScheme& scheme, bool cold,
                 std::size_t in_batch) {
        std::vector<std::unique_ptr<scheduler::SurvivorDigests>> digests;
        for (scheduler::SegmentWork& item : objects.items) {
            digests.push_back(codec.digests(item.survivors.size()));
        }
        for (const bool hashed : {false, true}) {
            for (std::size_t i = 0; i < objects.count; ++i) {
                objects.items[i].digests = hashed ? digests[i].get() : nullptr;
            }
            std::size_t next = 0;
            std::vector<scheduler::SegmentWork*> batch(in_batch);
            const double rate = measure(options_, in_batch * objects.survivor_bytes, [&] {
                for (scheduler::SegmentWork*& item : batch) {
                    item = &objects.items[next++ % objects.count];
                }
                codec.run(batch);
            });
            for (const scheduler::SegmentWork& item : objects.items) {
                if (item.error) throw std::runtime_error(item.error->detail);
            }
            add(hashed ? "codec: checks, decode, MD5" : "codec: checks, decode", to_string(scheme),
                objects.fragment_bytes, cold, rate);
        }
    }

    void reference(const LibraryInstance& library, Objects& objects, const EcScheme& scheme,
                   bool cold) {
        if (find_back_end(scheme.ec_type).value()->id == 3) return;
        std::size_t next = 0;
        const double rate = measure(options_, objects.survivor_bytes, [&] {
            scheduler::SegmentWork& item = objects.items[next++ % objects.count];
            if (!library.reconstruct(item.survivors, 0, item.output)) {
                throw std::runtime_error("liberasurecode failed");
            }
        });
        add("liberasurecode " + version_text(library_version()), to_string(scheme),
            objects.fragment_bytes, cold, rate);
    }

    Options options_;
    std::vector<Line> lines_;
};

std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    utsname machine{};
    return uname(&machine) == 0 ? machine.machine : "unknown";
}

void write_json(const std::string& path, const std::vector<Line>& lines) {
    std::ofstream out(path);
    const std::time_t now = std::time(nullptr);
    char date[32] = {};
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    out << "{\n  \"cpu\": \"" << cpu_name() << "\",\n  \"date\": \"" << date
        << "\",\n  \"unit\": \"10^9 survivor bytes read per CPU second\",\n"
        << "  \"lines\": [\n";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const Line& line = lines[i];
        out << "    {\"what\": \"" << line.what << "\", \"scheme\": \"" << line.scheme
            << "\", \"fragment_bytes\": " << line.fragment_bytes
            << ", \"cold\": " << (line.cold ? "true" : "false")
            << ", \"gb_per_s\": " << line.gigabytes_read_per_second << "}"
            << (i + 1 < lines.size() ? "," : "") << '\n';
    }
    out << "  ]\n}\n";
}

int usage(int code) {
    std::cout
        << "usage: codec_bench [--quick] [--json FILE]\n\n"
           "  GB of survivor bytes read per CPU second: MD5 by OpenSSL and in lanes, the bare\n"
           "  decode rows, the whole codec, liberasurecode and (when built with it) ISA-L.\n"
           "  --quick   50 ms a line instead of 200\n";
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--help") return usage(0);
        if (argument == "--quick") {
            options.pass_ms = 50;
        } else if (argument == "--json" && i + 1 < argc) {
            options.json_path = argv[++i];
        } else {
            return usage(2);
        }
    }
    std::cout << cpu_name() << '\n';
    Bench bench(options);
    for (std::size_t bytes : {std::size_t{1104}, std::size_t{8272}, std::size_t{104938}}) {
        bench.hashing(bytes, 10);
        bench.hashing(bytes, 64);
    }
    for (const char* ec_type :
         {"isa_l_rs_cauchy", "liberasurecode_rs_vand", "jerasure_rs_vand", "jerasure_rs_cauchy"}) {
        bench.decoding({ec_type, 10, 4}, 10240, false);
        bench.decoding({ec_type, 10, 4}, 1048576, false);
        bench.decoding({ec_type, 10, 4}, 1048576, true);
    }
    bench.decoding({"flat_xor_hd_4", 10, 5}, 1048576, true);
    if (!options.json_path.empty()) write_json(options.json_path, bench.lines());
    return 0;
}
