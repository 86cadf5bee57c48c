// What a server's configuration means to paste.deploy, which reads it for Swift's servers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/swift/ini_file.hpp"

namespace fragmend::swift {

/// The options of one application or filter.
struct PasteSection {
    std::string name;    ///< `app:object-server`.
    IniSection options;  ///< [DEFAULT], and over it what the section says and paste lets count.
    /// Plain options of the section that [DEFAULT] has too: paste ignores them, without a word.
    std::vector<std::string> shadowed;
};

/// The words of `[pipeline:main]`, or `main` alone where `[app:main]` stands.
/// Errors: bad_config when there is neither.
Result<std::vector<std::string>> paste_pipeline(const IniFile& file, const std::string& path);

/// One section: plain options count unless [DEFAULT] has them, `set name` always does, `get name =
/// other` copies an option of [DEFAULT]. Errors: bad_config (no such section, bad interpolation).
/// Source: paste.deploy.loadwsgi.ConfigLoader.get_context; swift.common.wsgi.
Result<PasteSection> paste_section(const IniFile& file, const std::string& path,
                                   std::string_view name);

}  // namespace fragmend::swift
