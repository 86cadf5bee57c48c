// swift.conf: the cluster's hash prefix and suffix, its storage policies, its constraints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/md5.hpp"
#include "host/swift/policy.hpp"

namespace fragmend::swift {

/// Where Swift's daemons and servers look whatever their own configuration says.
inline constexpr std::string_view swift_conf_path_default = "/etc/swift/swift.conf";

/// What a receiver holds requests to. Source: swift.common.constraints.DEFAULT_CONSTRAINTS.
struct Constraints {
    std::int64_t max_file_size = 5'368'709'122;
    std::int64_t max_meta_name_length = 128;
    std::int64_t max_meta_value_length = 256;
    std::int64_t max_meta_count = 90;
    std::int64_t max_meta_overall_size = 4096;
    std::int64_t max_header_size = 8192;
    std::int64_t max_object_name_length = 1024;
    std::int64_t max_account_name_length = 256;
    std::int64_t max_container_name_length = 256;
    std::int64_t container_listing_limit = 10000;
    std::int64_t account_listing_limit = 10000;
    std::int64_t extra_header_count = 0;
};

struct SwiftConf {
    std::string hash_path_prefix;  ///< Raw bytes.
    std::string hash_path_suffix;  ///< Raw bytes.
    std::vector<Policy> policies;  ///< By index; at least one, exactly one is the default.
    Constraints constraints;
    std::vector<std::string> warnings;  ///< To be logged once a logger exists.

    /// Nothing when there is no such policy. Lifetime: that of this object.
    const Policy* find_policy(int index) const;
    std::vector<Policy> erasure_coded_policies() const;
};

/// Reads and checks swift.conf with the rules of Swift's three passes over it.
/// Errors: bad_config naming file, section, option and value; not_found or io for the file.
/// Source: swift.common.utils.validate_hash_conf; swift.common.storage_policy;
/// swift.common.constraints.reload_constraints.
Result<SwiftConf> load_swift_conf(const std::string& path = std::string(swift_conf_path_default));

/// The same for the bytes of a file that errors call `path`.
Result<SwiftConf> parse_swift_conf(std::string_view bytes, const std::string& path);

/// MD5 of prefix, `/account/container/object` and suffix: an object's place in the cluster.
/// Source: swift.common.utils.hash_path.
Md5Digest hash_path(const SwiftConf& conf, std::string_view account, std::string_view container,
                    std::string_view object);

}  // namespace fragmend::swift
