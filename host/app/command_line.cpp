// Parsing of the command line, and the help that goes with it.
#include "host/app/command_line.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "host/app/codec_command_line.hpp"
#include "host/app/embedded_command_line.hpp"
#include "host/base/bytes.hpp"
#include "host/swift/throttle_options.hpp"

namespace fragmend::app {
namespace {

constexpr std::string_view drop_in_name = "swift-object-reconstructor";

constexpr std::string_view general_help =
    R"(usage: fragmend COMMAND [OPTIONS]

Fragmend rebuilds lost fragment archives of OpenStack Swift's erasure-coding policies.

commands:
  reconstructor CONF   rebuild what this node's partners have lost (in place of
                       swift-object-reconstructor; same configuration files)
  server CONF          serve a node's replication port (in place of swift-object-server there)
  codec COMMAND        list, check and bench the erasure codes of this machine; rebuild one
                       fragment archive from files (fragmend codec --help)
  demo                 a whole cluster in this process loses devices and gets them back: nothing to
                       install, as any user (fragmend demo --help)
  bench rebuild        the same as a benchmark (fragmend bench rebuild --help)
  status [CONF...]     how every running reconstructor of this node is: how far, how fast, and what
                       limits it (--json: all numbers)
  pause, resume [CONF...]
                       begin no further partition and session until resumed, or until the service is
                       stopped (SIGHUP ends no pause), those that run go on to their ends; and go on
  cancel [CONF...]     end the passes that run, with their sessions; the next passes begin after
                       the interval
  drain [CONF...]      the same, but the sessions that run go on to their ends
                       pause, resume, cancel, drain: with --device NAME, --partition N or both, or
                       --object /ACCOUNT/CONTAINER/OBJECT (not drain), only that part of the work
  limit [NAME=VALUE...] [CONF...]
                       change read_limit, node_read_limit, device_read_limit, the same three with
                       send, or profile (see fragmend help reconstructor) until SIGHUP brings a
                       new configuration or the service is stopped; --configured goes back to the
                       configuration; without either, show them
  info                 what this machine and its libraries offer: codes, CPU paths, GPU
  version              the version
  help [COMMAND]       this text, or that of reconstructor, server, codec, demo or bench

exit codes:
  0 done, 1 internal error, 2 usage or configuration, 3 work remains, 4 refused (by a process, too),
  5 done but some objects have too few good fragments to be rebuilt,
  6 no running reconstructor answers; who runs and could not be asked is named
)";

constexpr std::string_view reconstructor_help =
    R"(usage: fragmend reconstructor CONF [once] [OPTIONS]
       swift-object-reconstructor CONF [once] [OPTIONS]   (the drop-in name)

Reads CONF (object-server.conf or a conf.d folder, sections [DEFAULT] and
[object-reconstructor]), /etc/swift/swift.conf and the rings, and brings back every fragment
archive that the partners of this node's devices have lost.

  -o, --once              one pass over all partitions, then a summary; else run for ever
  -d, --devices LIST      only these devices (comma list; needs --once)
  -p, --partitions LIST   only these partitions (comma list; needs --once)
  -v, --verbose           log to standard error too
      --check             read the configuration, swift.conf and the rings, try the codes, say what
                          is wrong, and start nothing
      --json              the summary as one JSON object on standard output (needs --once; neither
                          it nor the text under the drop-in name)
      --progress WHEN     auto (default: when standard error is a terminal), always, never
      --swift-conf PATH   another swift.conf than /etc/swift/swift.conf
  -h, --help              this text

SIGHUP checks the configuration and starts again with it, in the same process; if only limits or the
profile are other than before, they change and the work goes on; if it is bad, that is logged and
the old one stays. With --once it ends the pass. SIGTERM drops what is under way and ends within
seconds. Exit codes are those of 'fragmend help'; under the drop-in name they are Swift's: 1 when it
cannot start, else 0.

