// Syslog datagrams, byte for byte as Swift's logger sends them.
#include "host/app/log_sinks.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <optional>

#include "tests/support/temporary_directory.hpp"

namespace fragmend::app {
namespace {

using namespace std::string_literals;

TEST(SyslogDatagram, HasPriorityNameMessageAndNul) {
    EXPECT_EQ(syslog_datagram(16, LogLevel::info, "object-reconstructor", "hello", 0),
              "<134>object-reconstructor: hello\0"s);
    EXPECT_EQ(syslog_datagram(16, LogLevel::notice, "n", "x", 0), "<133>n: x\0"s);
    EXPECT_EQ(syslog_datagram(3, LogLevel::error, "n", "a\nb", 0), "<27>n: a#012b\0"s);
}

TEST(SyslogDatagram, CutsLongLinesInTheMiddle) {
    EXPECT_EQ(syslog_datagram(16, LogLevel::info, "n", "0123456789abcdef", 15),
              "<134>n: 01 ... bcdef\0"s);
    EXPECT_EQ(syslog_datagram(16, LogLevel::info, "n", "0123456789", 5), "<134>n: 01\0"s);
}

/// A syslog at a path, as far as a test needs one.
class Syslog {
  public:
    explicit Syslog(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        ::unlink(path.c_str());
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    /// The next line without its end; empty when there is none.
    std::string next() const {
        char text[2000];
        const auto count = ::recv(socket_.get(), text, sizeof text, 0);
        return {text, count > 0 ? static_cast<std::size_t>(count) - 1 : 0};
    }

  private:
    UniqueFd socket_;
};

SyslogSettings settings_at(const std::string& path) {
    SyslogSettings settings;
    settings.log_name = "n";
    settings.address = path;
    return settings;
}

TEST(SyslogSinkAtASocket, FindsASyslogThatWasStartedAgain) {
    const test::TemporaryDirectory folder;
    const std::string path = folder.path() + "/log";
    std::optional<Syslog> syslog(std::in_place, path);
    SyslogSink sink(settings_at(path));
    sink.write(LogLevel::info, "one");
    EXPECT_EQ(syslog->next(), "<134>n: one");
    syslog.reset();
    sink.write(LogLevel::info, "two");
    sink.write(LogLevel::info, "three");
    syslog.emplace(path);
    sink.write(LogLevel::info, "four");
    EXPECT_EQ(syslog->next(), "<134>n: four");
    EXPECT_EQ(syslog->next(), "<132>n: 2 log lines were lost");
    EXPECT_EQ(syslog->next(), "");
}

TEST(SyslogSinkAtASocket, FullSyslogCostsLinesAndNoTime) {
    const test::TemporaryDirectory folder;
    const Syslog syslog(folder.path() + "/log");
    SyslogSink sink(settings_at(folder.path() + "/log"));
    for (int i = 0; i < 5000; ++i)
        sink.write(LogLevel::info, "line");
    int taken = 0;
    while (!syslog.next().empty())
        ++taken;
    EXPECT_LT(taken, 5000);
    sink.write(LogLevel::info, "later");
    EXPECT_EQ(syslog.next(), "<134>n: later");
    EXPECT_EQ(syslog.next(), "<132>n: " + std::to_string(5000 - taken) + " log lines were lost");
}

}  // namespace
}  // namespace fragmend::app
