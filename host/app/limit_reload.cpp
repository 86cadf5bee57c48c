// Reading the configuration for a comparison.
#include "host/app/limit_reload.hpp"

#include <algorithm>
#include <filesystem>

#include "host/swift/file_bytes.hpp"
#include "host/swift/ini_file.hpp"
#include "host/swift/throttle_options.hpp"

namespace fragmend::app {
namespace {

constexpr std::string_view prefix = "fragmend_";
constexpr std::size_t swift_conf_bytes_max = 16 << 20;

bool may_change(std::string_view option) {
    if (!option.starts_with(prefix)) return false;
    option.remove_prefix(prefix.size());
    return std::ranges::find(swift::throttle_option_names, option) !=
           swift::throttle_option_names.end();
}

}  // namespace

Result<std::string> lasting_configuration(const CommandLine& line) {
    const std::filesystem::path start(line.start_directory);
    const auto file = swift::IniFile::read((start / line.conf_path).string());
    if (file.has_error()) return file.error();
    const auto section = file->section("object-reconstructor", swift::Interpolation::none);
    if (section.has_error()) return section.error();
    std::string text;
    for (const auto& [option, value] : *section) {
        if (may_change(option)) continue;
        text += option + "=" + std::to_string(value.text.size()) + ":" + value.text + "\n";
    }
    auto swift_conf = swift::read_file((start / line.swift_conf).string(), swift_conf_bytes_max);
    if (swift_conf.has_error()) return swift_conf.error();
    return text + swift_conf->bytes;
}

}  // namespace fragmend::app
