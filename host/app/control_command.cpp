// The asking side of the control sockets.
#include "host/app/control_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <vector>

#include "host/app/control_socket.hpp"
#include "host/app/status_view.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/reconstructor_options.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

/// What came of asking: answers, and why others gave none, each told on standard error.
struct Asked {
    json::array answers;
    std::vector<std::string> problems;

    void problem(const std::string& text) {
        problems.push_back(text);
        std::cerr << "fragmend: " << text << std::endl;
    }
};

bool wait_for(int fd, short events, Steady::time_point give_up) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(give_up - Steady::now());
    pollfd waited{fd, events, 0};
    return left.count() > 0 && ::poll(&waited, 1, static_cast<int>(left.count())) > 0;
}

/// `process 123`, from its socket's name.
std::string process_of(const std::string& socket_name) {
    const auto from = socket_name.find('-') + 1;
    return "process " + socket_name.substr(from, socket_name.rfind('.') - from);
}

/// The answer at one socket; nothing when nobody is there. Errors: io, timeout, protocol (it drops
/// us).
Result<std::optional<json::object>> ask(int folder, const std::string& name,
                                        const std::string& request,
                                        std::chrono::milliseconds limit) {
    const auto failed = [](const char* what) -> Error {
        // It has too many callers, or will not talk to this one.
        if (errno == ECONNRESET || errno == EPIPE) return {errc::protocol, "dropped the request"};
        return {errc::io, std::string(what) + ": " + std::strerror(errno)};
    };
    const auto give_up = Steady::now() + limit;
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return failed("socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    if (path.size() >= sizeof address.sun_path) return Error{errc::protocol, "no such process"};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        // Whoever left it behind is no more.
        if (errno == ECONNREFUSED || errno == ENOENT) return std::optional<json::object>();
        // Its queue of callers is full.
        if (errno == EAGAIN) return Error{errc::timeout, "does not answer"};
        return failed("connect");
    }
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return failed("send");
    std::string answer;
    while (answer.size() <= control_answer_bytes_max) {
        if (!wait_for(fd.get(), POLLIN, give_up)) return Error{errc::timeout, "does not answer"};
        char piece[8192];
        const auto count = ::recv(fd.get(), piece, sizeof piece, 0);
        if (count < 0) return failed("recv");
        if (count == 0) break;
        answer.append(piece, static_cast<std::size_t>(count));
    }
    boost::system::error_code error;
    auto value = json::parse(answer, error);
    if (error || !value.is_object())
        return Error{errc::protocol, answer.empty() ? "dropped the request" : "answers nonsense"};
    return std::optional(std::move(value.get_object()));
}

/// All answers in one folder, by process id.
void ask_all(const std::string& directory, const std::string& request,
             std::chrono::milliseconds limit, Asked& asked) {
    const auto listed = swift::read_directory(AT_FDCWD, directory);
    if (listed.has_error()) {
        const auto why = error_from_errno(listed.error().number, directory);
        // Nobody listens where there is nothing.
        if (why == errc::not_found)
            std::cerr << "fragmend: " << why.detail << std::endl;
        else
            asked.problem(why.detail);
        return;
    }
    auto names = listed->names;
    std::erase_if(names, [](const auto& name) { return !is_control_socket_name(name); });
    std::ranges::sort(names);
    for (const auto& name : names) {
        auto answer = ask(listed->fd.get(), name, request, limit);
        if (answer.has_value()) {
            if (*answer) asked.answers.push_back(std::move(**answer));
        } else if (answer.error() == errc::timeout || answer.error() == errc::protocol) {
            asked.problem(process_of(name) + " " + answer.error().detail + " (" + directory + ")");
        } else {
            asked.problem(directory + "/" + name + ": " + answer.error().detail);
        }
    }
}

