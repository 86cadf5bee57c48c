// Statsd datagrams: Swift's bytes, over a real socket.
#include "host/app/statsd.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/support/recorded_log.hpp"

namespace fragmend::app {
namespace {

using namespace std::chrono_literals;

TEST(StatsdBytes, AreSwifts) {
    EXPECT_EQ(statsd_prefix("pfx", "object-reconstructor"), "pfx.object-reconstructor.");
    EXPECT_EQ(statsd_prefix("", "n"), "n.");
    EXPECT_EQ(statsd_prefix("", ""), "");
    EXPECT_EQ(statsd_datagram("pfx.n.", "partition.update.count.d3", "1", "c", 1),
              "pfx.n.partition.update.count.d3:1|c");
    EXPECT_EQ(statsd_datagram("n.", "x", "2.5", "ms", 0.25), "n.x:2.5|ms|@0.25");
}

class StatsdSocket : public ::testing::Test {
  protected:
    void SetUp() override {
        socket_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const as_any = reinterpret_cast<sockaddr*>(&address);
        ASSERT_EQ(::bind(socket_.get(), as_any, sizeof address), 0);
        socklen_t size = sizeof address;
        ASSERT_EQ(::getsockname(socket_.get(), as_any, &size), 0);
        port_ = ntohs(address.sin_port);
    }
    /// The next datagram; empty when there is none.
    std::string next() const {
        char text[2000];
        const auto count = ::recv(socket_.get(), text, sizeof text, 0);
        return {text, count > 0 ? static_cast<std::size_t>(count) : 0};
    }

    UniqueFd socket_;
    std::uint16_t port_ = 0;
    test::RecordedLog log_;
};

TEST_F(StatsdSocket, OneDatagramAMetric) {
    Statsd statsd({"127.0.0.1", port_, "pfx", "object-reconstructor", 1, 1}, log_.logger(), 1);
    statsd.increment("too.early");
    statsd.resolve();
    statsd.increment("partition.update.count.d3");
    statsd.count("suffix.hashes", 0);
    statsd.timing("partition.update.timing", 1500us);
    EXPECT_EQ(next(), "pfx.object-reconstructor.partition.update.count.d3:1|c");
    EXPECT_EQ(next(), "pfx.object-reconstructor.suffix.hashes:0|c");
    EXPECT_EQ(next(), "pfx.object-reconstructor.partition.update.timing:1.5|ms");
    EXPECT_EQ(next(), "");
    EXPECT_TRUE(log_.lines.empty());
}

TEST_F(StatsdSocket, SamplesAreTakenAtTheRate) {
    Statsd statsd({"127.0.0.1", port_, "", "n", 0.5, 0.5}, log_.logger(), 42);
    statsd.resolve();
    int got = 0;
    for (int i = 0; i < 2000; ++i) {
        statsd.increment("x");
        for (std::string text = next(); !text.empty(); text = next()) {
            EXPECT_EQ(text, "n.x:1|c|@0.25");
            ++got;
        }
    }
    EXPECT_GT(got, 400);
    EXPECT_LT(got, 600);
}

TEST_F(StatsdSocket, ServerThatIsGoneCostsNothing) {
    Statsd statsd({"127.0.0.1", port_, "", "n", 1, 1}, log_.logger(), 1);
    statsd.resolve();
    socket_.reset();
    for (int i = 0; i < 1000; ++i)
        statsd.increment("x");
    EXPECT_LE(log_.lines.size(), 1u);
}

TEST_F(StatsdSocket, HostWithoutAddressIsNamedOnce) {
    Statsd statsd({"no-such-host.invalid", port_, "", "n", 1, 1}, log_.logger(), 1);
    statsd.resolve();
    statsd.resolve();
    statsd.increment("x");
    ASSERT_EQ(log_.lines.size(), 1u);
    EXPECT_EQ(log_.lines[0],
              "WARNING Error sending UDP message to 'no-such-host.invalid': it has no address");
}

}  // namespace
}  // namespace fragmend::app
