// Parsing, help, and the checks that need no machine.
#include "host/app/embedded_command_line.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/bytes.hpp"
#include "host/swift/option_reader.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::app {
namespace {

constexpr std::uint64_t devices_max = 256;
constexpr std::uint64_t objects_max = 10'000'000;
constexpr std::uint64_t rounds_max = 1000;
constexpr std::uint64_t part_power_max = 16;
constexpr int devices_default = 8;
constexpr double delay_ms_max = 10'000;

constexpr std::string_view demo_help =
    R"(usage: fragmend demo [OPTIONS]

Makes a whole cluster inside this process, with nothing installed, as any user: devices that are
folders, object servers on ports of the kernel's choice, Swift's own files. Fills it, wipes devices,
rebuilds them through the same code as the daemon, and compares every file with what was there:
name, bytes and metadata. Removes everything at the end.
)";

constexpr std::string_view bench_help =
    R"(usage: fragmend bench rebuild [OPTIONS]

Measures whole rebuilds of wiped devices in a cluster inside this process (see fragmend demo), round
after round, and beside them a plain program that only writes and syncs the same files. CPU is that
of the whole process: the reconstructor and all servers.

      --rounds N          default 3
      --out FILE          also leave the result there as JSON
)";

constexpr std::string_view cluster_help = R"(
The cluster:
      --policy K+M        data and parity fragments, default 4+2
      --ec-type TYPE      default isa_l_rs_cauchy, or liberasurecode_rs_vand where ISA-L is missing
      --devices N         default 8, or K+M where that is more
      --servers N         the devices are dealt out to them, default 4
      --part-power N      2^N partitions, default 5
      --no-fsync          servers do not sync what they write
      --delay MS          every answer of a server comes so much later, 0.2 for 200 us; a session is
                          one answer
      --dir DIR           make the cluster below DIR; default: the temporary folder, else /var/tmp,
                          else the folder you are in. Its file system needs user.* extended attributes
      --keep              leave the cluster's folder behind and name it

What is in it and what is lost:
)";

constexpr std::string_view demo_objects_help =
    R"(      --objects N         default 400, some of them posted to, deleted, or with odd names
      --bytes SIZES       default 0-4M; a size, a range, or a comma list of both that objects take
)";

constexpr std::string_view bench_objects_help =
    R"(      --objects N         default 2000
      --bytes SIZES       default 16K; a size, a range, or a comma list of both that objects take
)";

constexpr std::string_view common_help =
    R"(                          in turn, such as 16K,1M-8M (K, M, G)
      --wipe N            devices to lose, default 1, at most M
      --seed N            another ring and other objects, default 1

      --backend BACKEND   who decodes: auto (default), cpu, gpu or liberasurecode
      --json              the result as one JSON object on standard output
      --progress WHEN     auto (default: when standard error is a terminal), always, never
  -v, --verbose           log to standard error what the reconstructor and the servers say
  -h, --help              this text

exit codes:
  0 everything is as it was, 1 something differs, or an internal error, 2 usage, or this machine
  lacks what was asked for, 3 not everything is back, or interrupted, 5 some objects have too few
  good fragments
)";

UsageError wrong(std::string message, bool is_bench) {
    return {"fragmend: " + std::move(message) + "\nTry 'fragmend " +
            (is_bench ? "bench rebuild" : "demo") + " --help'.\n"};
}

class Parser {
  public:
    Parser(std::span<const std::string_view> words, bool is_bench) : words_(words) {
        line_.is_bench = is_bench;
        line_.objects = is_bench ? 2000 : 400;
        line_.sizes = is_bench ? std::vector<demo::SizeRange>{{16 << 10, 16 << 10}}
                               : std::vector<demo::SizeRange>{{0, 4 << 20}};
        line_.rounds = is_bench ? 3 : 1;
    }