/// Where processes with these configurations listen; one that cannot be read keeps no other from
/// being asked.
std::set<std::string> directories_of(const std::vector<std::string>& confs, Asked& asked) {
    std::set<std::string> directories;
    for (const auto& conf : confs) {
        const auto options = swift::load_reconstructor_options(conf);
        if (options.has_value()) {
            directories.insert(std::filesystem::absolute(options->recon_cache_path).string());
        } else {
            const auto& detail = options.error().detail;
            const bool named = detail.find(conf) != detail.npos;
            asked.problem(named ? detail : conf + ": " + detail);
        }
    }
    return directories;
}

/// Says what processes refused, and takes their answers out. True if there were any.
bool print_errors(json::array& answers) {
    const auto refuses = [](const json::value& answer) {
        return answer.get_object().contains("error");
    };
    bool any = false;
    for (const auto& answer : answers) {
        if (!refuses(answer)) continue;
        any = true;
        std::cerr << "fragmend: " << error_text(answer.get_object()) << std::endl;
    }
    answers.erase(std::remove_if(answers.begin(), answers.end(), refuses), answers.end());
    return any;
}

}  // namespace

ObjectServerConfs object_server_confs(const std::string& swift_dir) {
    namespace fs = std::filesystem;
    ObjectServerConfs found;
    const auto is_conf = [](const fs::path& path) {
        return path.extension() == ".conf" || path.string().ends_with(".conf.d");
    };
    const auto look = [&](const std::string& folder, std::string_view prefix) {
        const auto listed = swift::read_directory(AT_FDCWD, folder);
        if (listed.has_error()) {
            const int number = listed.error().number;
            if (number != ENOENT && number != ENOTDIR)
                found.problems.push_back(error_from_errno(number, folder).detail);
            return;
        }
        for (const auto& name : listed->names) {
            if (name.starts_with(prefix) && is_conf(name))
                found.paths.push_back(folder + "/" + name);
        }
    };
    look(swift_dir, "object-server");
    look(swift_dir + "/object-server", "");
    std::ranges::sort(found.paths);
    return found;
}

int run_control_command(const CommandLine& line, std::chrono::milliseconds limit) {
    const auto operation = line.request.operation;
    const auto request = control_request_line(line.request) + "\n";
    if (request.size() > control_request_bytes_max) {
        std::cerr << "fragmend: that is too long for a request" << std::endl;
        return static_cast<int>(ExitCode::usage);
    }
    Asked asked;
    auto confs = line.conf_paths;
    if (confs.empty()) {
        auto found = object_server_confs(std::filesystem::path(line.swift_conf).parent_path());
        for (const auto& problem : found.problems)
            asked.problem(problem);
        confs = std::move(found.paths);
    }
    const auto directories = directories_of(confs, asked);
    // Whoever names a file means that one.
    if (!line.conf_paths.empty() && !asked.problems.empty())
        return static_cast<int>(ExitCode::usage);
    for (const auto& directory : directories)
        ask_all(directory, request, limit, asked);
    json::array& answers = asked.answers;
    const bool refused = print_errors(answers);
    if (line.json) {
        const json::array problems(asked.problems.begin(), asked.problems.end());
        std::cout << json::serialize(json::object{{"processes", answers}, {"problems", problems}})
                  << std::endl;
    } else if (operation == ControlOperation::limit) {
        for (const auto& answer : answers)
            std::cout << limits_line(answer.get_object());
        std::cout << std::flush;
    } else if (operation == ControlOperation::status) {
        for (const auto& answer : answers)
            std::cout << status_text(answer.get_object());
        std::cout << std::flush;
    } else {
        std::cout << to_string(operation) << ": " << answers.size() << " processes" << std::endl;
    }
    if (refused) return static_cast<int>(ExitCode::refused);
    if (!answers.empty()) return static_cast<int>(ExitCode::done);
    if (asked.problems.empty())
        std::cerr << "fragmend: no running reconstructor found" << std::endl;
    else
        std::cerr << "fragmend: no reconstructor answered; whether one runs cannot be told (see "
                     "above)"
                  << std::endl;
    return static_cast<int>(ExitCode::daemon_not_reachable);
}

}  // namespace fragmend::app
