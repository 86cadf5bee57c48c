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

#include "host/app/control_socket.hpp"
#include "host/app/status_view.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/reconstructor_options.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

bool wait_for(int fd, short events, Steady::time_point give_up) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(give_up - Steady::now());
    pollfd waited{fd, events, 0};
    return left.count() > 0 && ::poll(&waited, 1, static_cast<int>(left.count())) > 0;
}

/// The answer at one socket; nothing when nobody is there, or nothing sensible comes in time.
std::optional<json::object> ask(int folder, const std::string& name, const std::string& request) {
    const auto give_up = Steady::now() + control_limit;
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    if (!fd.valid() || path.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return std::nullopt;
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return std::nullopt;
    std::string answer;
    while (answer.size() <= control_answer_bytes_max && wait_for(fd.get(), POLLIN, give_up)) {
        char piece[8192];
        const auto count = ::recv(fd.get(), piece, sizeof piece, 0);
        if (count <= 0) break;
        answer.append(piece, static_cast<std::size_t>(count));
    }
    boost::system::error_code error;
    auto value = json::parse(answer, error);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

/// All answers in one folder, by process id.
void ask_all(const std::string& directory, const std::string& request, json::array& answers) {
    const auto listed = swift::read_directory(AT_FDCWD, directory);
    if (listed.has_error()) {
        std::cerr << "fragmend: " << directory << ": " << std::strerror(listed.error().number)
                  << std::endl;
        return;
    }
    auto names = listed->names;
    std::erase_if(names, [](const auto& name) { return !is_control_socket_name(name); });
    std::ranges::sort(names);
    for (const auto& name : names) {
        if (auto answer = ask(listed->fd.get(), name, request))
            answers.push_back(std::move(*answer));
    }
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

std::vector<std::string> object_server_confs(const std::string& swift_dir) {
    namespace fs = std::filesystem;
    std::vector<std::string> found;
    const auto is_conf = [](const fs::path& path) {
        return path.extension() == ".conf" || path.string().ends_with(".conf.d");
    };
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(swift_dir, ignored)) {
        const auto name = entry.path().filename().string();
        if (name.starts_with("object-server") && is_conf(entry.path()))
            found.push_back(entry.path().string());
    }
    for (const auto& entry : fs::directory_iterator(swift_dir + "/object-server", ignored)) {
        if (is_conf(entry.path())) found.push_back(entry.path().string());
    }
    std::ranges::sort(found);
    return found;
}

int run_control_command(const CommandLine& line) {
    const auto confs =
        line.conf_paths.empty()
            ? object_server_confs(std::filesystem::path(line.swift_conf).parent_path())
            : line.conf_paths;
    std::set<std::string> directories;
    for (const auto& conf : confs) {
        const auto options = swift::load_reconstructor_options(conf);
        if (options.has_value()) {
            directories.insert(std::filesystem::absolute(options->recon_cache_path).string());
        } else if (!line.conf_paths.empty()) {
            std::cerr << "fragmend: " << options.error().detail << std::endl;
            return static_cast<int>(ExitCode::usage);
        }
    }
    const auto operation = line.request.operation;
    const auto request = control_request_line(line.request) + "\n";
    if (request.size() > control_request_bytes_max) {
        std::cerr << "fragmend: that is too long for a request" << std::endl;
        return static_cast<int>(ExitCode::usage);
    }
    json::array answers;
    for (const auto& directory : directories)
        ask_all(directory, request, answers);
    const bool refused = print_errors(answers);
    if (line.json) {
        std::cout << json::serialize(json::object{{"processes", answers}}) << std::endl;
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
    if (refused) return static_cast<int>(ExitCode::usage);
    if (!answers.empty()) return static_cast<int>(ExitCode::done);
    std::cerr << "fragmend: no running reconstructor found" << std::endl;
    return static_cast<int>(ExitCode::daemon_not_reachable);
}

}  // namespace fragmend::app
