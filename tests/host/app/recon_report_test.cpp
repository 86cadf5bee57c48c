// Recon numbers of one process, of workers, and of all workers together.
#include "host/app/recon_report.hpp"

#include <gtest/gtest.h>

namespace fragmend::app {
namespace {

TEST(ReconReport, SingleProcessRemovesNumbersByDevice) {
    swift::JsonMembers cache{{"object_reconstruction_per_disk", "{\"d1\": {}}"}, {"other", "1"}};
    swift::merge_recon_update(cache, report_of_single_process({0.25, 1795333613.5, {"d1"}}));
    EXPECT_EQ(swift::join_json_object(cache),
              "{\"object_reconstruction_last\": 1795333613.5, "
              "\"object_reconstruction_time\": 0.25, \"other\": 1}");
}

TEST(ReconReport, WorkersReportAndTheParentSumsUp) {
    swift::JsonMembers cache;
    swift::merge_recon_update(cache, report_of_worker({1, 1000, {"d1", "d3"}}, 7));
    // d2 has not reported yet.
    EXPECT_TRUE(aggregate_reports(cache, {"d1", "d2", "d3"}, 5000).values.empty());
    swift::merge_recon_update(cache, report_of_worker({2, 1090, {"d2"}}, 8));
    const auto all = aggregate_reports(cache, {"d1", "d2", "d3"}, 5000);
    EXPECT_EQ(all.values.at("object_reconstruction_last"), "1090.0");
    EXPECT_EQ(all.values.at("object_reconstruction_time"), "2.5");
    EXPECT_TRUE(all.nested.empty());
}

TEST(ReconReport, DevicesThatLeftAreRemoved) {
    swift::JsonMembers cache;
    swift::merge_recon_update(cache, report_of_worker({1, 1000, {"d1", "d3"}}, 7));
    swift::merge_recon_update(cache, aggregate_reports(cache, {"d1"}, 5000));
    EXPECT_EQ(cache.at("object_reconstruction_per_disk").find("d3"), std::string::npos);
    EXPECT_NE(cache.at("object_reconstruction_per_disk").find("d1"), std::string::npos);
    EXPECT_EQ(cache.at("object_reconstruction_time"), "1.0");
}

TEST(ReconReport, ForeignContentIsNoReport) {
    for (const char* per_disk : {"5", "{\"d1\": 5}",
                                 "{\"d1\": {\"object_reconstruction_last\": "
                                 "\"x\", \"object_reconstruction_time\": 1}}"}) {
        const swift::JsonMembers cache{{"object_reconstruction_per_disk", per_disk}};
        EXPECT_TRUE(aggregate_reports(cache, {"d1"}, 5000).values.empty()) << per_disk;
    }
}

}  // namespace
}  // namespace fragmend::app
