// object-server.conf as paste.deploy and Swift's object server read it.
#include "host/server/server_options.hpp"

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

namespace fragmend::server {
namespace {

struct Options : ::testing::Test {
    test::TemporaryDirectory folder;
    Result<ServerOptions> load(std::string_view text) {
        return load_server_options(folder.write("object-server.conf", text));
    }
    static std::string conf(std::string_view defaults, std::string_view app) {
        return "[DEFAULT]\nbind_port = 6200\n" + std::string(defaults) +
               "[pipeline:main]\npipeline = healthcheck recon object-server\n"
               "[app:object-server]\nuse = egg:swift#object\n" +
               std::string(app);
    }
    bool warns(const ServerOptions& options, std::string_view part) {
        for (const auto& warning : options.warnings) {
            if (warning.find(part) != std::string::npos) return true;
        }
        return false;
    }
};

TEST_F(Options, HaveSwiftsDefaults) {
    const auto options = load(conf("", "")).value();
    EXPECT_EQ(options.bind_port, 6200);
    EXPECT_EQ(options.devices, "/srv/node");
    EXPECT_EQ(options.client_timeout_s, 60);
    EXPECT_EQ(options.replication_concurrency, 0);
    EXPECT_EQ(options.replication_locks.sessions_per_device, 1);
    EXPECT_EQ(options.replication_locks.timeout_s, 15);
    EXPECT_EQ(options.replication_failure_threshold, 100);
    EXPECT_TRUE(options.replication_server);
    EXPECT_TRUE(options.allowed_headers.contains("x-delete-at"));
    EXPECT_FALSE(options.allowed_headers.contains("etag"));
    EXPECT_EQ(options.log.name, "object-server");
    EXPECT_TRUE(options.warnings.empty());
}

TEST_F(Options, CountAsPasteCountsThem) {
    const auto options = load(conf("client_timeout = 7\nreplication_lock_timeout = 3\nshared = 9\n",
                                   "client_timeout = 8\nset replication_lock_timeout = 4\n"
                                   "get max_upload_time = shared\nreplication_concurrency = 5\n"))
                             .value();
    EXPECT_EQ(options.client_timeout_s, 7);
    EXPECT_EQ(options.replication_locks.timeout_s, 4);
    EXPECT_EQ(options.max_upload_time_s, 9);
    EXPECT_EQ(options.replication_concurrency, 5);
    EXPECT_TRUE(warns(options, "[app:object-server] client_timeout is ignored"));
}

TEST_F(Options, LimitSessionsWhereSwiftReallyDoes) {
    EXPECT_EQ(load(conf("workers = 0\n", "")).value().replication_concurrency, 4);
    EXPECT_EQ(load(conf("workers = 2\n", "")).value().replication_concurrency, 0);
    EXPECT_EQ(load(conf("workers = 0\n", "replication_concurrency = 0\n"))
                  .value()
                  .replication_concurrency,
              0);
}

TEST_F(Options, NameWhatDoesNotApply) {
    const auto options =
        load(
            "[DEFAULT]\nbind_port = 1\nworkers = 4\n[pipeline:main]\n"
            "pipeline = healthcheck ratelimit object-server\n[filter:healthcheck]\n"
            "disable_path = /run/off\n[app:object-server]\nsplice = yes\nnice_priority = 5\n")
            .value();
    EXPECT_TRUE(warns(options, "Option workers does not apply"));
    EXPECT_TRUE(warns(options, "Option splice does not apply"));
    EXPECT_TRUE(warns(options, "Option nice_priority does not apply"));
    EXPECT_TRUE(warns(options, "Filter ratelimit"));
    EXPECT_EQ(options.healthcheck_disable_path, "/run/off");
}

TEST_F(Options, RefuseBadOnes) {
    for (const auto& text :
         {std::string("[DEFAULT]\n"), std::string("[pipeline:main]\npipeline = x\n"),
          std::string("[pipeline:main]\npipeline = object-server\n[app:object-server]\n"),
          conf("", "client_timeout = 0\n"), conf("", "client_timeout = nan\n"),
          conf("", "disk_chunk_size = -1\n"), conf("", "replication_concurrency = x\n"),
          conf("", "fallocate_reserve = lots\n"), conf("", "fragmend_memory_limit = 1\n"),
          conf("", "get devices = nothing\n"), conf("max_clients = 0\n", ""),
          conf("devices =\n", ""), conf("swift_dir =\n", ""), conf("recon_cache_path =\n", "")}) {
        const auto options = load(text);
        ASSERT_FALSE(options) << text;
        EXPECT_EQ(options.error().code, errc::bad_config) << text;
    }
    EXPECT_EQ(load_server_options(folder.file("missing")).error().code, errc::not_found);
}

}  // namespace
}  // namespace fragmend::server
