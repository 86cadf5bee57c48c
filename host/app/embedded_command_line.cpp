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
            problem_ = "--progress is auto, always or never, not '" + std::string(value) + "'";
    }

    void delay(std::string_view value) {
        const auto parsed = swift::python_float(value);
        if (!parsed || !std::isfinite(*parsed) || *parsed < 0 || *parsed > delay_ms_max) {
            problem_ =
                "--delay is a number of milliseconds up to 10000, not '" + std::string(value) + "'";
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
                problem_ =
                    "--bytes is a list of sizes and ranges up to 5G, such as 16K,1M-8M, not '" +
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

}  // namespace fragmend::app