    boost::system::result<EmbeddedLine, UsageError> run() {
        while (next_ < words_.size() && problem_.empty()) {
            const std::string_view word = words_[next_++];
            if (word == "-h" || word == "--help") {
                line_.wants_help = true;
                return line_;
            }
            if (!flag(word)) option(word);
        }
        if (problem_.empty()) check();
        if (!problem_.empty()) return wrong(problem_, line_.is_bench);
        return line_;
    }

  private:
    bool flag(std::string_view word) {
        if (word == "--keep")
            line_.keep = true;
        else if (word == "--json")
            line_.json = true;
        else if (word == "--no-fsync")
            line_.fsync = false;
        else if (word == "-v" || word == "--verbose")
            line_.verbose = true;
        else
            return false;
        return true;
    }

    void option(std::string_view word) {
        const auto equals = word.starts_with("--") ? word.find('=') : word.npos;
        const std::string name(word.substr(0, equals));
        const bool known = name == "--policy" || name == "--ec-type" || name == "--devices" ||
                           name == "--servers" || name == "--part-power" || name == "--delay" ||
                           name == "--dir" || name == "--objects" || name == "--bytes" ||
                           name == "--wipe" || name == "--seed" || name == "--backend" ||
                           name == "--progress" ||
                           (line_.is_bench && (name == "--rounds" || name == "--out"));
        if (!known) {
            problem_ = word.starts_with('-') ? "no option '" + name + "'"
                                             : "unexpected word '" + std::string(word) + "'";
        } else if (equals != word.npos) {
            apply(name, word.substr(equals + 1));
        } else if (next_ < words_.size()) {
            apply(name, words_[next_++]);
        } else {
            problem_ = name + " needs a value";
        }
    }

    void apply(const std::string& name, std::string_view value) {
        if (name == "--policy") {
            policy(value);
        } else if (name == "--ec-type") {
            line_.ec_type = value;
        } else if (name == "--dir") {
            line_.dir = value;
        } else if (name == "--out") {
            line_.out = value;
        } else if (name == "--bytes") {
            sizes(value);
        } else if (name == "--delay") {
            delay(value);
        } else if (name == "--backend") {
            const auto backend = parse_backend(value);
            if (backend)
                line_.backend = *backend;
            else
                problem_ = backend.error();
        } else if (name == "--progress") {
            progress(value);
        } else if (name == "--objects") {
            line_.objects = number(name, value, 1, objects_max);
        } else if (name == "--seed") {
            line_.seed = number(name, value, 0, UINT64_MAX);
        } else {
            small_number(name, value);
        }
    }

    void small_number(const std::string& name, std::string_view value) {
        if (name == "--devices")
            line_.devices = static_cast<int>(number(name, value, 2, devices_max));
        else if (name == "--servers")
            line_.servers = static_cast<int>(number(name, value, 1, devices_max));
        else if (name == "--part-power")
            line_.part_power = static_cast<int>(number(name, value, 0, part_power_max));
        else if (name == "--wipe")
            line_.wipe = static_cast<int>(number(name, value, 1, devices_max));
        else
            line_.rounds = static_cast<int>(number(name, value, 1, rounds_max));
    }

    std::uint64_t number(const std::string& name, std::string_view value, std::uint64_t min,
                         std::uint64_t max) {
        const auto parsed = parse_digits(value);
        if (parsed && *parsed >= min && *parsed <= max) return *parsed;
        problem_ = name + " is a number from " + std::to_string(min) + " to " +
                   std::to_string(max) + ", not '" + std::string(value) + "'";
        return min;
    }

    void policy(std::string_view value) {
        const auto parsed = parse_policy(value);
        if (!parsed) {
            problem_ = parsed.error();
            return;
        }
        line_.k = parsed->first;
        line_.m = parsed->second;
    }

    void progress(std::string_view value) {
        if (value == "auto")
            line_.progress = ProgressMode::automatic;
        else if (value == "always")
            line_.progress = ProgressMode::always;
        else if (value == "never")
            line_.progress = ProgressMode::never;
        else
            problem_ =
                "--progress is auto, always or never, not '" + std::string(value) + "'";
    }

