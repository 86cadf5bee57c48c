// Configuration files as Python's ConfigParser reads them.
#include "host/swift/ini_file.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <utility>

#include "host/swift/file_bytes.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t config_bytes_max = 16u << 20;
constexpr int interpolation_depth_max = 10;
constexpr std::string_view default_section = "DEFAULT";

std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += "\\n";
        else
            out.push_back(c);
    }
    return out;
}

// Cuts the next line off `text` as Python's universal newlines do.
std::string_view next_line(std::string_view& text) {
    const std::size_t end = text.find_first_of("\r\n");
    const std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos) {
        text = {};
        return line;
    }
    const bool pair = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    text.remove_prefix(end + (pair ? 2 : 1));
    return line;
}

// The name in `[name]`; text after the last bracket is ignored, as Python's pattern does.
std::optional<std::string_view> section_header(std::string_view stripped) {
    if (stripped.empty() || stripped.front() != '[') return std::nullopt;
    const std::size_t close = stripped.rfind(']');
    if (close == std::string_view::npos || close < 2) return std::nullopt;
    return stripped.substr(1, close - 1);
}

// Expands `%` in `rest`; `place` is the option that the caller asked for.
Result<void> expand(std::string_view rest, const IniSection& values, int depth, std::string& out,
                    std::string_view option, const IniValue& place) {
    if (depth > interpolation_depth_max) {
        return bad_value(option, place, "interpolation is nested too deeply");
    }
    while (!rest.empty()) {
        const std::size_t percent = rest.find('%');
        out += rest.substr(0, percent);
        if (percent == std::string_view::npos) return {};
        rest.remove_prefix(percent);
        const char next = rest.size() > 1 ? rest[1] : '\0';
        if (next == '%') {
            out.push_back('%');
            rest.remove_prefix(2);
            continue;
        }
        const std::size_t close = rest.find(')');
        const bool reference = next == '(' && close != std::string_view::npos && close > 2 &&
                               close + 1 < rest.size() && rest[close + 1] == 's';
        if (!reference) {
            return bad_value(option, place,
                             "'%' must be followed by '%' or by a reference '(name)s'");
        }
        const std::string name = lower_ascii(rest.substr(2, close - 2));
        rest.remove_prefix(close + 2);
        const auto found = values.find(name);
        if (found == values.end()) {
            return bad_value(option, place, "there is no option '" + one_line(name) + "'");
        }
        const std::string& referred = found->second.text;
        if (out.size() + referred.size() > config_bytes_max) {
            return bad_value(option, place, "the interpolated value is too long");
        }
        if (referred.find('%') == std::string::npos) {
            out += referred;
            continue;
        }
        const auto done = expand(referred, values, depth + 1, out, option, place);
        if (!done) return done.error();
    }
    return {};
}

Result<IniValue> interpolated(std::string_view option, const IniValue& value,
                              const IniSection& values, Interpolation interpolation) {
    const bool plain =
        interpolation == Interpolation::none ||
        (interpolation == Interpolation::relaxed && value.text.find("%(") == std::string::npos);
    if (plain) return value;
    IniValue result = value;
    result.text.clear();
    const auto done = expand(value.text, values, 1, result.text, option, value);
    if (!done) return done.error();
    return result;
}

Result<std::vector<std::string>> files_of(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) return std::vector{path};
    std::vector<std::string> names;
    std::error_code failed;
    for (auto at = std::filesystem::directory_iterator(path, failed);
         !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
        const std::string name = at->path().filename().string();
        if (name.ends_with(".conf") && !name.starts_with('.')) names.push_back(at->path().string());
    }
    if (failed) return Error{errc::io, path + ": " + failed.message()};
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

Error bad_value(std::string_view option, const IniValue& value, std::string_view why) {
    std::string detail = value.file;
    detail += ": [" + value.section + "] ";
    detail += option;
    detail += " = " + one_line(value.text) + ": ";
    detail += why;
    return {errc::bad_config, std::move(detail)};
}

// Reads the lines of one file into its IniFile.
class IniFile::Reader {
  public:
    Reader(IniFile& target, const std::string& file) : target_(target), file_(file) {}

    Result<void> line(std::string_view line) {
        ++number_;
        const std::string_view stripped = strip(line);
        const bool comment =
            !stripped.empty() && (stripped.front() == '#' || stripped.front() == ';');
        if (comment) return {};
        if (stripped.empty()) {
            // A blank line belongs to the value before it; trailing ones are cut at the end.
            if (value_ != nullptr) value_->text.push_back('\n');
            return {};
        }
        const std::size_t indent = indent_of(line);
        if (value_ != nullptr && indent > indent_) {
            value_->text.push_back('\n');
            value_->text += stripped;
            return {};
        }
        indent_ = indent;
        end_value();
        if (const auto header = section_header(stripped)) return open_section(*header);
        if (section_ == nullptr) return refuse("text before the first section: ", stripped);
        return option(stripped);
    }