Fragmend's own options stand in [object-reconstructor], prefixed with fragmend_:
  fragmend_memory_limit   bytes for fragments in flight (K, M, G), default 128M
  fragmend_sessions       SSYNC sessions at a time; of those fragmend_node_sessions towards one
                          node and fragmend_disk_sessions from one disk, default 4
  fragmend_profile        polite, balanced or urgent: how we give way when peers get slow
  fragmend_read_limit     bytes a second of survivors; also fragmend_node_read_limit and
                          fragmend_device_read_limit, and the same three with send
  fragmend_read_ahead     objects gathered ahead of the one being sent, in each session
  fragmend_hedge_delay    seconds after which a slow survivor gets a rival
  fragmend_quarantine_brake  quarantines of a device within an hour, default 100
  fragmend_disk_threads, fragmend_decode_threads, fragmend_codec   (see README)
)";

constexpr std::string_view server_help =
    R"(usage: fragmend server CONF [OPTIONS]

Reads CONF (object-server.conf or a conf.d folder, [DEFAULT] and the application section as
paste.deploy merges them), /etc/swift/swift.conf and the rings, and serves REPLICATE, SSYNC and
fragments to the other nodes' reconstructors and replicators at bind_ip:bind_port.

  -v, --verbose           log to standard error too
      --swift-conf PATH   another swift.conf than /etc/swift/swift.conf
  -h, --help              this text

SIGHUP and SIGUSR1 free the port, finish the requests that have begun and end with 0; SIGTERM does
not wait for them. 2 when it cannot start.

Fragmend's own options stand in the application section, prefixed with fragmend_:
  fragmend_disk_threads   threads for blocking file work, default 16
  fragmend_memory_limit   bytes of bodies that sessions bring to the disks (K, M, G), default 128M
  fragmend_fsync          no: nothing is synced; only for benches and throw-away clusters
)";

UsageError usage_error(std::string message) {
    return {"fragmend: " + std::move(message) + "\nTry 'fragmend help'.\n"};
}

std::vector<std::string> split_list(std::string_view list) {
    std::vector<std::string> items;
    while (true) {
        const auto comma = list.find(',');
        auto item = list.substr(0, comma);
        while (!item.empty() && item.front() == ' ')
            item.remove_prefix(1);
        while (!item.empty() && item.back() == ' ')
            item.remove_suffix(1);
        if (!item.empty()) items.emplace_back(item);
        if (comma == std::string_view::npos) return items;
        list.remove_prefix(comma + 1);
    }
}

boost::system::result<CommandLine, UsageError> parse_server(
    std::span<const std::string_view> words) {
    CommandLine line;
    line.subcommand = Subcommand::server;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto word = words[i];
        if (word == "-v" || word == "--verbose") {
            line.verbose = true;
        } else if (word == "-h" || word == "--help") {
            line.subcommand = Subcommand::help;
            line.help_topic = "server";
            return line;
        } else if (word == "--swift-conf") {
            if (++i == words.size()) return usage_error("--swift-conf needs a value");
            line.swift_conf = words[i];
        } else if (word.starts_with('-')) {
            return usage_error("no option '" + std::string(word) + "'");
        } else if (line.conf_path.empty()) {
            line.conf_path = word;
        } else {
            return usage_error("unexpected word '" + std::string(word) + "'");
        }
    }
    if (line.conf_path.empty()) {
        return usage_error("server needs the path of an object-server.conf");
    }
    return line;
}

/// Walks the words after the subcommand.
class ReconstructorParser {
  public:
    ReconstructorParser(std::span<const std::string_view> words, bool drop_in) : words_(words) {
        line_.subcommand = Subcommand::reconstructor;
        line_.drop_in = drop_in;
    }

    boost::system::result<CommandLine, UsageError> run() {
        while (next_ < words_.size()) {
            const auto word = words_[next_++];
            if (word.size() > 1 && word[0] == '-') {
                if (auto error = option(word); !error.message.empty()) return error;
            } else if (auto error = bare_word(word); !error.message.empty()) {
                return error;
            }
        }
        if (line_.subcommand == Subcommand::reconstructor && line_.conf_path.empty()) {
            if (line_.drop_in) {
                return UsageError{
                    std::string(reconstructor_help) + "Error: missing config path argument\n", 1,
                    true};
            }
            return usage_error("reconstructor needs the path of an object-server.conf");
        }
        // Swift ignores overrides without `once`; a person should know.
        if (!line_.drop_in && !line_.once && !line_.check) {
            if (line_.json)
                return usage_error("--json needs --once: only a single pass has a summary");
            if (!line_.devices.empty()) return usage_error("--devices needs --once");
            if (!line_.partitions.empty()) return usage_error("--partitions needs --once");
        }
        return line_;
    }

