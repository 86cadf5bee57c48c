// Headers of sub-requests: what must travel, and what must not.
#include "host/sync/sub_requests.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fragmend::sync {
namespace {

bool has(const Headers& headers, const std::string& key) {
    return std::any_of(headers.begin(), headers.end(),
                       [&](const auto& h) { return h.first == key; });
}

swift::Metadata data_metadata() {
    swift::Metadata data;
    data.set("name", "/a/c/o");
    data.set("Content-Length", "130");
    data.set("ETag", "0123");
    data.set("Content-Type", "text/plain");
    data.set("X-Timestamp", "1795332145.61494");
    data.set("X-Object-Sysmeta-Ec-Frag-Index", std::int64_t{1});
    data.set("X-Object-Meta-Caf\xc3\xa9", "\xc3\xa9");
    return data;
}

TEST(SubRequests, RebuiltPutDropsWhatBelongsToThisNode) {
    const auto headers = rebuilt_put_headers(data_metadata(), 5);
    for (const char* gone : {"name", "Content-Length", "ETag"})
        EXPECT_FALSE(has(headers, gone)) << gone;
    EXPECT_EQ(
        std::count(headers.begin(), headers.end(),
                   std::pair<std::string, std::string>("X-Object-Sysmeta-Ec-Frag-Index", "5")),
        1);
    EXPECT_EQ(headers.size(), 4u);
}

TEST(SubRequests, ValuesKeepTheirBytes) {
    const auto headers = rebuilt_put_headers(data_metadata(), 0);
    EXPECT_NE(
        std::find(headers.begin(), headers.end(),
                  std::pair<std::string, std::string>("X-Object-Meta-Caf\xc3\xa9", "\xc3\xa9")),
        headers.end());
}

TEST(SubRequests, PostCarriesTheMetaFileOnly) {
    swift::Metadata meta;
    meta.set("name", "/a/c/o");
    meta.set("X-Timestamp", "1795332155.61494");
    meta.set("Content-Type-Timestamp", "1795332150.61494");
    const auto headers = post_headers(meta);
    EXPECT_EQ(headers.size(), 2u);
    EXPECT_FALSE(has(headers, "name"));
}

TEST(SubRequests, DeleteNamesTheTombstonesTime) {
    EXPECT_EQ(delete_headers({179533214561494, 1}),
              (Headers{{"X-Timestamp", "1795332145.61494_0000000000000001"}}));
}

}  // namespace
}  // namespace fragmend::sync
