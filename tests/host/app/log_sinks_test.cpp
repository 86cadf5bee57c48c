// Syslog datagrams, byte for byte as Swift's logger sends them.
#include "host/app/log_sinks.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace fragmend::app
