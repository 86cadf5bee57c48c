// Typed reading of one configuration section.
#include "host/swift/option_reader.hpp"

#include <cmath>
#include <utility>

#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

std::string limits_text(std::int64_t least, std::int64_t most) {
    std::string text = "must be a whole number";
    if (least != OptionReader::whole_min) text += " of at least " + std::to_string(least);
    if (most != OptionReader::whole_max) text += " and at most " + std::to_string(most);
    return text;
}

std::optional<double> finite(std::string_view text) {
    const auto value = python_float(text);
    if (!value || !std::isfinite(*value)) return std::nullopt;
    return value;
}

}  // namespace

const IniValue* OptionReader::find(std::string_view option) const {
    const auto found = values_.find(option);
    return found == values_.end() ? nullptr : &found->second;
}

std::string OptionReader::text(std::string_view option, std::string_view otherwise) const {
    const IniValue* value = find(option);
    return value == nullptr ? std::string(otherwise) : value->text;
}

std::string OptionReader::path(std::string_view option, std::string_view otherwise) {
    const IniValue* value = find(option);
    if (value == nullptr) return std::string(otherwise);
    if (value->text.empty()) fail(bad_value(option, *value, "must name a folder"));
    return value->text;
}

bool OptionReader::flag(std::string_view option, bool otherwise) const {
    const IniValue* value = find(option);
    return value == nullptr ? otherwise : config_true_value(value->text);
}

std::int64_t OptionReader::whole(std::string_view option, std::int64_t otherwise,
                                 std::int64_t least, std::int64_t most) {
    const IniValue* value = find(option);
    if (value == nullptr) return otherwise;
    const auto number = python_int(value->text);
    if (number && *number >= least && *number <= most) return *number;
    fail(bad_value(option, *value, limits_text(least, most)));
    return otherwise;
}

double OptionReader::number(std::string_view option, double otherwise, double least) {
    const IniValue* value = find(option);
    if (value == nullptr) return otherwise;
    const auto number = finite(value->text);
    if (number && *number >= least) return *number;
    std::string why = "must be a finite number";
    if (least == 0) why += " of at least 0";
    fail(bad_value(option, *value, why));
    return otherwise;
}

double OptionReader::positive_number(std::string_view option, double otherwise) {
    const IniValue* value = find(option);
    if (value == nullptr) return otherwise;
    const auto number = finite(value->text);
    if (number && *number > 0) return *number;
    fail(bad_value(option, *value, "must be a finite number above 0"));
    return otherwise;
}

void OptionReader::fail(Error error) {
    if (!error_) error_ = std::move(error);
}

std::optional<std::uint64_t> size_in_bytes(std::string_view text) {
    text = strip(text);
    int shift = 0;
    if (!text.empty()) {
        switch (text.back()) {
            case 'k':
            case 'K':
                shift = 10;
                break;
            case 'm':
            case 'M':
                shift = 20;
                break;
            case 'g':
            case 'G':
                shift = 30;
                break;
            default:
                break;
        }
    }
    if (shift != 0) text.remove_suffix(1);
    const auto number = python_int(text);
    if (!number || *number < 0 || *number > (std::int64_t{1} << 50 >> shift)) return std::nullopt;
    return static_cast<std::uint64_t>(*number) << shift;
}

}  // namespace fragmend::swift
