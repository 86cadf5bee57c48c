// What is said of devices after their work.
#include "host/app/device_report.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "host/codec/cpu_codec.hpp"

namespace fragmend::app {
namespace {

using codec::DeviceState;
using codec::DeviceStatus;
using Lines = std::vector<std::string>;

DeviceStatus device(DeviceState state, std::uint64_t items) {
    DeviceStatus status;
    status.name = "GPU 0";
    status.state = state;
    status.items = items;
    status.batches = items;
    return status;
}

TEST(DeviceReport, WhoDecodesAndWhoDid) {
    const DeviceStatus idle[] = {device(DeviceState::ready, 0)};
    EXPECT_EQ(decoders_ready(idle), "GPU 0 and CPU");
    EXPECT_EQ(decoders_seen(idle), "CPU");
    const DeviceStatus lost[] = {device(DeviceState::gone, 7)};
    EXPECT_EQ(decoders_ready(lost), "CPU");
    EXPECT_EQ(decoders_seen(lost), "GPU 0 and CPU");
    EXPECT_EQ(decoders_seen({}), "CPU");
    EXPECT_TRUE(devices_of(codec::CpuCodec()).empty());
}

TEST(DeviceReport, NothingIsSaidOfOneThatDidItsWork) {
    const DeviceStatus good[] = {device(DeviceState::ready, 7)};
    EXPECT_EQ(device_warnings(good), Lines());
}

TEST(DeviceReport, WarnsOfThoseThatFailedOrDidNothing) {
    DeviceStatus all[] = {device(DeviceState::ready, 0), device(DeviceState::resting, 7),
                          device(DeviceState::ready, 7)};
    all[1].failures = 3;
    all[1].detail = "device_error (as told)";
    all[2].wrong_items = 1;
    const std::string end = "; the CPU did what it did not";
    EXPECT_EQ(
        device_warnings(all),
        (Lines{"warning: GPU 0: decoded nothing" + end,
               "warning: GPU 0: 3 batches failed, it is resting (device_error (as told))" + end,
               "warning: GPU 0: 1 items were wrong" + end}));
}

TEST(DeviceReport, AllOfItAsJson) {
    DeviceStatus one[] = {device(DeviceState::resting, 7)};
    one[0].failures = 2;
    EXPECT_EQ(boost::json::serialize(devices_json(one)),
              R"([{"name":"GPU 0","state":"resting","detail":"","batches":7,"items":7,)"
              R"("failures":2,"wrong_items":0,"returns":0,"trying":false}])");
}

}  // namespace
}  // namespace fragmend::app
