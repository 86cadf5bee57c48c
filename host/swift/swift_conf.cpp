// swift.conf: the cluster's hash prefix and suffix, its storage policies, its constraints.
#include "host/swift/swift_conf.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "host/swift/file_bytes.hpp"
#include "host/swift/ini_file.hpp"
#include "host/swift/policies.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t config_bytes_max = 16u << 20;

// The raw bytes of one [swift-hash] option; empty when it is absent.
Result<std::string> hash_option(const IniFile& conf, std::string_view option) {
    const auto value = conf.get("swift-hash", option, Interpolation::standard);
    if (!value) return value.error();
    if (!value->has_value()) return std::string();
    // The file was read as Latin-1, so every code point is one byte again.
    return to_latin1((*value)->text).value_or(std::string());
}

Result<void> read_hash_options(std::string_view text, const std::string& path, SwiftConf& conf) {
    IniFile file(TextEncoding::latin1, Duplicates::refused);
    const auto parsed = file.add(text, path);
    if (!parsed) return parsed.error();
    auto suffix = hash_option(file, "swift_hash_path_suffix");
    if (!suffix) return suffix.error();
    auto prefix = hash_option(file, "swift_hash_path_prefix");
    if (!prefix) return prefix.error();
    conf.hash_path_suffix = std::move(*suffix);
    conf.hash_path_prefix = std::move(*prefix);
    if (!conf.hash_path_suffix.empty() || !conf.hash_path_prefix.empty()) return {};
    return Error{errc::bad_config,
                 "[swift-hash]: both swift_hash_path_suffix and swift_hash_path_prefix are missing "
                 "from " +
                     path};
}

Result<void> read_constraints(const IniFile& file, Constraints& constraints) {
    const std::array<std::pair<std::string_view, std::int64_t*>, 12> numbers = {{
        {"max_file_size", &constraints.max_file_size},
        {"max_meta_name_length", &constraints.max_meta_name_length},
        {"max_meta_value_length", &constraints.max_meta_value_length},
        {"max_meta_count", &constraints.max_meta_count},
        {"max_meta_overall_size", &constraints.max_meta_overall_size},
        {"max_header_size", &constraints.max_header_size},
        {"max_object_name_length", &constraints.max_object_name_length},
        {"max_account_name_length", &constraints.max_account_name_length},
        {"max_container_name_length", &constraints.max_container_name_length},
        {"container_listing_limit", &constraints.container_listing_limit},
        {"account_listing_limit", &constraints.account_listing_limit},
        {"extra_header_count", &constraints.extra_header_count},
    }};
    for (const auto& [option, target] : numbers) {
        const auto value = file.get("swift-constraints", option, Interpolation::standard);
        if (!value) return value.error();
        if (!value->has_value()) continue;
        const auto number = python_int((*value)->text);
        if (!number) return bad_value(option, **value, "must be a whole number");
        *target = *number;
    }
    return {};
}

}  // namespace

const Policy* SwiftConf::find_policy(int index) const {
    const auto found = std::ranges::find(policies, index, &Policy::index);
    return found == policies.end() ? nullptr : &*found;
}

std::vector<Policy> SwiftConf::erasure_coded_policies() const {
    std::vector<Policy> result;
    std::ranges::copy_if(policies, std::back_inserter(result), &Policy::is_erasure_coding);
    return result;
}

Result<SwiftConf> load_swift_conf(const std::string& path) {
    const auto file = read_file(path, config_bytes_max);
    if (!file) return file.error();
    return parse_swift_conf(file->bytes, path);
}

Result<SwiftConf> parse_swift_conf(std::string_view bytes, const std::string& path) {
    SwiftConf conf;
    const auto hashes = read_hash_options(bytes, path, conf);
    if (!hashes) return hashes.error();

    // Swift reads the same file again as UTF-8; duplicates were refused by the pass above.
    IniFile file(TextEncoding::utf8, Duplicates::last_wins);
    const auto parsed = file.add(bytes, path);
    if (!parsed) return parsed.error();
    auto policies = read_policies(file, path);
    if (!policies) return policies.error();
    conf.policies = std::move(policies->policies);
    conf.warnings = std::move(policies->warnings);
    const auto constraints = read_constraints(file, conf.constraints);
    if (!constraints) return constraints.error();
    return conf;
}

Md5Digest hash_path(const SwiftConf& conf, std::string_view account, std::string_view container,
                    std::string_view object) {
    Md5 md5;
    md5.update(conf.hash_path_prefix);
    for (const std::string_view part : {account, container, object}) {
        md5.update("/");
        md5.update(part);
    }
    md5.update(conf.hash_path_suffix);
    return md5.finish();
}

}  // namespace fragmend::swift
