// Parsing `fragmend codec`, and the help that goes with it.
#include "host/app/codec_command_line.hpp"

#include "host/base/bytes.hpp"

namespace fragmend::app {
namespace {

constexpr std::string_view general_help = R"(usage: fragmend codec COMMAND [OPTIONS]

commands:
  list      which erasure codes this machine can rebuild, on what, and which way batches take
  check     prove it: rebuild fragments that the installed liberasurecode encoded
  bench     how fast, on the CPU and on the GPU, and which way the router takes at which size
  rebuild   one fragment archive from archive files on disk

'fragmend codec COMMAND --help' says more.
)";

constexpr std::string_view list_help = R"(usage: fragmend codec list [--json]

Prints the installed liberasurecode, the CPU's instructions, the GPUs, and for each ec_type of
swift.conf whether this machine can rebuild it, and if not, why.

  --json    one JSON object on standard output
)";

constexpr std::string_view check_help =
    R"(usage: fragmend codec check [--ec-type TYPE --policy K+M] [--backend BACKEND]

Lets the installed liberasurecode encode a small segment, rebuilds each of its fragments from the
others and compares every byte: for one policy, or for a common one of each ec_type. Says on what.

  --backend BACKEND   auto (default), cpu, gpu or liberasurecode; with gpu every GPU has to rebuild
                      each fragment by itself, besides the CPU

exit codes:
  0 all is well (back ends that are not installed are named, and are no failure unless asked for),
  1 bytes differ, 2 usage, or the policy or backend that was asked for is not there
)";

constexpr std::string_view bench_help = R"(usage: fragmend codec bench [--quick] [--json]

Rates of whole batches, survivors' MD5s, headers and cross-check included, for each field of the
erasure codes and for batches of 4 KiB to 16 MiB: on one CPU thread, and on the GPU where there is
one, with the way that the router takes.

  --quick   a tenth of the time, for a first look
  --json    one JSON object on standard output
)";

constexpr std::string_view rebuild_help =
    R"(usage: fragmend codec rebuild --ec-type TYPE --policy K+M --index I -o OUT [OPTIONS] ARCHIVE...

Rebuilds fragment archive I of one object from others: .data files of Swift's object servers, or
copies of their content, in any order. Which fragment a file holds is read from the file. At least
K are needed; give all there are: spares prove the result, and a file that is damaged or cannot be
read, or whose attributes are damaged, is named and left out. With K alone and an MD5 missing for
one of them the result is written, and said to be unproven.

A file that still has Swift's extended attributes is checked against the MD5 in them, and must be of
the same object as the others. Without attributes, 2 E + 1 spares tell E damaged files from the rest;
where fewer contradict each other, nothing is written and the suspects are named, if there are any.

  --ec-type TYPE        the policy's ec_type, e.g. isa_l_rs_cauchy
  --policy K+M          its data and parity fragments, e.g. 10+4
  --index I             the fragment to rebuild, 0 to K+M-1
  -o, --output OUT      where to write it; must not exist
      --force           replace OUT, if it is a regular file and none of the archives
      --segment-size N  the policy's ec_object_segment_size, to insist on it (default: as the
                        archives say)
      --backend BACKEND auto (default), cpu, gpu or liberasurecode
      --json            the report as one JSON object on standard output
  -h, --help            this text

OUT holds the archive's bytes alone, and appears whole or not at all; its MD5, which Swift keeps as
ETag, is in the report, with how many of the archives used were verified by theirs. The archives are
read piece by piece, two times or more: 64 MiB of memory do for any number and length of them.

exit codes:
  0 written, 1 internal error or a fault of this machine, 2 usage, or a policy, backend or OUT that
  cannot be used, 4 OUT exists, is no regular file or is one of the archives, 5 too few good archives
)";

UsageError wrong(std::string message, std::string_view topic) {
    std::string help = "fragmend help";
    if (!topic.empty()) help = "fragmend codec " + std::string(topic) + " --help";
    return {"fragmend: " + std::move(message) + "\nTry '" + help + "'.\n"};
}

std::string_view name_of(CodecAction action) {
    switch (action) {
        case CodecAction::list:
            return "list";
        case CodecAction::check:
            return "check";
        case CodecAction::bench:
            return "bench";
        case CodecAction::rebuild:
            return "rebuild";
        case CodecAction::help:
            break;
    }
    return "";
}

class Parser {
  public:
    Parser(std::span<const std::string_view> words, CodecAction action) : words_(words) {
        line_.action = action;
    }

    boost::system::result<CodecLine, UsageError> run() {
        while (next_ < words_.size() && problem_.empty()) {
            const std::string_view word = words_[next_++];
            if (word == "-h" || word == "--help") {
                CodecLine help;
                help.help_topic = name_of(line_.action);
                return help;
            }
            if (only_archives_ || word.size() < 2 || word[0] != '-') {
                archive(word);
            } else {
                option(word);
            }
        }
        if (problem_.empty()) finish();
        if (!problem_.empty()) return wrong(problem_, name_of(line_.action));
        return line_;
    }

  private:
    void archive(std::string_view word) {
        if (line_.action == CodecAction::rebuild) {
            line_.archives.emplace_back(word);
        } else {
            problem_ = "unexpected word '" + std::string(word) + "'";
        }
    }

