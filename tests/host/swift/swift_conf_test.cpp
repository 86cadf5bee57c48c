// swift.conf: hash prefix and suffix, policies, constraints.
#include "host/swift/swift_conf.hpp"

#include <gtest/gtest.h>

#include "host/swift/ring.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::swift {
namespace {

constexpr std::string_view hashes = "[swift-hash]\nswift_hash_path_suffix = suf\n";
constexpr std::string_view policy_zero = "[storage-policy:0]\nname = gold\ndefault = yes\n";
constexpr std::string_view scheme =
    "policy_type = erasure_coding\nec_type = isa_l_rs_cauchy\nec_num_data_fragments = 4\n"
    "ec_num_parity_fragments = 2\n";

class SwiftConfFile : public testing::Test {
  protected:
    Result<SwiftConf> load(std::string_view text) {
        return load_swift_conf(directory_.write("swift.conf", text));
    }
    // The detail of the error without the directory of the file.
    std::string refusal(std::string_view text) {
        const auto conf = load(text);
        if (conf) return "(accepted)";
        EXPECT_EQ(conf.error().code, errc::bad_config);
        std::string detail = conf.error().detail;
        const std::size_t at = detail.find(directory_.path() + "/");
        if (at != std::string::npos) detail.erase(at, directory_.path().size() + 1);
        return detail;
    }
    std::string with_policies(std::string_view more) {
        return std::string(hashes) + std::string(policy_zero) + std::string(more);
    }
    // The refusal of a 4+2 policy 1 with further lines.
    std::string erasure_refusal(std::string_view lines) {
        return refusal(with_policies("[storage-policy:1]\nname = ec\n" + std::string(scheme) +
                                     std::string(lines)));
    }

