// The [storage-policy:N] sections of swift.conf and the rules over the whole set.
#include "host/swift/policies.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::string_view section_prefix = "storage-policy:";
constexpr std::string_view legacy_name = "Policy-0";
constexpr std::size_t segment_bytes_default = 1048576;
constexpr int fragments_max = 256;

constexpr std::array<std::string_view, 6> shared_options = {
    "name", "aliases", "policy_type", "default", "deprecated", "diskfile_module"};
constexpr std::array<std::string_view, 5> erasure_options = {
    "ec_type", "ec_object_segment_size", "ec_num_data_fragments", "ec_num_parity_fragments",
    "ec_duplication_factor"};
constexpr std::array<std::string_view, 8> known_ec_types = {
    "jerasure_rs_vand", "jerasure_rs_cauchy", "flat_xor_hd_3",     "flat_xor_hd_4",
    "isa_l_rs_vand",    "isa_l_rs_cauchy",    "isa_l_rs_vand_inv", "liberasurecode_rs_vand"};

std::string upper_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

bool is_name_character(char c) {
    return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Reads one section into one policy.
class PolicyReader {
  public:
    PolicyReader(const IniSection& options, std::string section, std::string path)
        : options_(options), section_(std::move(section)), path_(std::move(path)) {}

    Result<Policy> read(std::vector<std::string>& warnings) {
        for (const auto& step :
             {&PolicyReader::read_type, &PolicyReader::check_options, &PolicyReader::read_index,
              &PolicyReader::read_names, &PolicyReader::read_flags, &PolicyReader::read_code}) {
            const auto done = (this->*step)();
            if (!done) return done.error();
        }
        const auto checked = check_durability(warnings);
        if (!checked) return checked.error();
        return policy_;
    }

  private:
    const IniValue* find(std::string_view option) const {
        const auto found = options_.find(option);
        return found == options_.end() ? nullptr : &found->second;
    }

    Error bad_section(std::string_view why) const {
        std::string detail = path_ + ": [" + section_ + "]: ";
        detail += why;
        return {errc::bad_config, std::move(detail)};
    }

    Result<void> read_type() {
        const IniValue* value = find("policy_type");
        if (value == nullptr || value->text == "replication") return {};
        if (value->text != "erasure_coding") {
            return bad_value("policy_type", *value, "must be replication or erasure_coding");
        }
        policy_.type = PolicyType::erasure_coding;
        return {};
    }

    Result<void> check_options() {
        for (const auto& [option, value] : options_) {
            const bool shared = std::ranges::find(shared_options, option) != shared_options.end();
            const bool erasure =
                policy_.is_erasure_coding() &&
                std::ranges::find(erasure_options, option) != erasure_options.end();
            if (shared || erasure) continue;
            return bad_value(option, value, "there is no such option for a policy of this type");
        }
        return {};
    }

    Result<void> read_index() {
        const auto index = python_int(std::string_view(section_).substr(section_prefix.size()));
        if (!index || *index < 0 || *index > std::numeric_limits<int>::max()) {
            return bad_section("the policy index must be a number of at least 0");
        }
        policy_.index = static_cast<int>(*index);
        return {};
    }

    Result<void> check_name(const std::string& name, std::string_view option,
                            const IniValue& value) const {
        if (name.empty() || !std::ranges::all_of(name, is_name_character)) {
            return bad_value(option, value, "names consist of letters, digits and '-'");
        }
        if (policy_.index != 0 && upper_ascii(name) == upper_ascii(legacy_name)) {
            return bad_value(option, value, "the name Policy-0 is reserved for index 0");
        }
        return {};
    }

    Result<void> read_names() {
        const IniValue* name = find("name");
        if (name == nullptr) return bad_section("the option name is missing");
        const auto good = check_name(name->text, "name", *name);
        if (!good) return good.error();
        policy_.name = name->text;
        const IniValue* aliases = find("aliases");
        if (aliases == nullptr) return {};
        std::vector<std::string> taken = {upper_ascii(policy_.name)};
        for (const std::string& alias : list_from_csv(aliases->text)) {
            if (alias == policy_.name) continue;
            const auto fit = check_name(alias, "aliases", *aliases);
            if (!fit) return fit.error();
            if (std::ranges::find(taken, upper_ascii(alias)) != taken.end()) {
                return bad_value("aliases", *aliases, "'" + alias + "' is assigned twice");
            }
            taken.push_back(upper_ascii(alias));
            policy_.aliases.push_back(alias);
        }
        return {};
    }

    Result<void> read_flags() {
        const IniValue* is_default = find("default");
        const IniValue* is_deprecated = find("deprecated");
        policy_.is_default = is_default != nullptr && config_true_value(is_default->text);
        policy_.is_deprecated = is_deprecated != nullptr && config_true_value(is_deprecated->text);
        if (policy_.is_default && policy_.is_deprecated) {
            return bad_value("default", *is_default, "a deprecated policy can not be the default");
        }
        return {};
    }

    Result<int> positive(std::string_view option, int otherwise) const {
        const IniValue* value = find(option);
        if (value == nullptr && otherwise > 0) return otherwise;
        if (value == nullptr)
            return bad_section("the option " + std::string(option) + " is missing");
        const auto number = python_int(value->text);
        if (!number || *number < 1 || *number > std::numeric_limits<int>::max()) {
            return bad_value(option, *value, "must be a whole number above 0");
        }
        return static_cast<int>(*number);
    }

    Result<void> read_code() {
        if (!policy_.is_erasure_coding()) return {};
        const IniValue* module = find("diskfile_module");
        // Another module means another layout on disk, which must not be touched.
        if (module != nullptr && module->text != "egg:swift#erasure_coding.fs" &&
            module->text != "swift#erasure_coding.fs" && module->text != "erasure_coding.fs") {
            return bad_value("diskfile_module", *module,
                             "only egg:swift#erasure_coding.fs is supported");
        }
        const IniValue* type = find("ec_type");
        if (type == nullptr) return bad_section("the option ec_type is missing");
        if (std::ranges::find(known_ec_types, type->text) == known_ec_types.end()) {
            std::string known;
            for (const std::string_view name : known_ec_types) {
                known += (known.empty() ? "" : ", ") + std::string(name);
            }
            return bad_value("ec_type", *type, "should be one of " + known);
        }
        policy_.ec_type = type->text;
        const auto k = positive("ec_num_data_fragments", 0);
        if (!k) return k.error();
        const auto m = positive("ec_num_parity_fragments", 0);
        if (!m) return m.error();
        const auto segment = positive("ec_object_segment_size", segment_bytes_default);
        if (!segment) return segment.error();
        const auto factor = positive("ec_duplication_factor", 1);
        if (!factor) return factor.error();
        if (*k > fragments_max - *m) {
            return bad_section("ec_num_data_fragments + ec_num_parity_fragments must not exceed " +
                               std::to_string(fragments_max));
        }
        policy_.k = *k;
        policy_.m = *m;
        policy_.segment_bytes = static_cast<std::size_t>(*segment);
        policy_.duplication_factor = *factor;
        return {};
    }

    // isa_l_rs_vand with five or more parities has patterns that nothing can decode.
    Result<void> check_durability(std::vector<std::string>& warnings) const {
        if (policy_.ec_type != "isa_l_rs_vand" || policy_.m < 5) return {};
        warnings.push_back(
            "Storage policy " + policy_.name +
            " uses an EC configuration known to harm data durability. Any data in this policy "
            "should be migrated. See https://bugs.launchpad.net/swift/+bug/1639691 for more "
            "information.");
        // Swift looks at the text of `deprecated`, so that even `deprecated = no` lets it pass.
        const IniValue* deprecated = find("deprecated");
        if (deprecated != nullptr && !deprecated->text.empty()) return {};
        return bad_value("ec_type", *find("ec_type"),
                         "with 5 or more parity fragments it harms data durability; "
                         "this policy MUST be deprecated");
    }

    const IniSection& options_;
    std::string section_;
    std::string path_;
    Policy policy_;
};

Error bad_set(const std::string& path, std::string_view why) {
    std::string detail = path + ": ";
    detail += why;
    return {errc::bad_config, std::move(detail)};
}

// What no single section can break.
Result<void> check_set(std::vector<Policy>& policies, const std::string& path) {
    std::map<std::string, int> names;
    const Policy* chosen = nullptr;
    for (std::size_t at = 0; at < policies.size(); ++at) {
        const Policy& policy = policies[at];
        const std::string label = "[storage-policy:" + std::to_string(policy.index) + "]";
        if (at > 0 && policies[at - 1].index == policy.index) {
            return bad_set(path, label + ": two sections have this index");
        }
        std::vector<std::string> all = policy.aliases;
        all.push_back(policy.name);
        for (const std::string& name : all) {
            if (names.emplace(upper_ascii(name), policy.index).second) continue;
            return bad_set(path, label + ": another policy has the name '" + name + "' too");
        }
        if (policy.is_default && chosen != nullptr) {
            return bad_set(path, label + " default = yes: [storage-policy:" +
                                     std::to_string(chosen->index) + "] is the default too");
        }
        if (policy.is_default) chosen = &policy;
    }
    if (policies.empty()) {
        Policy legacy;
        legacy.name = legacy_name;
        policies.push_back(std::move(legacy));
    }
    if (policies.front().index != 0) {
        return bad_set(path, "policies are defined, but there is no [storage-policy:0]");
    }
    if (std::ranges::all_of(policies, &Policy::is_deprecated)) {
        return bad_set(path, "every storage policy is deprecated");
    }
    if (chosen == nullptr && policies.size() > 1) {
        return bad_set(path, "none of the storage policies says default = yes");
    }
    if (chosen == nullptr) policies.front().is_default = true;
    return {};
}

}  // namespace

Result<PolicySet> read_policies(const IniFile& conf, const std::string& path) {
    PolicySet set;
    for (const std::string& section : conf.sections()) {
        if (!section.starts_with(section_prefix)) continue;
        const auto options = conf.section(section, Interpolation::standard);
        if (!options) return options.error();
        auto policy = PolicyReader(*options, section, path).read(set.warnings);
        if (!policy) return policy.error();
        set.policies.push_back(std::move(*policy));
    }
    std::ranges::stable_sort(set.policies, {}, &Policy::index);
    const auto good = check_set(set.policies, path);
    if (!good) return good.error();
    return set;
}

}  // namespace fragmend::swift
