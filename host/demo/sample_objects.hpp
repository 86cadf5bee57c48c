// What an embedded cluster is filled with: objects of many sizes and histories, from a seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/base/timestamp.hpp"

namespace fragmend::demo {

/// Sizes from `min` to `max` bytes, each power of two of them as likely as any other.
struct SizeRange {
    std::uint64_t min = 0;
    std::uint64_t max = 0;
    bool operator==(const SizeRange&) const = default;
};

struct SampleSpec {
    std::size_t count = 0;
    std::vector<SizeRange> sizes;  ///< Objects take turns; not empty.
    /// Whether some objects were posted to, overwritten by tombstones, or have odd names.
    bool histories = true;
    std::uint64_t seed = 1;
};

/// One object and what happened to it. Its content follows from `content_seed`.
struct SampleObject {
    std::string container;
    std::string name;  ///< Raw bytes.
    std::uint64_t bytes = 0;
    std::uint64_t content_seed = 0;
    Timestamp put_at;
    std::string content_type;
    std::optional<std::string> user_meta;  ///< Of the PUT; raw bytes.
    std::optional<Timestamp> posted_at;
    std::optional<Timestamp> deleted_at;

    std::string path() const { return "/" + account() + "/" + container + "/" + name; }
    static std::string account() { return "AUTH_demo"; }
};

/// All of it happened within the hour before `now`. Pure.
std::vector<SampleObject> sample_objects(const SampleSpec& spec, const Timestamp& now);

/// The bytes that all these objects occupy together, deleted ones left out.
std::uint64_t object_bytes(const std::vector<SampleObject>& objects);

}  // namespace fragmend::demo