    /// Call after the last line. Errors: the first line that is neither header nor option.
    Result<void> finish() {
        end_value();
        if (first_bad_line_) return *first_bad_line_;
        return {};
    }

  private:
    Result<void> open_section(std::string_view name) {
        section_name_ = name;
        if (name == default_section) {
            section_ = &target_.defaults_;
            return {};
        }
        const bool known = target_.sections_.contains(name);
        if (known && target_.duplicates_ == Duplicates::refused &&
            seen_.contains({section_name_, {}}))
            return refuse("section appears twice: ", name);
        if (!known) target_.order_.push_back(section_name_);
        section_ = &target_.sections_[section_name_];
        seen_.insert({section_name_, {}});
        return {};
    }

    Result<void> option(std::string_view stripped) {
        const std::size_t delimiter = stripped.find_first_of("=:");
        const std::string_view name = rstrip(stripped.substr(0, delimiter));
        if (delimiter == std::string_view::npos || name.empty()) {
            // Python goes on and complains at the end, so that a duplicate is reported first.
            if (!first_bad_line_) {
                first_bad_line_ = refuse("neither a section nor an option: ", stripped).error();
            }
            return {};
        }
        std::string lower = lower_ascii(name);
        const bool fresh = seen_.insert({section_name_, lower}).second;
        if (!fresh && target_.duplicates_ == Duplicates::refused) {
            return refuse("option appears twice in [" + section_name_ + "]: ", lower);
        }
        IniValue value{std::string(strip(stripped.substr(delimiter + 1))), file_, section_name_,
                       number_};
        value_ = &section_->insert_or_assign(std::move(lower), std::move(value)).first->second;
        return {};
    }

    void end_value() {
        if (value_ != nullptr) value_->text.resize(rstrip(value_->text).size());
        value_ = nullptr;
    }

    Result<void> refuse(std::string why, std::string_view text) const {
        why += one_line(text);
        return Error{errc::bad_config, file_ + ": line " + std::to_string(number_) + ": " + why};
    }

    IniFile& target_;
    const std::string& file_;
    std::size_t number_ = 0;
    std::size_t indent_ = 0;
    std::string section_name_;
    IniSection* section_ = nullptr;
    IniValue* value_ = nullptr;
    // (section, option) of this file, with an empty option for the section itself.
    std::set<std::pair<std::string, std::string>> seen_;
    std::optional<Error> first_bad_line_;
};

Result<void> IniFile::add(std::string_view text, const std::string& file) {
    std::string converted;
    if (encoding_ == TextEncoding::latin1) {
        converted = from_latin1(text);
        text = converted;
    } else if (!is_valid_utf8(text)) {
        return Error{errc::bad_config, file + ": the text is not UTF-8"};
    }
    Reader reader(*this, file);
    while (!text.empty()) {
        const auto read = reader.line(next_line(text));
        if (!read) return read.error();
    }
    return reader.finish();
}

Result<IniFile> IniFile::read(const std::string& path, TextEncoding encoding,
                              Duplicates duplicates) {
    const auto files = files_of(path);
    if (!files) return files.error();
    IniFile result(encoding, duplicates);
    bool any = false;
    for (const std::string& file : *files) {
        const auto bytes = read_file(file, config_bytes_max);
        if (!bytes && bytes.error() == errc::limit) return bytes.error();
        if (!bytes) continue;  // Like ConfigParser.read, which skips what it cannot open.
        const auto added = result.add(bytes->bytes, file);
        if (!added) return added.error();
        any = true;
    }
    if (!any) return Error{errc::not_found, "Unable to read config from " + path};
    return result;
}

bool IniFile::has_section(std::string_view name) const {
    return sections_.contains(name);
}

std::vector<std::string> IniFile::sections() const {
    return order_;
}

IniSection IniFile::merged(std::string_view name) const {
    IniSection values = defaults_;
    const auto own = sections_.find(name);
    if (own == sections_.end()) return values;
    for (const auto& [option, value] : own->second)
        values.insert_or_assign(option, value);
    return values;
}

Result<IniSection> IniFile::section(std::string_view name, Interpolation interpolation) const {
    const IniSection values = merged(name);
    IniSection result;
    for (const auto& [option, value] : values) {
        auto text = interpolated(option, value, values, interpolation);
        if (!text) return text.error();
        result.emplace(option, std::move(*text));
    }
    return result;
}

Result<std::optional<IniValue>> IniFile::get(std::string_view section, std::string_view option,
                                             Interpolation interpolation) const {
    if (!has_section(section)) return std::optional<IniValue>();
    const IniSection values = merged(section);
    const auto found = values.find(option);
    if (found == values.end()) return std::optional<IniValue>();
    auto text = interpolated(option, found->second, values, interpolation);
    if (!text) return text.error();
    return std::optional<IniValue>(std::move(*text));
}

}  // namespace fragmend::swift
