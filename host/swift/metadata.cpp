// Metadata items, and their stored form.
#include "host/swift/metadata.hpp"

#include <algorithm>

#include "host/swift/pickle_nodes.hpp"
#include "host/swift/pickle_text.hpp"
#include "host/swift/pickle_writer.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::string_view name_key = "name";
constexpr std::string_view python3_mark = "_codecs\nencode";
constexpr std::size_t python3_mark_within_bytes = 32;

constexpr PickleLimits metadata_limits{
    .input_bytes = std::size_t{16} << 20,
    .items = 40'000,
    .text_bytes = std::size_t{16} << 20,
    .depth = 4,
};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

const MetadataValue* Metadata::find(std::string_view key) const {
    const auto found = std::find_if(items_.begin(), items_.end(),
                                    [&](const Item& item) { return item.first == key; });
    return found == items_.end() ? nullptr : &found->second;
}

std::optional<std::string> Metadata::text(std::string_view key) const {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    return to_text(*value);
}

Result<Timestamp> Metadata::timestamp(std::string_view key) const {
    const auto value = text(key);
    if (!value) return Error{errc::bad_metadata, "metadata has no " + std::string(key)};
    auto parsed = Timestamp::parse(*value);
    if (!parsed) {
        return Error{errc::bad_metadata, std::string(key) + ": " + parsed.error().detail};
    }
    return *parsed;
}

void Metadata::set(std::string_view key, MetadataValue value) {
    const auto found = std::find_if(items_.begin(), items_.end(),
                                    [&](const Item& item) { return item.first == key; });
    if (found == items_.end()) {
        items_.emplace_back(std::string(key), std::move(value));
    } else {
        found->second = std::move(value);
    }
}

void Metadata::erase(std::string_view key) {
    std::erase_if(items_, [&](const Item& item) { return item.first == key; });
}

std::string to_text(const MetadataValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    return std::get<std::string>(value);
}

std::string title_case(std::string_view name) {
    std::string title(name);
    bool after_letter = false;
    for (char& c : title) {
        c = after_letter ? lower(c) : upper(c);
        after_letter = is_letter(c);
    }
    return title;
}

std::string encode_metadata(const Metadata& metadata) {
    PickleWriter writer;
    auto dict = writer.begin_dict(metadata.items().size());
    for (const auto& [key, value] : metadata.items()) {
        writer.begin_item(dict);
        writer.bytes(from_latin1(key));
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            writer.integer(*number);
        } else {
            const auto& text = std::get<std::string>(value);
            writer.bytes(key == name_key ? text : from_latin1(text));
        }
    }
    writer.end_dict(dict);
    return writer.finish();
}

Result<Metadata> decode_metadata(std::string_view pickle) {
    const auto document = read_pickle_document(pickle, metadata_limits);
    if (!document) return document.error();
    std::size_t items_left = metadata_limits.items;
    const auto entries = document->entries(document->root, items_left);
    if (!entries) return Error{errc::bad_metadata, "metadata is not a dict"};
    const bool python3 =
        pickle.substr(0, python3_mark_within_bytes).find(python3_mark) != std::string_view::npos;
    const auto wire = [&](std::string_view stored) {
        return python3 ? wire_bytes_from_stored(stored) : std::string(stored);
    };
    Metadata metadata;
    std::size_t text_bytes = 0;
    for (std::size_t i = 0; i + 1 < entries->size(); i += 2) {
        const PickleNode& stored_value = document->nodes[(*entries)[i + 1]];
        const auto key = characters_of(document->nodes[(*entries)[i]]);
        if (!key) return Error{errc::bad_metadata, "a metadata key is not text"};
        // One string can be named many times.
        text_bytes += key->size() + copied_bytes(stored_value);
        if (text_bytes > metadata_limits.text_bytes) {
            return Error{errc::bad_metadata, "metadata is too large"};
        }
        if (const auto* number = std::get_if<std::int64_t>(&stored_value)) {
            metadata.set(wire(*key), *number);
        } else if (const auto text = characters_of(stored_value)) {
            metadata.set(wire(*key), *key == name_key ? std::string(*text) : wire(*text));
        } else {
            return Error{errc::bad_metadata, "the value of " + wire(*key) + " is not text"};
        }
    }
    return metadata;
}

bool is_object_sysmeta(std::string_view key) {
    constexpr std::string_view prefix = "x-object-sysmeta-";
    if (key.size() <= prefix.size()) return false;
    return std::equal(prefix.begin(), prefix.end(), key.begin(),
                      [](char a, char b) { return a == lower(b); });
}

}  // namespace fragmend::swift