    void delay(std::string_view value) {
        const auto parsed = swift::python_float(value);
        if (!parsed || !std::isfinite(*parsed) || *parsed < 0 || *parsed > delay_ms_max) {
            problem_ = "--delay is a number of milliseconds up to 10000, not '" +
                       std::string(value) + "'";
            return;
        }
        line_.delay = std::chrono::microseconds(std::llround(*parsed * 1000));
    }

    void sizes(std::string_view value) {
        line_.sizes.clear();
        for (std::string_view left = value;;) {
            const auto comma = left.find(',');
            const std::string_view item = left.substr(0, comma);
            const auto dash = item.find('-');
            const auto from = swift::size_in_bytes(item.substr(0, dash));
            const auto to = dash == item.npos ? from : swift::size_in_bytes(item.substr(dash + 1));
            // More than Swift's own limit of an object is more than anybody can store.
            if (!from || !to || *from > *to || *to > (5ull << 30)) {
                problem_ = "--bytes is a list of sizes and ranges up to 5G, such as 16K,1M-8M, not '" +
                           std::string(value) + "'";
                return;
            }
            line_.sizes.push_back({*from, *to});
            if (comma == left.npos) return;
            left.remove_prefix(comma + 1);
        }
    }

    void check() {
        const int fragments = line_.k + line_.m;
        const std::string policy = std::to_string(line_.k) + "+" + std::to_string(line_.m);
        if (line_.devices == 0) line_.devices = std::max(devices_default, fragments);
        if (line_.devices < fragments) {
            problem_ = "a " + policy + " policy needs " + std::to_string(fragments) +
                       " devices, one for each fragment; --devices says " +
                       std::to_string(line_.devices);
        } else if (line_.wipe > line_.m) {
            problem_ = "a " + policy + " policy survives the loss of " + std::to_string(line_.m) +
                       (line_.m == 1 ? " device" : " devices") + "; --wipe says " +
                       std::to_string(line_.wipe);
        }
        line_.servers = std::min(line_.servers, line_.devices);
    }

    std::span<const std::string_view> words_;
    std::size_t next_ = 0;
    std::string problem_;
    EmbeddedLine line_;
};

/// The command as it may be shown to anybody: of paths, only their last part.
std::string bare_command(std::string_view command, std::span<const std::string_view> words) {
    std::string text(command);
    for (const std::string_view word : words) {
        const auto slash = word.rfind('/');
        const auto equals = word.find('=');
        text += ' ';
        if (slash != word.npos && equals != word.npos && equals < slash) {
            text += word.substr(0, equals + 1);
        }
        text += slash == word.npos ? word : word.substr(slash + 1);
    }
    return text;
}

}  // namespace

boost::system::result<EmbeddedLine, UsageError> parse_demo_line(
    std::span<const std::string_view> words) {
    auto line = Parser(words, false).run();
    if (line) line->command = bare_command("fragmend demo", words);
    return line;
}

boost::system::result<EmbeddedLine, UsageError> parse_bench_line(
    std::span<const std::string_view> words) {
    if (!words.empty() && (words[0] == "-h" || words[0] == "--help" || words[0] == "help")) {
        EmbeddedLine help;
        help.is_bench = help.wants_help = true;
        return help;
    }
    if (words.empty() || words[0] != "rebuild") {
        return wrong(words.empty() ? "bench needs to know what: rebuild"
                                   : "no bench '" + std::string(words[0]) + "', but: rebuild",
                     true);
    }
    auto line = Parser(words.subspan(1), true).run();
    if (line) line->command = bare_command("fragmend bench", words);
    return line;
}

std::string embedded_help_text(bool is_bench) {
    std::string text(is_bench ? bench_help : demo_help);
    text += cluster_help;
    text += is_bench ? bench_objects_help : demo_objects_help;
    return text + std::string(common_help);
}

}  // namespace fragmend::app
