// What heads of requests and of responses share as text: their end, their lines, odd bytes in them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fragmend::transport::http {

/// Bytes of the head at the start of `received`, blank line included; nothing while it is
/// incomplete. `searched` bytes were looked at before.
std::optional<std::size_t> head_length(std::string_view received, std::size_t searched);

/// The line that starts at `at`, without its end.
std::string_view line_at(std::string_view text, std::size_t at);

/// Where a line goes on in the next one: behind CR LF, CR or LF and before a blank. Nobody writes
/// such lines any more but clients, and Swift stores what they write and sends it as it was.
std::optional<std::size_t> folded_line(std::string_view text);

/// Lines that go on in the next one joined by one blank each (RFC 9112, 5.2); all else as it was.
std::string unfolded(std::string_view text);

/// Metadata as Swift stores it, in a form that Beast reads: Swift's servers send names beyond ASCII
/// and control characters in values unchanged, and Beast refuses both. Each such byte becomes a
/// token character that no field we know has in its name, and no value we act on, so every offset
/// stays true and the value comes from the original. Line ends, blanks and the first line are as
/// they were.
std::string masked_head(std::string_view text);

}  // namespace fragmend::transport::http
