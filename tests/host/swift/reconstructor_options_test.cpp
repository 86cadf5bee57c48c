// What [object-reconstructor] configures.
#include "host/swift/reconstructor_options.hpp"

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

namespace fragmend::swift {
namespace {

class ReconstructorOptionsFile : public testing::Test {
  protected:
    Result<ReconstructorOptions> load(std::string_view lines, std::string_view defaults = "") {
        return load_reconstructor_options(directory_.write(
            "object-server.conf", "[DEFAULT]\n" + std::string(defaults) +
                                      "[object-reconstructor]\n" + std::string(lines)));
    }
    std::string refusal(std::string_view lines, std::string_view defaults = "") {
        const auto options = load(lines, defaults);
        if (options) return "(accepted)";
        return options.error().detail.substr(directory_.path().size() + 1);
    }

    test::TemporaryDirectory directory_;
};

TEST_F(ReconstructorOptionsFile, DefaultsAreSwifts) {
    const auto options = load("");
    ASSERT_TRUE(options) << to_string(options.error());
    EXPECT_EQ(options->devices, "/srv/node");
    EXPECT_EQ(options->port, 6200);
    EXPECT_EQ(options->concurrency, 1);
    EXPECT_EQ(options->interval_s, 30);
    EXPECT_EQ(options->node_timeout_s, 10);
    EXPECT_EQ(options->quarantine_age_s, 604800);
    EXPECT_EQ(options->request_node_count.nodes(6), 12);
    EXPECT_EQ(options->sync_bytes, 536870912);
    EXPECT_TRUE(options->fallocate_reserve.is_percent);
    EXPECT_EQ(options->fallocate_reserve.value, 1);
    EXPECT_FALSE(options->write_legacy_ec_crc.has_value());
    EXPECT_EQ(options->log.name, "object-reconstructor");
    EXPECT_EQ(options->log.facility, 16);
    EXPECT_EQ(options->recon_cache_file(), "/var/cache/swift/object.recon");
    EXPECT_EQ(options->fragmend.memory_limit_bytes, 128u << 20);
    EXPECT_EQ(options->fragmend.sessions, 8);
    EXPECT_TRUE(options->warnings.empty());
}

TEST_F(ReconstructorOptionsFile, DefaultSectionLeaksIn) {
    const auto options = load("node_timeout = 7\n", "node_timeout = 3\nconn_timeout = 0.25\n");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->node_timeout_s, 7);
    EXPECT_EQ(options->conn_timeout_s, 0.25);
}

TEST_F(ReconstructorOptionsFile, MissingSectionIsSwiftsMessage) {
    const std::string path = directory_.write("object-server.conf", "[DEFAULT]\n");
    EXPECT_EQ(load_reconstructor_options(path).error().detail,
              "Unable to find object-reconstructor config section in " + path);
}

TEST_F(ReconstructorOptionsFile, RefusalsNameThePlace) {
    EXPECT_EQ(refusal("concurrency = 4 ; x\n"),
              "object-server.conf: [object-reconstructor] concurrency = 4 ; x: must be a whole "
              "number of at least 1 and at most 65536");
    EXPECT_EQ(refusal("", "node_timeout = soon\n"),
              "object-server.conf: [DEFAULT] node_timeout = soon: must be a finite number above 0");
    for (const std::string option : {"devices", "swift_dir", "recon_cache_path"}) {
        EXPECT_EQ(refusal(option + " =\n"), "object-server.conf: [object-reconstructor] " + option +
                                                " = : must name a folder");
    }
    EXPECT_EQ(refusal("http_timeout = 60.0\n"),
              "object-server.conf: [object-reconstructor] http_timeout = 60.0: must be a whole "
              "number of at least 1");
    EXPECT_EQ(refusal("request_node_count = 2*replicas\n"),
              "object-server.conf: [object-reconstructor] request_node_count = 2*replicas: must be "
              "a whole number or of the form '2 * replicas'");
    EXPECT_EQ(refusal("fragmend_sesions = 3\n"),
              "object-server.conf: [object-reconstructor] fragmend_sesions = 3: there is no such "
              "option");
    EXPECT_EQ(refusal("fragmend_memory_limit = 1T\n"),
              "object-server.conf: [object-reconstructor] fragmend_memory_limit = 1T: must be a "
              "size of at least 8M, such as 512M or 2G");
    EXPECT_EQ(refusal("fragmend_node_read_limit = 100K\n"),
              "object-server.conf: [object-reconstructor] fragmend_node_read_limit = 100K: must be "
              "0 for no limit, or at least 1M bytes a second, such as 50M");
    EXPECT_EQ(refusal("fragmend_profile = rude\n"),
              "object-server.conf: [object-reconstructor] fragmend_profile = rude: must be polite, "
              "balanced or urgent");
    EXPECT_EQ(refusal("fallocate_reserve = x%\n"),
              "object-server.conf: [object-reconstructor] fallocate_reserve = x%: must be a number "
              "of bytes or a percentage such as 1%");
}

TEST_F(ReconstructorOptionsFile, RunPauseIsAnAliasThatWarns) {
    const auto alone = load("run_pause = 5\n");
    ASSERT_TRUE(alone);
    EXPECT_EQ(alone->interval_s, 5);
    ASSERT_EQ(alone->warnings.size(), 1u);
    EXPECT_NE(alone->warnings[0].find("run_pause is deprecated and will be"), std::string::npos);
    const auto both = load("run_pause = 5\ninterval =\n");
    ASSERT_TRUE(both);
    EXPECT_EQ(both->interval_s, 5);
    EXPECT_NE(both->warnings.at(0).find("is already configured"), std::string::npos);
}

TEST_F(ReconstructorOptionsFile, HandoffModesWarn) {
    const auto first = load("handoffs_first = yes\n");
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->handoffs_only);
    EXPECT_EQ(first->warnings.size(), 2u);
    const auto ignored = load("handoffs_first = yes\nhandoffs_only = no\n");
    ASSERT_TRUE(ignored);
    EXPECT_FALSE(ignored->handoffs_only);
    EXPECT_EQ(ignored->warnings.at(1), "Ignored handoffs_first option in favor of handoffs_only.");
}

