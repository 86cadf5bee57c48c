// Listening, accepting, one line each way.
#include "host/app/control_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"

namespace fragmend::app {
namespace {

/// Through the folder's descriptor: a path of any length fits a unix address then.
sockaddr_un address_in(const UniqueFd& folder, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
    std::memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof address.sun_path - 1));
    return address;
}

/// What processes left behind that were killed.
void remove_dead_sockets(const swift::Directory& folder) {
    for (const auto& name : folder.names) {
        struct stat info {};
        if (!is_control_socket_name(name) ||
            ::fstatat(folder.fd.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISSOCK(info.st_mode))
            continue;
        const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const auto address = address_in(folder.fd, name);
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
            errno == ECONNREFUSED)
            static_cast<void>(::unlinkat(folder.fd.get(), name.c_str(), 0));
    }
}

bool is_welcome(int fd) {
    ucred caller{};
    socklen_t size = sizeof caller;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller, &size) != 0) return false;
    return caller.uid == 0 || caller.uid == ::geteuid();
}

}  // namespace

std::string control_socket_name(int pid) {
    return "fragmend-" + std::to_string(pid) + ".sock";
}

bool is_control_socket_name(std::string_view name) {
    return name.starts_with("fragmend-") && name.ends_with(".sock");
}

ControlSocket::ControlSocket(asio::any_io_executor executor, Logger log, Answer answer)
    : executor_(executor),
      log_(std::move(log)),
      answer_(std::move(answer)),
      acceptor_(executor),
      callers_(std::move(executor)) {}

ControlSocket::~ControlSocket() {
    if (!path_.empty()) static_cast<void>(::unlink(path_.c_str()));
}

Result<void> ControlSocket::listen(const std::string& directory) {
    const auto folder = swift::read_directory(AT_FDCWD, directory);
    if (folder.has_error()) return error_from_errno(folder.error().number, directory);
    remove_dead_sockets(*folder);
    const auto name = control_socket_name(::getpid());
    const auto hidden = "." + name;
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // The file gets the mode of the socket: nobody else can connect, not even for a moment.
    if (!fd.valid() || ::fchmod(fd.get(), 0600) != 0) return error_from_errno(errno, "socket");
    const auto address = address_in(folder->fd, hidden);
    static_cast<void>(::unlinkat(folder->fd.get(), hidden.c_str(), 0));
    // It gets its name when it answers, or others would take it for a dead one.
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd.get(), static_cast<int>(control_callers_max)) != 0 ||
        ::renameat(folder->fd.get(), hidden.c_str(), folder->fd.get(), name.c_str()) != 0) {
        const auto error = error_from_errno(errno, directory + "/" + name);
        static_cast<void>(::unlinkat(folder->fd.get(), hidden.c_str(), 0));
        return error;
    }
    path_ = directory + "/" + name;
    boost::system::error_code error;
    const int listener = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
    acceptor_.assign(Protocol(), listener, error);
    if (!error) return {};
    ::close(listener);
    return Error{errc::io, path_ + ": " + error.message()};
}

Awaitable<void> ControlSocket::serve() {
    boost::system::error_code error;
    while (acceptor_.is_open()) {
        Protocol::socket caller(executor_);
        co_await acceptor_.async_accept(caller, asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted) break;
        if (error) {
            // Out of descriptors, most probably: not a reason to spin.
            asio::steady_timer pause(executor_, std::chrono::seconds(1));
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        if (callers_.running() < control_callers_max && is_welcome(caller.native_handle()))
            callers_.spawn(converse(std::move(caller)));
    }
    co_await callers_.join();
}

Awaitable<void> ControlSocket::converse(Protocol::socket caller) {
    open_.insert(&caller);
    asio::steady_timer limit(executor_, control_limit);
    // Closing it ends whatever the caller is waited for.
    limit.async_wait([&caller](const boost::system::error_code& cancelled) {
        boost::system::error_code ignored;
        if (!cancelled) caller.close(ignored);
    });
    std::string line;
    boost::system::error_code error;
    while (!error && line.find('\n') == line.npos && line.size() <= control_request_bytes_max) {
        char piece[256];
        const auto count = co_await caller.async_read_some(
            asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
        line.append(piece, count);
    }
    const auto end = line.find('\n');
    if (!error && end != line.npos) {
        const auto request = parse_control_request(std::string_view(line).substr(0, end));
        auto text = request.has_value() ? answer_(*request) : control_error_line(request.error());
        text += '\n';
        co_await asio::async_write(caller, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, error));
    }
    open_.erase(&caller);
    limit.cancel();
    // The handler of the timer, cancelled or not, runs before `caller` goes.
    co_await asio::post(executor_, asio::use_awaitable);
}

void ControlSocket::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (Protocol::socket* caller : open_)
        caller->close(ignored);
}

}  // namespace fragmend::app
