// Typed reading of one configuration section, with the first bad value kept as the error.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/ini_file.hpp"

namespace fragmend::swift {

/// Reads the options of a section one after another. A bad value yields the default and is kept,
/// so that a loader may read all options and then ask once whether they were good.
/// Lifetime: `values` outlives the reader.
class OptionReader {
  public:
    static constexpr std::int64_t whole_min = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t whole_max = std::numeric_limits<std::int64_t>::max();

    explicit OptionReader(const IniSection& values) : values_(values) {}

    /// Nothing when the option is absent.
    const IniValue* find(std::string_view option) const;
    bool has(std::string_view option) const { return find(option) != nullptr; }

    std::string text(std::string_view option, std::string_view otherwise) const;
    /// A path, which must not be empty: who leaves it so gets no working directory of ours instead.
    std::string path(std::string_view option, std::string_view otherwise);
    bool flag(std::string_view option, bool otherwise) const;
    /// A whole number as int() reads it, within [least, most].
    std::int64_t whole(std::string_view option, std::int64_t otherwise,
                       std::int64_t least = whole_min, std::int64_t most = whole_max);
    /// A finite number as float() reads it, at least `least`.
    double number(std::string_view option, double otherwise, double least);
    /// A finite number above 0: what a limit of time has to be.
    double positive_number(std::string_view option, double otherwise);

    /// Keeps `error` unless an earlier one is kept.
    void fail(Error error);
    const std::optional<Error>& error() const { return error_; }

  private:
    const IniSection& values_;
    std::optional<Error> error_;
};

/// `<whole number>[K|M|G]`, powers of 1024; nothing for other text.
std::optional<std::uint64_t> size_in_bytes(std::string_view text);

}  // namespace fragmend::swift