  private:
    UsageError bare_word(std::string_view word) {
        if (line_.conf_path.empty()) {
            line_.conf_path = word;
        } else if (word == "once") {
            line_.once = true;
        } else if (word == "verbose") {
            line_.verbose = true;
        } else if (!line_.drop_in) {
            return usage_error("unexpected word '" + std::string(word) + "'");
        }
        return {};
    }

    UsageError option(std::string_view word) {
        std::string_view value;
        bool has_value = false;
        if (const auto equals = word.find('='); word.starts_with("--") && equals != word.npos) {
            value = word.substr(equals + 1);
            word = word.substr(0, equals);
            has_value = true;
        } else if (!word.starts_with("--") && word.size() > 2 &&
                   (word[1] == 'd' || word[1] == 'p')) {
            value = word.substr(2);
            word = word.substr(0, 2);
            has_value = true;
        }
        if (!has_value && takes_value(word)) {
            if (next_ == words_.size()) return usage_error(std::string(word) + " needs a value");
            value = words_[next_++];
        } else if (has_value && !takes_value(word)) {
            return usage_error(std::string(word) + " takes no value");
        }
        return apply(word, value);
    }

    static bool takes_value(std::string_view word) {
        return word == "-d" || word == "--devices" || word == "-p" || word == "--partitions" ||
               word == "--progress" || word == "--swift-conf";
    }

    UsageError apply(std::string_view word, std::string_view value) {
        if (word == "-o" || word == "--once") {
            line_.once = true;
        } else if (word == "-v" || word == "--verbose") {
            line_.verbose = true;
        } else if (word == "--check") {
            line_.check = true;
        } else if (word == "--json") {
            line_.json = true;
        } else if (word == "-h" || word == "--help") {
            line_.subcommand = Subcommand::help;
            line_.help_topic = "reconstructor";
        } else if (word == "-d" || word == "--devices") {
            line_.devices = split_list(value);
        } else if (word == "-p" || word == "--partitions") {
            return partitions(value);
        } else if (word == "--swift-conf") {
            line_.swift_conf = value;
        } else if (word == "--progress") {
            if (value == "auto")
                line_.progress = ProgressMode::automatic;
            else if (value == "always")
                line_.progress = ProgressMode::always;
            else if (value == "never")
                line_.progress = ProgressMode::never;
            else
                return usage_error("--progress is auto, always or never, not '" +
                                   std::string(value) + "'");
        } else {
            return usage_error("no option '" + std::string(word) + "'");
        }
        return {};
    }

    UsageError partitions(std::string_view value) {
        line_.partitions.clear();
        for (const auto& item : split_list(value)) {
            const auto number = parse_digits(item);
            if (!number) return usage_error("a partition is a number, not '" + item + "'");
            line_.partitions.push_back(*number);
        }
        return {};
    }

    std::span<const std::string_view> words_;
    std::size_t next_ = 0;
    CommandLine line_;
};

/// `status` and its like: any number of configurations, and what the operation takes.
class ControlParser {
  public:
    ControlParser(ControlOperation operation, std::span<const std::string_view> words)
        : words_(words) {
        line_.subcommand = Subcommand::control;
        line_.request.operation = operation;
    }

    boost::system::result<CommandLine, UsageError> run() {
        while (next_ < words_.size()) {
            const auto word = words_[next_++];
            auto error = word.starts_with('-') ? option(word) : bare_word(word);
            if (!error.message.empty()) return error;
        }
        const auto& choice = line_.request.choice;
        if (!choice.object.empty() && !(choice.device.empty() && choice.partition.empty()))
            return usage_error("--object stands alone");
        if (is(ControlOperation::drain) && !choice.object.empty())
            return usage_error("an object cannot be drained; cancel it");
        return line_;
    }

  private:
    bool is(ControlOperation operation) const { return line_.request.operation == operation; }