    void option(std::string_view word) {
        const bool rebuild = line_.action == CodecAction::rebuild;
        const bool check = line_.action == CodecAction::check;
        if (word == "--") {
            only_archives_ = true;
        } else if (word == "--json" && !check) {
            line_.json = true;
        } else if (word == "--quick" && line_.action == CodecAction::bench) {
            line_.pass_ms = 10;
        } else if (word == "--force" && rebuild) {
            line_.force = true;
        } else if (std::string_view value; takes_value(word, value)) {
            if (problem_.empty()) apply(word, value);
        } else {
            problem_ = "no option '" + std::string(word) + "'";
        }
    }

    /// Splits `--name=value` or takes the next word; false for a name that is none of this command.
    bool takes_value(std::string_view& word, std::string_view& value) {
        const auto equals = word.starts_with("--") ? word.find('=') : word.npos;
        const std::string_view name = word.substr(0, equals);
        const bool both = name == "--ec-type" || name == "--policy" || name == "--backend";
        const bool rebuilds =
            name == "--index" || name == "-o" || name == "--output" || name == "--segment-size";
        const bool known = (both && (line_.action == CodecAction::check ||
                                     line_.action == CodecAction::rebuild)) ||
                           (rebuilds && line_.action == CodecAction::rebuild);
        if (!known) return false;
        if (equals != word.npos) {
            value = word.substr(equals + 1);
        } else if (next_ < words_.size()) {
            value = words_[next_++];
        } else {
            problem_ = std::string(name) + " needs a value";
        }
        word = name;
        return true;
    }

    void apply(std::string_view word, std::string_view value) {
        if (word == "--ec-type") {
            ec_type_ = value;
        } else if (word == "--policy") {
            policy_ = value;
        } else if (word == "-o" || word == "--output") {
            line_.output = value;
        } else if (word == "--backend") {
            backend(value);
        } else if (word == "--index") {
            index_ = parse_digits(value);
            if (!index_) problem_ = "--index is a number, not '" + std::string(value) + "'";
        } else {
            line_.segment_bytes = parse_digits(value);
            if (!line_.segment_bytes || *line_.segment_bytes == 0) {
                problem_ = "--segment-size is a number of bytes, not '" + std::string(value) + "'";
            }
        }
    }

    void backend(std::string_view value) {
        const auto backend = parse_backend(value);
        if (backend)
            line_.backend = *backend;
        else
            problem_ = backend.error();
    }

    void finish() {
        const bool rebuild = line_.action == CodecAction::rebuild;
        if (ec_type_.empty() != policy_.empty() || (rebuild && ec_type_.empty())) {
            problem_ = rebuild ? "rebuild needs --ec-type and --policy"
                               : "--ec-type and --policy go together";
            return;
        }
        if (!ec_type_.empty()) {
            const auto policy = parse_policy(policy_);
            if (!policy) {
                problem_ = policy.error();
                return;
            }
            line_.scheme = {ec_type_, policy->first, policy->second};
        }
        if (!rebuild) return;
        if (!index_) {
            problem_ = "rebuild needs --index";
        } else if (*index_ >= static_cast<std::uint64_t>(line_.scheme->n())) {
            problem_ = policy_ + " has the fragments 0 to " +
                       std::to_string(line_.scheme->n() - 1) + ", no " + std::to_string(*index_);
        } else if (line_.output.empty()) {
            problem_ = "rebuild needs -o OUT";
        } else if (line_.archives.empty()) {
            problem_ = "rebuild needs archives to rebuild from";
        } else {
            line_.index = static_cast<std::uint8_t>(*index_);
        }
    }

    std::span<const std::string_view> words_;
    std::size_t next_ = 0;
    bool only_archives_ = false;
    std::string problem_;
    std::string ec_type_;
    std::string policy_;
    std::optional<std::uint64_t> index_;
    CodecLine line_;
};

}  // namespace

boost::system::result<std::pair<int, int>, std::string> parse_policy(std::string_view text) {
    const auto plus = text.find('+');
    if (plus != text.npos) {
        const auto k = parse_digits(text.substr(0, plus));
        const auto m = parse_digits(text.substr(plus + 1));
        if (k && m && *k >= 1 && *m >= 1 && *k + *m <= 32) {
            return std::pair{static_cast<int>(*k), static_cast<int>(*m)};
        }
    }
    return "--policy is K+M with at most 32 together, such as 10+4, not '" + std::string(text) +
           "'";
}

boost::system::result<Backend, std::string> parse_backend(std::string_view text) {
    if (text == "auto") return Backend::automatic;
    if (text == "cpu") return Backend::cpu;
    if (text == "gpu") return Backend::gpu;
    if (text == "liberasurecode") return Backend::liberasurecode;
    return "--backend is auto, cpu, gpu or liberasurecode, not '" + std::string(text) + "'";
}

boost::system::result<CodecLine, UsageError> parse_codec_line(
    std::span<const std::string_view> words) {
    if (words.empty()) return UsageError{std::string(general_help)};
    const std::string_view command = words.front();
    if (command == "help" || command == "--help" || command == "-h") {
        CodecLine help;
        if (words.size() > 1) help.help_topic = words[1];
        return help;
    }
    for (const CodecAction action :
         {CodecAction::list, CodecAction::check, CodecAction::bench, CodecAction::rebuild}) {
        if (command == name_of(action)) return Parser(words.subspan(1), action).run();
    }
    return UsageError{"fragmend: no command 'codec " + std::string(command) +
                      "'\nTry 'fragmend codec --help'.\n"};
}

std::string codec_help_text(std::string_view topic) {
    if (topic == "list") return std::string(list_help);
    if (topic == "check") return std::string(check_help);
    if (topic == "bench") return std::string(bench_help);
    if (topic == "rebuild") return std::string(rebuild_help);
    return std::string(general_help);
}

}  // namespace fragmend::app
