// What a server answers, and the text of its head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"

namespace fragmend::transport::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// One answer, its head or all of it.
struct Reply {
    int status = 200;
    Fields fields;     ///< Without Content-Length, Transfer-Encoding, Date, Connection.
    std::string body;  ///< A whole body, if it is not streamed.
    /// Of a body that is streamed, or that a HEAD does not get. Unset: that of `body`.
    std::optional<std::uint64_t> content_length;
};

/// For steps that end with an answer instead of a value (tests).
[[noreturn]] void throw_exception_from_error(const Reply& reply, const boost::source_location&);

/// Swift's reason phrases. Source: swift.common.swob.RESPONSE_REASONS.
std::string_view reason_of(int status);

/// `Sun, 22 Nov 2026 11:39:14 GMT`. Units: whole seconds of `time`.
std::string http_date(const Timestamp& time);

enum class Framing : std::uint8_t { counted, chunked, until_close };

/// Status line and fields, blank line included. `content_length` is written when counted. What is
/// stored may hold anything: a field with CR, LF or NUL, which would break its line, is left out.
std::string reply_head(const Reply& reply, Framing framing, std::uint64_t content_length,
                       bool keep_alive, const Timestamp& now);

}  // namespace fragmend::transport::http
