// Hostile configuration: swift.conf and the reconstructor's section from the same bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/swift/ini_file.hpp"
#include "host/swift/reconstructor_options.hpp"
#include "host/swift/swift_conf.hpp"

using namespace fragmend;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto conf = swift::parse_swift_conf(text, "swift.conf");
    if (conf) {
        FRAGMEND_ASSERT(!conf->policies.empty() && conf->policies.front().index == 0);
        FRAGMEND_ASSERT(!conf->hash_path_prefix.empty() || !conf->hash_path_suffix.empty());
        for (const auto& policy : conf->erasure_coded_policies()) {
            FRAGMEND_ASSERT(policy.k > 0 && policy.m > 0 && policy.unique_fragments() <= 256);
        }
    } else {
        FRAGMEND_ASSERT(!conf.error().detail.empty());
    }
    swift::IniFile file;
    if (!file.add(text, "object-server.conf")) return 0;
    const auto options = swift::read_reconstructor_options(file, "object-server.conf");
    if (options) FRAGMEND_ASSERT(options->concurrency > 0 && options->node_timeout_s > 0);
    return 0;
}
