// Configuration files as Python's ConfigParser reads them, each value with its place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::swift {

enum class TextEncoding { utf8, latin1 };
enum class Duplicates { refused, last_wins };

/// How `%` is treated when a value is asked for.
enum class Interpolation {
    none,      ///< The value as it stands.
    standard,  ///< `%%` and `%(name)s`; any other `%` is an error.
    relaxed,   ///< Like standard, but only for values that contain `%(` (Swift's daemons).
};

/// One value and the place where it was found. Text is UTF-8 whatever the file's encoding.
struct IniValue {
    std::string text;
    std::string file;
    std::string section;  ///< As written in the file: the section's own name, or DEFAULT.
    std::size_t line = 0;
};

/// Options of one section merged over DEFAULT, by lower-case name.
using IniSection = std::map<std::string, IniValue, std::less<>>;

/// bad_config with the detail `<file>: [<section>] <option> = <value>: <why>`.
Error bad_value(std::string_view option, const IniValue& value, std::string_view why);

/// What one or more configuration files say, later files over earlier ones.
/// Comments take whole lines only, white space continues a value, quotes are kept, option names
/// are lower-cased, section names are not.
/// Source: configparser of Python 3.11; swift.common.utils.readconf, read_conf_dir.
class IniFile {
  public:
    explicit IniFile(TextEncoding encoding = TextEncoding::utf8,
                     Duplicates duplicates = Duplicates::refused)
        : encoding_(encoding), duplicates_(duplicates) {}

    /// Reads one file, or all `*.conf` of a directory in name order without dot-files.
    /// Errors: bad_config with file and line; not_found when nothing could be read.
    static Result<IniFile> read(const std::string& path, TextEncoding encoding = TextEncoding::utf8,
                                Duplicates duplicates = Duplicates::refused);

    /// Adds the text of one file. Errors: bad_config with `file` and line; the object is then void.
    Result<void> add(std::string_view text, const std::string& file);

    bool has_section(std::string_view name) const;
    /// Section names in order of first appearance, without DEFAULT.
    std::vector<std::string> sections() const;

    /// All options of `name` over DEFAULT, every value interpolated. An absent section has those
    /// of DEFAULT. Errors: bad_config naming file, section, option and value.
    Result<IniSection> section(std::string_view name, Interpolation interpolation) const;

    /// One option, without looking at the `%` of others. Nothing when section or option is absent.
    Result<std::optional<IniValue>> get(std::string_view section, std::string_view option,
                                        Interpolation interpolation) const;

  private:
    class Reader;
    IniSection merged(std::string_view name) const;

    TextEncoding encoding_;
    Duplicates duplicates_;
    std::vector<std::string> order_;
    std::map<std::string, IniSection, std::less<>> sections_;
    IniSection defaults_;
};

}  // namespace fragmend::swift
