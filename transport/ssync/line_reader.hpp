// Lines out of a stream of bytes, however it is cut.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/bytes.hpp"

namespace fragmend::transport::ssync {

/// Collects bytes and gives lines back. A line ends in LF; a longer one than the bound is given
/// back in pieces of the bound, as Swift's readline does. Sans-I/O.
class LineReader {
  public:
    explicit LineReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

    void feed(ByteView bytes) { held_.append(as_text(bytes)); }
    /// The next line without white space at its ends; a view until the next call of anything.
    std::optional<std::string_view> next();
    /// What is there of a line that will not be completed any more.
    std::string_view rest() const { return std::string_view(held_).substr(at_); }

  private:
    std::size_t line_bytes_max_;
    std::string held_;
    std::size_t at_ = 0;        ///< Start of the next line.
    std::size_t searched_ = 0;  ///< No LF in [at_, searched_).
};

}  // namespace fragmend::transport::ssync
