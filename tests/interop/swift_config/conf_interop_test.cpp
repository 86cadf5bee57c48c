// Configuration files through Swift's parsers and ours.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "host/base/bytes.hpp"
#include "host/swift/ini_file.hpp"
#include "host/swift/local_devices.hpp"
#include "host/swift/reconstructor_options.hpp"
#include "host/swift/swift_conf.hpp"
#include "tests/interop/python_oracle.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::swift {
namespace {

namespace json = boost::json;

constexpr int case_count = 500;

// All numbers as doubles, so that 1 and 1.0 are the same.
json::value plain(const json::value& value) {
    if (value.is_number()) return value.to_number<double>();
    if (value.is_array()) {
        json::array out;
        for (const auto& item : value.get_array())
            out.push_back(plain(item));
        return out;
    }
    if (value.is_object()) {
        json::object out;
        for (const auto& [key, item] : value.get_object())
            out[key] = plain(item);
        return out;
    }
    return value;
}

json::value refusal(const Error& error) {
    EXPECT_FALSE(error.detail.empty());
    return json::object{{"error", error.detail}};
}

json::value read_like_readconf(const std::string& path) {
    const auto file = IniFile::read(path);
    if (!file) return refusal(file.error());
    if (!file->has_section("s")) return refusal({errc::bad_config, "no section"});
    const auto section = file->section("s", Interpolation::relaxed);
    if (!section) return refusal(section.error());
    json::object values;
    for (const auto& [option, value] : *section)
        values[option] = value.text;
    // The oracle leaves out the name that readconf makes up, which is that of the section.
    return json::object{{"values", values}};
}

json::value read_swift_conf(const std::string& path) {
    const auto conf = load_swift_conf(path);
    if (!conf) return refusal(conf.error());
    json::array policies;
    for (const Policy& policy : conf->policies) {
        json::object entry{{"index", policy.index},
                           {"name", policy.name},
                           {"aliases", json::array(policy.aliases.begin(), policy.aliases.end())},
                           {"default", policy.is_default},
                           {"deprecated", policy.is_deprecated},
                           {"type", policy.is_erasure_coding() ? "erasure_coding" : "replication"}};
        if (policy.is_erasure_coding()) {
            entry["k"] = policy.k;
            entry["m"] = policy.m;
            entry["ec_type"] = policy.ec_type;
            entry["segment"] = policy.segment_bytes;
            entry["factor"] = policy.duplication_factor;
        }
        policies.push_back(std::move(entry));
    }
    return json::object{{"policies", policies},
                        {"hash", to_hex(hash_path(*conf, "acc", "con", "obj\xc3\xa9"))},
                        {"max_meta_count", conf->constraints.max_meta_count}};
}

json::value read_options(const std::string& path) {
    const auto options = load_reconstructor_options(path);
    if (!options) return refusal(options.error());
    json::value port = nullptr;
    if (options->port) port = *options->port;
    json::value legacy_crc = nullptr;
    if (options->write_legacy_ec_crc) legacy_crc = *options->write_legacy_ec_crc ? "1" : "0";
    return json::object{
        {"devices", options->devices},
        {"mount_check", options->mount_check},
        {"swift_dir", options->swift_dir},
        {"ring_ip", options->ring_ip},
        {"port", port},
        {"concurrency", options->concurrency},
        {"workers", options->reconstructor_workers},
        {"interval", options->interval_s},
        {"stats_interval", options->stats_interval_s},
        {"ring_check_interval", options->ring_check_interval_s},
        {"http_timeout", options->http_timeout_s},
        {"lockup_timeout", options->lockup_timeout_s},
        {"conn_timeout", options->conn_timeout_s},
        {"node_timeout", options->node_timeout_s},
        {"network_chunk", options->network_chunk_bytes},
        {"disk_chunk", options->disk_chunk_bytes},
        {"rcache", options->recon_cache_file()},
        {"handoffs_only", options->handoffs_only},
        {"handoff_count", options->rebuild_handoff_node_count},
        {"quarantine_threshold", options->quarantine_threshold},
        {"quarantine_age", options->quarantine_age_s},
        {"request_nodes", options->request_node_count.nodes(6)},
        {"max_objects", options->max_objects_per_revert},
        {"legacy_crc", legacy_crc},
        {"reclaim_age", options->reclaim_age_s},
        {"commit_window", options->commit_window_s},
        {"keep_cache", options->keep_cache_bytes},
        {"bytes_per_sync", options->sync_bytes},
        {"device_locks", options->replication_concurrency_per_device},
        {"lock_timeout", options->replication_lock_timeout_s},
        {"reserve", options->fallocate_reserve.value},
        {"reserve_is_percent", options->fallocate_reserve.is_percent},
        {"log_level", static_cast<int>(options->log.level)},
        {"log_name", options->log.name},
        {"log_facility", options->log.facility},
        {"line_length", options->log.max_line_length},
        {"warnings", json::array(options->warnings.begin(), options->warnings.end())}};
}

class ConfInterop : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        directory_ = std::make_unique<test::TemporaryDirectory>();
        ran_ = test::run_oracle("tests/interop/swift_config/conf_oracle.py",
                                directory_->path() + " " + std::to_string(test::seed_for_test()) +
                                    " " + std::to_string(case_count) + " >/dev/null 2>&1");
    }
    static void TearDownTestSuite() { directory_.reset(); }
    void SetUp() override {
        if (!ran_) GTEST_SKIP() << "this machine has no Swift";
    }

    // Compares all cases of a kind; refusals only have to be refusals on both sides.
    template <typename Read>
    void compare(const std::string& kind, const std::string& suffix, Read read) {
        int accepted = 0;
        for (int number = 0; number < case_count; ++number) {
            const std::string base = directory_->file(kind + "-" + std::to_string(number));
            const json::value expected = plain(test::read_json(base + ".json"));
            const json::value found = plain(read(base + suffix));
            const bool refused = expected.as_object().contains("error");
            const bool same = refused ? found.as_object().contains("error") : found == expected;
            if (!refused) ++accepted;
            if (same) continue;
            const bool is_file = std::filesystem::is_regular_file(base + suffix);
            FAIL() << (is_file ? test::read_text(base + suffix) : base)
                   << "\nSwift: " << json::serialize(expected)
                   << "\nours:  " << json::serialize(found);
        }
        std::cout << kind << ": " << accepted << " of " << case_count << " accepted by both\n";
        EXPECT_GT(accepted, case_count / 10);
    }

    static inline std::unique_ptr<test::TemporaryDirectory> directory_;
    static inline bool ran_ = false;
};

TEST_F(ConfInterop, OddFilesReadLikeReadconf) {
    compare("readconf", "", read_like_readconf);
}

TEST_F(ConfInterop, PoliciesAndHashesOfRandomSwiftConfs) {
    compare("swift", ".conf", read_swift_conf);
}

TEST_F(ConfInterop, OptionsOfTheReconstructor) {
    compare("options", ".conf", read_options);
}

TEST_F(ConfInterop, MyAddresses) {
    const json::value expected = test::read_json(directory_->file("addresses.json"));
    for (const auto& [ring_ip, addresses] : expected.as_object()) {
        auto found = my_addresses(std::string(ring_ip), interface_addresses());
        std::ranges::sort(found);
        EXPECT_EQ(json::array(found.begin(), found.end()), addresses.as_array()) << ring_ip;
    }
}

}  // namespace
}  // namespace fragmend::swift
