// What requests say: headers, paths, ranges, conditions.
#include <gtest/gtest.h>

#include "host/server/backend_request.hpp"
#include "host/server/conditions.hpp"
#include "host/server/object_fields.hpp"
#include "host/server/object_rules.hpp"
#include "host/server/ranges.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::server {
namespace {

TEST(HeaderMap, SpellsNamesAsSwiftStoresThem) {
    HeaderMap headers;
    headers.add("x-object-meta-FOO_bar", "1");
    headers.add("X-Object-Meta-Foo-Bar", "2");
    headers.add("content-type", "a");
    headers.add("Content-Type", "b");
    headers.add("X-Object-Meta-Caf\xc3\xa9s", "c");
    ASSERT_EQ(headers.items().size(), 3u);
    EXPECT_EQ(headers.items()[0], HeaderMap::Item("X-Object-Meta-Foo-Bar", "1,2"));
    EXPECT_EQ(headers.get("CONTENT_TYPE"), "");
    EXPECT_EQ(headers.get("CONTENT-TYPE"), "a");
    EXPECT_EQ(headers.items()[2].first, "X-Object-Meta-Caf\xc3\xa9S");
    headers.set("x-flag", "YES");
    EXPECT_TRUE(headers.is_true("X-Flag"));
    EXPECT_FALSE(headers.is_true("X-Other"));
    headers.erase("X_FLAG");
    EXPECT_FALSE(headers.contains("X-Flag"));
}

TEST(HeaderMap, KnowsWhichMetadataAreWhose) {
    EXPECT_TRUE(is_user_meta("x-object-meta-a"));
    EXPECT_FALSE(is_user_meta("x-object-meta-"));
    EXPECT_TRUE(is_user_or_system_meta("X-Object-Sysmeta-Ec-Etag"));
    EXPECT_FALSE(is_user_or_system_meta("X-Container-Meta-A"));
    EXPECT_TRUE(is_transient_system_meta("X-Object-Transient-Sysmeta-A"));
    EXPECT_FALSE(is_transient_system_meta("X-Object-Transient-Sysmeta-"));
}

using Ranges = std::optional<std::vector<ByteRange>>;
const Ranges unsatisfiable{std::vector<ByteRange>()};

TEST(Ranges, FollowSwift) {
    EXPECT_EQ(ranges_of("bytes=0-9", 100), Ranges({{0, 10}}));
    EXPECT_EQ(ranges_of("Bytes = 5 - ", 100), Ranges({{5, 100}}));
    EXPECT_EQ(ranges_of("bytes=-10", 100), Ranges({{90, 100}}));
    EXPECT_EQ(ranges_of("bytes=-1000", 100), Ranges({{0, 100}}));
    EXPECT_EQ(ranges_of("bytes=99-200,100-", 100), Ranges({{99, 100}}));
    EXPECT_EQ(ranges_of("bytes=1-18446744073709551616", 100), Ranges({{1, 100}}));
    EXPECT_EQ(ranges_of("bytes=-99999999999999999999999", 100), Ranges({{0, 100}}));
    EXPECT_EQ(ranges_of("bytes=99999999999999999999999-", 100), unsatisfiable);
    EXPECT_EQ(ranges_of("bytes=0-" + std::string(4301, '9'), 100), std::nullopt);
    EXPECT_EQ(ranges_of("bytes=-0", 100), unsatisfiable);
    EXPECT_EQ(ranges_of("bytes=100-", 100), unsatisfiable);
    for (const auto* bad : {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=3-2", "bytes=a-1",
                            "items=0-1", "bytes=0-1,,"}) {
        EXPECT_EQ(ranges_of(bad, 100), std::nullopt) << bad;
    }
}

TEST(Ranges, RefuseToBeAbused) {
    EXPECT_EQ(ranges_of("bytes=0-50,10-60,20-70,30-80", 100), unsatisfiable);
    std::string many = "bytes=";
    for (int i = 0; i < 51; ++i)
        many += (i > 0 ? "," : "") + std::to_string(i * 2) + "-" + std::to_string(i * 2);
    EXPECT_EQ(ranges_of(many, 1000), unsatisfiable);
    std::string backwards = "bytes=";
    for (int i = 8; i > 0; --i)
        backwards += std::to_string(i * 10) + "-" + std::to_string(i * 10 + 1) + (i > 1 ? "," : "");
    EXPECT_EQ(ranges_of(backwards, 1000), unsatisfiable);
    std::string endless = "bytes=0-0";
    for (int i = 0; i < 5000; ++i)
        endless += ",0-0";
    EXPECT_EQ(ranges_of(endless, 1000), std::nullopt);
}

TEST(Conditions, FollowSwift) {
    const auto status = [](std::string_view name, std::string_view value, int of = 200) {
        HeaderMap headers;
        headers.set(name, value);
        ConditionSubject subject{of, std::nullopt, std::nullopt};
        if (of == 200) subject = {200, "0123", 1000000000};
        return conditional_status(headers, subject).value_or(0);
    };
    EXPECT_EQ(status("If-None-Match", "\"0123\""), 304);
    EXPECT_EQ(status("If-None-Match", "4567, *"), 304);
    EXPECT_EQ(status("If-None-Match", "4567"), 0);
    EXPECT_EQ(status("If-Match", "4567"), 412);
    EXPECT_EQ(status("If-Match", "4567 , 0123"), 0);
    EXPECT_EQ(status("If-Match", "*", 404), 412);
    EXPECT_EQ(status("If-Match", "0123", 404), 0);
    EXPECT_EQ(status("If-Modified-Since", "Sun, 09 Sep 2001 01:46:40 GMT"), 304);
    EXPECT_EQ(status("If-Modified-Since", "Sun, 09 Sep 2001 01:46:39 GMT"), 0);
    EXPECT_EQ(status("If-Unmodified-Since", "Sun, 09 Sep 2001 01:46:39 GMT"), 412);
    EXPECT_EQ(status("If-Unmodified-Since", "no date"), 0);
    EXPECT_EQ(parse_http_date("Sunday, 09-Sep-01 01:46:40 GMT"), 1000000000);
    EXPECT_EQ(parse_http_date("Sun Sep  9 01:46:40 2001"), 1000000000);
}

struct Requests : swift::testing::DiskFixture {
    PolicyStores stores = make_stores();
    PolicyStores make_stores() {
        PolicyStore store;
        store.policy.index = 1;
        store.policy.type = swift::PolicyType::erasure_coding;
        store.disk = context;
        return {store};
    }
    HeaderMap policy(std::string_view index = "1") {
        HeaderMap headers;
        headers.set("X-Backend-Storage-Policy-Index", index);
        return headers;
    }
    int object_status(std::string_view path) {
        auto request = object_request(stores, "GET", path, policy());
        return request ? 200 : request.error().status;
    }
};

TEST_F(Requests, TakeObjectPathsApart) {
    const auto request = object_request(stores, "GET", "/sda/12/a/c/o/p", policy()).value();
    EXPECT_EQ(request.device, "sda");
    EXPECT_EQ(request.partition, "12");
    EXPECT_EQ(request.name, (swift::ObjectName{"a", "c", "o/p"}));
    EXPECT_EQ(request.object_hash, swift::object_hash_of(context, "/a/c/o/p"));
    EXPECT_TRUE(request.place().hash_dir_path.ends_with(
        "/sda/objects-1/12/" + request.object_hash.substr(29) + "/" + request.object_hash));
}

TEST_F(Requests, RefuseTricksWithPaths) {
    EXPECT_EQ(object_status("/sda/12/a/c/../../../etc/passwd"), 200);  // A name like any other.
    for (const auto* bad :
         {"", "/", "sda/12/a/c/o", "/sda/12/a/c", "/sda/12/a/c/", "/sda/12//c/o", "/../12/a/c/o",
          "/./12/a/c/o", "//12/a/c/o", "/sda/../a/c/o", "/sda/12x/a/c/o", "/sda/+1/a/c/o",
          "/sda/012/a/c/o", "/sda/-1/a/c/o", "/sda/99999999999999999999/a/c/o"}) {
        EXPECT_EQ(object_status(bad), 400) << bad;
    }
    EXPECT_EQ(object_status(std::string_view("/sda/12/a\0/c/o", 14)), 400);
    EXPECT_EQ(object_status(std::string_view("/sda/12/a/c/\0o", 14)), 400);
    EXPECT_EQ(object_status(std::string_view("/sda/12/a/\0c/o", 14)), 400);
    EXPECT_EQ(object_status(std::string_view("/sda/12/a/\0c/\0o", 15)), 200);
    for (const auto* bad : {"7", "x", "-1", "18446744073709551617"}) {
        auto request = object_request(stores, "GET", "/sda/12/a/c/o", policy(bad));
        ASSERT_FALSE(request);
        EXPECT_EQ(request.error().status, 503);
        EXPECT_EQ(request.error().body, "No policy with index " + std::string(bad));
    }
}

TEST_F(Requests, OfPoliciesWithWholeObjectsAreTaken) {
    stores[0].policy.type = swift::PolicyType::replication;
    auto request = object_request(stores, "GET", "/sda/12/a/c/o", policy());
    ASSERT_TRUE(request);
    EXPECT_EQ(request->store, &stores[0]);
    // What is said of an index is of no account there.
    request->headers.set("X-Backend-Ssync-Frag-Index", "seven");
    const auto index = requested_fragment_index(*request);
    ASSERT_TRUE(index);
    EXPECT_FALSE(*index);
}

TEST_F(Requests, KnowWhatAnIncreasedPartPowerWouldMove) {
    auto request = object_request(stores, "PUT", "/sda/12/a/c/o", policy()).value();
    EXPECT_FALSE(request.is_to_be_relinked());
    const auto moves = [&](std::string_view hash, std::string_view power) {
        request.object_hash = std::string(hash) + std::string(24, '0');
        request.headers.set("X-Backend-Next-Part-Power", power);
        return request.is_to_be_relinked();
    };
    EXPECT_FALSE(moves("c0000000", "4"));
    EXPECT_FALSE(moves("0c000000", "8"));
    EXPECT_TRUE(moves("c0000000", "5"));
    EXPECT_TRUE(moves("c0000000", "0"));
    EXPECT_TRUE(moves("0000000d", "32"));
    EXPECT_FALSE(moves("0000000c", "32"));
    EXPECT_FALSE(moves("c0000000", ""));
    for (const auto* bad : {"x", "-1", "33", "99999999999999999999"})
        EXPECT_TRUE(moves("c0000000", bad)) << bad;
}

TEST_F(Requests, TakePartitionPathsApart) {
    const auto parse = [&](std::string_view path, bool with_suffixes) {
        return partition_request(stores, "REPLICATE", path, policy(), with_suffixes);
    };
    EXPECT_EQ(parse("/sda/7", true)->suffixes, "");
    EXPECT_EQ(parse("/sda/7/", false)->partition, "7");
    EXPECT_EQ(parse("/sda/7/abc-def", true)->suffixes, "abc-def");
    EXPECT_FALSE(parse("/sda/7/abc", false));
    EXPECT_FALSE(parse("/sda", true));
    EXPECT_FALSE(parse("/sda/x", true));
}

TEST_F(Requests, BoundFragmentPreferences) {
    const auto parse = [&](std::string_view text) {
        auto request = object_request(stores, "GET", "/sda/12/a/c/o", policy()).value();
        request.headers.set("X-Backend-Fragment-Preferences", text);
        return fragment_preferences(request);
    };
    EXPECT_EQ(parse("")->has_value(), false);
    EXPECT_EQ(parse("no json")->has_value(), false);
    EXPECT_TRUE(parse("[]")->value().empty());
    const auto one = parse(R"([{"timestamp": "1.5_a", "exclude": [3, "4"]}])")->value();
    EXPECT_EQ(one[0].timestamp, (Timestamp{150000, 10}));
    EXPECT_EQ(one[0].exclude, (std::vector<int>{3, 4}));
    EXPECT_EQ(parse(R"([{"timestamp": 2.5, "exclude": []}])")->value()[0].timestamp.raw, 250000);
    for (const auto* bad :
         {"{}", "[1]", "[{}]", R"([{"timestamp": "x", "exclude": []}])",
          R"([{"timestamp": 1e300, "exclude": []}])", R"([{"timestamp": 1, "exclude": [-1]}])",
          R"([{"timestamp": 1, "exclude": [99999999]}])"}) {
        EXPECT_FALSE(parse(bad)) << bad;
    }
    std::string deep(60000, '[');
    EXPECT_EQ(parse(deep)->has_value(), false);
    EXPECT_FALSE(parse(std::string(70000, ' ')));
}

}  // namespace
}  // namespace fragmend::server
