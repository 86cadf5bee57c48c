// Header names and values.
#include "host/server/header_map.hpp"

#include <algorithm>

#include "host/swift/metadata.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string spelling_of(std::string_view name) {
    std::string spelled = swift::title_case(name);
    std::replace(spelled.begin(), spelled.end(), '_', '-');
    // A letter behind what was an underscore begins a word in either spelling.
    return spelled;
}

bool begins_and_goes_on(std::string_view name, std::string_view lower_prefix) {
    return name.size() > lower_prefix.size() &&
           equals_ignoring_case(name.substr(0, lower_prefix.size()), lower_prefix);
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

bool is_user_meta(std::string_view name) {
    return begins_and_goes_on(name, "x-object-meta-");
}

bool is_user_or_system_meta(std::string_view name) {
    return is_user_meta(name) || begins_and_goes_on(name, "x-object-sysmeta-");
}

bool is_transient_system_meta(std::string_view name) {
    return begins_and_goes_on(name, "x-object-transient-sysmeta-");
}

HeaderMap::Item* HeaderMap::item(std::string_view spelled) {
    const auto found = std::find_if(items_.begin(), items_.end(),
                                    [&](const Item& item) { return item.first == spelled; });
    return found == items_.end() ? nullptr : &*found;
}

void HeaderMap::add(std::string_view name, std::string_view value) {
    const std::string spelled = spelling_of(name);
    if (Item* there = item(spelled)) {
        if (spelled != "Content-Type" && spelled != "Content-Length") {
            there->second.append(",").append(value);
        }
        return;
    }
    items_.emplace_back(spelled, value);
}

void HeaderMap::set(std::string_view name, std::string_view value) {
    const std::string spelled = spelling_of(name);
    if (Item* there = item(spelled)) {
        there->second = value;
    } else {
        items_.emplace_back(spelled, value);
    }
}

void HeaderMap::erase(std::string_view name) {
    const std::string spelled = spelling_of(name);
    std::erase_if(items_, [&](const Item& item) { return item.first == spelled; });
}

std::optional<std::string_view> HeaderMap::find(std::string_view name) const {
    for (const auto& [key, value] : items_) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return std::nullopt;
}

bool HeaderMap::is_true(std::string_view name) const {
    const auto value = find(name);
    return value && swift::config_true_value(*value);
}

}  // namespace fragmend::server