    test::TemporaryDirectory directory_;
};

TEST_F(SwiftConfFile, HashOfKnownObject) {
    const auto conf =
        load("[swift-hash]\nswift_hash_path_prefix = pre\nswift_hash_path_suffix = suf\n");
    ASSERT_TRUE(conf);
    EXPECT_EQ(to_hex(hash_path(*conf, "a", "c", "obj\xc3\xa9 1")),
              "a55db22c0de79fd49167d0cf8d4d115b");
}

TEST_F(SwiftConfFile, HashBytesSurviveButForLatin1Blanks) {
    // The text is decoded as Latin-1 and stripped, so that a last byte A0 is lost, as in Swift.
    const auto conf = load(
        "[swift-hash]\nswift_hash_path_prefix = \xc2\xa0x%%\n"
        "swift_hash_path_suffix = a\xc3\xa9 b\xc2\xa0\n");
    ASSERT_TRUE(conf) << to_string(conf.error());
    EXPECT_EQ(conf->hash_path_prefix, "\xc2\xa0x%");
    EXPECT_EQ(conf->hash_path_suffix, "a\xc3\xa9 b\xc2");
}

TEST_F(SwiftConfFile, RefusesWhatHasNoHashBytes) {
    EXPECT_EQ(refusal("[swift-hash]\nswift_hash_path_suffix =\n"),
              "[swift-hash]: both swift_hash_path_suffix and swift_hash_path_prefix are missing "
              "from swift.conf");
    EXPECT_EQ(refusal("[swift-hash]\nswift_hash_path_suffix = 50%\n"),
              "swift.conf: [swift-hash] swift_hash_path_suffix = 50%: '%' must be followed by '%' "
              "or by a reference '(name)s'");
}

TEST_F(SwiftConfFile, MakesPolicyZeroUpWhenNoneIsThere) {
    const auto conf = load(hashes);
    ASSERT_TRUE(conf);
    ASSERT_EQ(conf->policies.size(), 1u);
    EXPECT_EQ(conf->policies[0].name, "Policy-0");
    EXPECT_TRUE(conf->policies[0].is_default);
    EXPECT_EQ(conf->policies[0].data_dir(), "objects");
    EXPECT_EQ(conf->policies[0].ring_file_name(), "object.ring.gz");
}

TEST_F(SwiftConfFile, ReadsAnErasureCodedPolicy) {
    const auto conf =
        load(with_policies("[storage-policy:01]\nname = ec\nAliases = Deep, ec, ice\n" +
                           std::string(scheme) + "deprecated = Yes\nec_duplication_factor = 2\n"));
    ASSERT_TRUE(conf) << to_string(conf.error());
    const auto policies = conf->erasure_coded_policies();
    ASSERT_EQ(policies.size(), 1u);
    const Policy& policy = policies[0];
    EXPECT_EQ(policy.index, 1);
    EXPECT_EQ(policy.aliases, (std::vector<std::string>{"Deep", "ice"}));
    EXPECT_TRUE(policy.is_deprecated);
    EXPECT_EQ(policy.k, 4);
    EXPECT_EQ(policy.m, 2);
    EXPECT_EQ(policy.segment_bytes, 1048576u);
    EXPECT_EQ(policy.ring_replicas(), 12);
    EXPECT_EQ(policy.backend_index(7), 1);
    EXPECT_EQ(policy.scheme_description(), "isa_l_rs_cauchy 4+2");
    EXPECT_EQ(policy.data_dir(), "objects-1");
    EXPECT_EQ(policy.tmp_dir(), "tmp-1");
    EXPECT_EQ(policy.quarantine_dir(), "quarantined/objects-1");
    EXPECT_EQ(policy.ring_file_name(), "object-1.ring.gz");
    EXPECT_EQ(conf->find_policy(1)->name, "ec");
    EXPECT_EQ(conf->find_policy(2), nullptr);
}

TEST_F(SwiftConfFile, RefusalsOfASectionNameThePlace) {
    EXPECT_EQ(erasure_refusal("ec_fast = 1\n"),
              "swift.conf: [storage-policy:1] ec_fast = 1: there is no such option for a policy of "
              "this type");
    EXPECT_EQ(erasure_refusal("ec_object_segment_size = 0\n"),
              "swift.conf: [storage-policy:1] ec_object_segment_size = 0: must be a whole number "
              "above 0");
    EXPECT_EQ(erasure_refusal("diskfile_module = egg:other#fs\n"),
              "swift.conf: [storage-policy:1] diskfile_module = egg:other#fs: only "
              "egg:swift#erasure_coding.fs is supported");
    EXPECT_EQ(
        refusal(with_policies("[storage-policy:1]\nname = a b\n")),
        "swift.conf: [storage-policy:1] name = a b: names consist of letters, digits and '-'");
    EXPECT_EQ(refusal(with_policies("[storage-policy:1]\nname = policy-0\n")),
              "swift.conf: [storage-policy:1] name = policy-0: the name Policy-0 is reserved for "
              "index 0");
    EXPECT_EQ(refusal(with_policies("[storage-policy:1]\nname = a\nec_type = isa_l_rs_vand\n")),
              "swift.conf: [storage-policy:1] ec_type = isa_l_rs_vand: there is no such option for "
              "a policy of this type");
    EXPECT_EQ(refusal(with_policies("[storage-policy:x]\nname = a\n")),
              "swift.conf: [storage-policy:x]: the policy index must be a number of at least 0");
}

TEST_F(SwiftConfFile, RefusalsOfTheWholeSet) {
    EXPECT_EQ(refusal(with_policies("[storage-policy:1]\nname = GOLD\n")),
              "swift.conf: [storage-policy:1]: another policy has the name 'GOLD' too");
    EXPECT_EQ(refusal(with_policies("[storage-policy:00]\nname = a\n")),
              "swift.conf: [storage-policy:0]: two sections have this index");
    EXPECT_EQ(
        refusal(with_policies("[storage-policy:1]\nname = a\ndefault = t\n")),
        "swift.conf: [storage-policy:1] default = yes: [storage-policy:0] is the default too");
    EXPECT_EQ(refusal(std::string(hashes) + "[storage-policy:1]\nname = a\n"),
              "swift.conf: policies are defined, but there is no [storage-policy:0]");
    EXPECT_EQ(refusal(std::string(hashes) + "[storage-policy:0]\nname = a\ndeprecated = yes\n"),
              "swift.conf: every storage policy is deprecated");
    EXPECT_EQ(refusal(std::string(hashes) +
                      "[storage-policy:0]\nname = a\n[storage-policy:1]\nname = b\n"),
              "swift.conf: none of the storage policies says default = yes");
}

TEST_F(SwiftConfFile, OptionsOfDefaultLeakIntoPolicies) {
    EXPECT_EQ(refusal("[DEFAULT]\nfoo = 1\n" + with_policies("")),
              "swift.conf: [DEFAULT] foo = 1: there is no such option for a policy of this type");
}

TEST_F(SwiftConfFile, HarmfulSchemeMustBeDeprecated) {
    const std::string harmful =
        "[storage-policy:1]\nname = ec\npolicy_type = erasure_coding\nec_type = isa_l_rs_vand\n"
        "ec_num_data_fragments = 10\nec_num_parity_fragments = 5\n";
    EXPECT_EQ(refusal(with_policies(harmful)),
              "swift.conf: [storage-policy:1] ec_type = isa_l_rs_vand: with 5 or more parity "
              "fragments it harms data durability; this policy MUST be deprecated");
    const auto conf = load(with_policies(harmful + "deprecated = yes\n"));
    ASSERT_TRUE(conf);
    ASSERT_EQ(conf->warnings.size(), 1u);
    EXPECT_NE(conf->warnings[0].find("known to harm data durability"), std::string::npos);
}

TEST_F(SwiftConfFile, ReadsConstraints) {
    const auto conf = load(std::string(hashes) + "[swift-constraints]\nmax_meta_count = 10\n");
    ASSERT_TRUE(conf);
    EXPECT_EQ(conf->constraints.max_meta_count, 10);
    EXPECT_EQ(conf->constraints.max_file_size, 5368709122);
    EXPECT_EQ(refusal(std::string(hashes) + "[swift-constraints]\nmax_meta_count = ten\n"),
              "swift.conf: [swift-constraints] max_meta_count = ten: must be a whole number");
}

}  // namespace
}  // namespace fragmend::swift