    UsageError option(std::string_view word) {
        if (word == "-h" || word == "--help") {
            line_.subcommand = Subcommand::help;
        } else if (word == "--json") {
            line_.json = true;
        } else if (word == "--swift-conf" && next_ < words_.size()) {
            line_.swift_conf = words_[next_++];
        } else if (word == "--configured" && is(ControlOperation::limit)) {
            line_.request.configured = true;
        } else if (takes_choice(line_.request.operation) && next_ < words_.size()) {
            return choose(word, words_[next_++]);
        } else {
            return usage_error("no option '" + std::string(word) + "', or it lacks its value");
        }
        return {};
    }

    UsageError choose(std::string_view word, std::string_view value) {
        auto& choice = line_.request.choice;
        if (value.empty()) return usage_error(std::string(word) + " needs a value");
        if (word == "--device") {
            choice.device = value;
        } else if (word == "--partition") {
            if (!parse_digits(value)) return usage_error("a partition is a number");
            choice.partition = value;
        } else if (word == "--object") {
            if (!value.starts_with('/'))
                return usage_error("an object is /ACCOUNT/CONTAINER/OBJECT");
            choice.object = value;
        } else {
            return usage_error("no option '" + std::string(word) + "'");
        }
        return {};
    }

    UsageError bare_word(std::string_view word) {
        const auto equals = word.find('=');
        if (!is(ControlOperation::limit) || equals == word.npos || word.find('/') < equals) {
            line_.conf_paths.emplace_back(word);
            return {};
        }
        auto name = word.substr(0, equals);
        if (name.starts_with("fragmend_")) name.remove_prefix(9);
        swift::ThrottleOptions trial;
        const auto set = swift::set_throttle_option(trial, name, word.substr(equals + 1));
        if (set.has_error()) return usage_error(std::string(word) + ": " + set.error().detail);
        line_.request.limits.insert_or_assign(std::string(name),
                                              std::string(word.substr(equals + 1)));
        return {};
    }

    std::span<const std::string_view> words_;
    std::size_t next_ = 0;
    CommandLine line_;
};

}  // namespace

void throw_exception_from_error(const UsageError& error, const boost::source_location&) {
    throw std::runtime_error(error.message);
}

boost::system::result<CommandLine, UsageError> parse_command_line(
    std::span<const std::string_view> arguments) {
    const auto program = arguments.empty() ? std::string_view() : arguments[0];
    const auto base_name = program.substr(program.rfind('/') + 1);
    if (base_name == drop_in_name) return ReconstructorParser(arguments.subspan(1), true).run();

    CommandLine line;
    if (arguments.size() < 2) return UsageError{std::string(general_help)};
    const auto command = arguments[1];
    if (command == "reconstructor") return ReconstructorParser(arguments.subspan(2), false).run();
    if (command == "server") return parse_server(arguments.subspan(2));
    if (command == "help" || command == "--help" || command == "-h") {
        if (arguments.size() > 2) line.help_topic = arguments[2];
        constexpr std::string_view others[] = {"", "info", "version", "help"};
        if (help_text(line) == general_help && !control_operation(line.help_topic) &&
            std::ranges::find(others, line.help_topic) == std::end(others))
            return usage_error("no command '" + line.help_topic + "'");
        return line;
    }
    if (command == "codec" || command == "demo" || command == "bench") {
        line.subcommand = command == "codec"  ? Subcommand::codec
                          : command == "demo" ? Subcommand::demo
                                              : Subcommand::bench;
        line.words.assign(arguments.begin() + 2, arguments.end());
        return line;
    }
    if (command == "version" || command == "--version")
        line.subcommand = Subcommand::version;
    else if (command == "info")
        line.subcommand = Subcommand::info;
    else if (const auto operation = control_operation(command))
        return ControlParser(*operation, arguments.subspan(2)).run();
    else
        return usage_error("no command '" + std::string(command) + "'");
    if (arguments.size() > 2)
        return usage_error("'" + std::string(command) + "' takes no arguments");
    return line;
}

std::string help_text(const CommandLine& line) {
    if (line.help_topic == "reconstructor") return std::string(reconstructor_help);
    if (line.help_topic == "codec") return codec_help_text({});
    if (line.help_topic == "demo") return embedded_help_text(false);
    if (line.help_topic == "bench") return embedded_help_text(true);
    return std::string(line.help_topic == "server" ? server_help : general_help);
}

}  // namespace fragmend::app
