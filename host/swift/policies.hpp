// The [storage-policy:N] sections of swift.conf and the rules over the whole set.
#pragma once

#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/swift/ini_file.hpp"
#include "host/swift/policy.hpp"

namespace fragmend::swift {

struct PolicySet {
    std::vector<Policy> policies;  ///< By index.
    std::vector<std::string> warnings;
};

/// Reads the policies of `conf`, which came from `path`. Errors: bad_config naming the place.
/// Source: swift.common.storage_policy.parse_storage_policies, StoragePolicyCollection.
Result<PolicySet> read_policies(const IniFile& conf, const std::string& path);

}  // namespace fragmend::swift
