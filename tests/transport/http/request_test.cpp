// Request heads against the bytes that Swift's own code sends.
#include "transport/http/request.hpp"

#include <gtest/gtest.h>

#include "host/base/bytes.hpp"
#include "tests/golden/transport/swift_bytes.hpp"

namespace fragmend::transport::http {
namespace {

TEST(Request, GetIsSwifts) {
    const auto time = Timestamp::parse("1795333043.19771_ff").value();
    EXPECT_EQ(get_head({"127.0.0.1", 6210}, "obj-reconstructor 4711", "sd b", "17",
                       percent_quote("/a/c/o\xc3\xa9 ~1%?"), 1, time, Verifies::server),
              golden::get_head);
}

TEST(Request, GetOfAReaderThatVerifiesSaysSoInOneLineMore) {
    const auto time = Timestamp::parse("1795333043.19771_ff").value();
    const std::string head =
        get_head({"127.0.0.1", 6210}, "obj-reconstructor 4711", "sd b", "17",
                 percent_quote("/a/c/o\xc3\xa9 ~1%?"), 1, time, Verifies::reader);
    std::string expected(golden::get_head);
    expected.insert(expected.size() - 2, "X-Fragmend-Reader-Verifies: md5\r\n");
    EXPECT_EQ(head, expected);
}

TEST(Request, ReplicateIsSwifts) {
    EXPECT_EQ(replicate_head({"::1", 6210}, "obj-reconstructor 4711", "sdb", "17", "", 1),
              golden::replicate_head);
}

TEST(Request, ReplicateOfSuffixesNamesThem) {
    EXPECT_TRUE(replicate_head({"::1", 6210}, "us", "sdb", "17", "abc-def", 1)
                    .starts_with("REPLICATE /sdb/17/abc-def HTTP/1.1\r\n"));
}

TEST(Request, SsyncIsSwifts) {
    EXPECT_EQ(ssync_head({"127.0.0.1", 6210}, "sdb", "17", 1, 2).value(), golden::ssync_head);
}

TEST(Request, SsyncWithoutAnIndexSendsNone) {
    const auto head = ssync_head({"127.0.0.1", 80}, "sdb", "17", 0, std::nullopt).value();
    EXPECT_EQ(head.find("Index: 2"), std::string::npos);
    EXPECT_NE(head.find("Host: 127.0.0.1\r\n"), std::string::npos);
}

TEST(Request, SsyncRefusesADeviceThatBreaksTheLine) {
    for (const char* device : {"sd b", "sdb\r\nX: y", "sd\xc3\xa9", "\x7f"}) {
        EXPECT_TRUE(ssync_head({"127.0.0.1", 6210}, device, "17", 1, 2).has_error());
    }
}

}  // namespace
}  // namespace fragmend::transport::http
