// Syslog datagrams and standard error.
#include "host/app/log_sinks.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

namespace fragmend::app {
namespace {

int severity(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return 7;
        case LogLevel::info:
            return 6;
        case LogLevel::notice:
            return 5;
        case LogLevel::warning:
            return 4;
        case LogLevel::error:
            return 3;
        case LogLevel::critical:
            return 2;
    }
    return 6;
}

int connect_unix(const std::string& path) {
    struct stat info {};
    sockaddr_un address{};
    if (::stat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return -1;
    if (path.size() >= sizeof address.sun_path) return -1;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        return -1;
    }
    return fd;
}

int connect_udp(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
    const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        ::close(fd);
        ::freeaddrinfo(found);
        return -1;
    }
    ::freeaddrinfo(found);
    return fd;
}

}  // namespace

std::string syslog_datagram(int facility, LogLevel level, std::string_view log_name,
                            std::string_view message, std::size_t line_length_max) {
    std::string line(log_name);
    line += ": ";
    for (char c : message) {
        if (c == '\n')
            line += "#012";
        else
            line += c;
    }
    if (line_length_max > 0 && line.size() > line_length_max) {
        if (line_length_max < 7) {
            line.resize(line_length_max);
        } else {
            const std::size_t half = (line_length_max - 5) / 2;
            line = line.substr(0, half) + " ... " + line.substr(line.size() - half);
        }
    }
    std::string datagram = "<" + std::to_string(facility * 8 + severity(level)) + ">" + line;
    datagram += '\0';
    return datagram;
}

SyslogSink::SyslogSink(SyslogSettings settings) : settings_(std::move(settings)) {
    connect();
}

void SyslogSink::connect() {
    is_unix_ = false;
    if (!settings_.udp_host.empty()) {
        socket_.reset(connect_udp(settings_.udp_host, settings_.udp_port));
        return;
    }
    socket_.reset(connect_unix(settings_.address));
    is_unix_ = socket_.valid();
    if (!is_unix_) socket_.reset(connect_udp("localhost", 514));
}

bool SyslogSink::send(LogLevel level, std::string_view message) {
    const auto datagram = syslog_datagram(settings_.facility, level, settings_.log_name, message,
                                          settings_.line_length_max);
    // The first try after a syslog went away only learns of that.
    for (int tries = 0; tries < 2; ++tries) {
        if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return true;
        if (!is_unix_ || errno == EAGAIN || errno == EMSGSIZE) return false;
        if (const int fd = connect_unix(settings_.address); fd >= 0) socket_.reset(fd);
    }
    return false;
}

void SyslogSink::write(LogLevel level, std::string_view message) {
    const std::lock_guard lock(mutex_);
    if (!socket_.valid()) return;
    if (!send(level, message)) {
        ++lost_;
        return;
    }
    if (lost_ == 0) return;
    const auto text = std::to_string(std::exchange(lost_, 0)) + " log lines were lost";
    static_cast<void>(send(LogLevel::warning, text));
}

void StderrSink::write(LogLevel level, std::string_view message) {
    const auto now = clock_.now();
    const auto seconds = static_cast<std::time_t>(now.raw / 100000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char stamp[40];
    const auto length = std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
    char fraction[16];
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(now.raw % 100000 / 100));

    std::string line(stamp, length);
    line.append(fraction).append(" ").append(to_string(level)).append(" ").append(log_name_);
    line.append(": ");
    // As Swift's formatter: one line each, whatever a name contains; and nothing for the terminal.
    for (char c : message) {
        if (c == '\n')
            line += "#012";
        else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)
            line += c;
        else
            line += c == '\t' ? '\t' : '?';
    }
    line += '\n';
    const std::lock_guard lock(mutex_);
    if (!status_.empty()) line = "\r\x1b[K" + line + status_;
    std::fwrite(line.data(), 1, line.size(), stderr);
}

void StderrSink::set_status(std::string status) {
    const std::lock_guard lock(mutex_);
    if (status_.empty() && status.empty()) return;
    const std::string text = "\r\x1b[K" + status;
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    status_ = std::move(status);
}

}  // namespace fragmend::app
