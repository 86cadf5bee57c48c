// Sections as paste.deploy merges them.
#include "host/swift/paste_conf.hpp"

#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

/// A section that no file has: what is found in it comes from [DEFAULT].
constexpr std::string_view no_section = "\n";

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for (text = lstrip(text); !text.empty(); text = lstrip(text)) {
        std::size_t end = 0;
        while (end < text.size() && indent_of(text.substr(end)) == 0)
            ++end;
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return words;
}

}  // namespace

Result<std::vector<std::string>> paste_pipeline(const IniFile& file, const std::string& path) {
    const auto pipeline = file.get("pipeline:main", "pipeline", Interpolation::relaxed);
    if (!pipeline) return pipeline.error();
    if (*pipeline) {
        auto words = words_of((**pipeline).text);
        if (!words.empty()) return words;
    } else if (file.has_section("app:main")) {
        return std::vector<std::string>{"main"};
    }
    return Error{errc::bad_config, path + ": no [pipeline:main] that names an application"};
}

Result<PasteSection> paste_section(const IniFile& file, const std::string& path,
                                   std::string_view name) {
    if (!file.has_section(name)) {
        return Error{errc::bad_config, path + ": no section [" + std::string(name) + "]"};
    }
    auto defaults = file.section(no_section, Interpolation::relaxed);
    if (!defaults) return defaults.error();
    const auto own = file.section(name, Interpolation::relaxed);
    if (!own) return own.error();
    PasteSection section{std::string(name), std::move(*defaults), {}};
    const IniSection globals = section.options;
    for (const auto& [option, value] : *own) {
        if (value.section != name) continue;
        if (option.starts_with("set ")) {
            section.options.insert_or_assign(std::string(strip(option.substr(4))), value);
        } else if (option.starts_with("get ")) {
            const auto found = globals.find(lower_ascii(strip(value.text)));
            if (found == globals.end()) {
                return bad_value(option, value, "there is no such option in [DEFAULT]");
            }
            section.options.insert_or_assign(std::string(strip(option.substr(4))), found->second);
        } else if (globals.contains(option)) {
            section.shadowed.push_back(option);
        } else {
            section.options.insert_or_assign(option, value);
        }
    }
    return section;
}

}  // namespace fragmend::swift