TEST_F(ReconstructorOptionsFile, ServersPerPortMakesEveryPortOurs) {
    const auto options = load("servers_per_port = 2\nbind_port = none\nbind_ip = 10.0.0.1\n");
    ASSERT_TRUE(options) << to_string(options.error());
    EXPECT_FALSE(options->port.has_value());
    EXPECT_EQ(options->ring_ip, "10.0.0.1");
}

TEST_F(ReconstructorOptionsFile, ReadsLimitsAndTheProfile) {
    const auto options = load(
        "fragmend_read_limit = 50M\nfragmend_node_read_limit = 20M\n"
        "fragmend_device_read_limit = 10M\nfragmend_send_limit = 1G\n"
        "fragmend_node_send_limit = 0\nfragmend_device_send_limit = 5M\n"
        "fragmend_profile = Polite\n");
    ASSERT_TRUE(options) << to_string(options.error());
    const ThrottleOptions expected{
        {50 << 20, 20 << 20, 10 << 20}, {1 << 30, 0, 5 << 20}, ProfileChoice::polite};
    EXPECT_EQ(options->fragmend.throttle, expected);
}

TEST_F(ReconstructorOptionsFile, ReadsFragmendsOwnOptions) {
    const auto options = load(
        "concurrency = 20\nfragmend_memory_limit = 2G\nfragmend_hedge_delay = 0.5\n"
        "fragmend_read_ahead = 3\nfragmend_codec = CPU\nfragmend_decode_threads = 2\n");
    ASSERT_TRUE(options) << to_string(options.error());
    EXPECT_EQ(options->fragmend.memory_limit_bytes, 2ull << 30);
    EXPECT_EQ(options->fragmend.hedge_delay_s, 0.5);
    EXPECT_EQ(options->fragmend.read_ahead, 3);
    EXPECT_EQ(options->fragmend.sessions, 20);
    EXPECT_EQ(options->fragmend.codec, CodecChoice::cpu);
    EXPECT_EQ(options->fragmend.decode_threads, 2);
}

TEST_F(ReconstructorOptionsFile, BadPrioritiesOnlyWarn) {
    const auto options = load("nice_priority = low\nionice_class = IDLE\n");
    ASSERT_TRUE(options);
    EXPECT_FALSE(options->nice_priority.has_value());
    EXPECT_FALSE(options->io_priority.has_value());
    EXPECT_EQ(options->warnings.size(), 2u);
    const auto good =
        load("nice_priority = 5\nionice_class = IOPRIO_CLASS_IDLE\nionice_priority = 7\n");
    ASSERT_TRUE(good);
    EXPECT_EQ(good->nice_priority, 5);
    EXPECT_EQ(good->io_priority->io_class, 3);
    EXPECT_EQ(good->io_priority->level, 7);
}

}  // namespace
}  // namespace fragmend::swift
