// The text encodings that appear inside pickles and stored metadata.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fragmend::swift {

bool is_ascii(std::string_view text);
/// True for UTF-8 as Python's 'surrogatepass' reads it: well-formed, lone surrogates allowed.
bool is_utf8_or_surrogates(std::string_view text);
/// Protocol 0 text: Latin-1 with \uXXXX and \UXXXXXXXX.
std::optional<std::string> utf8_from_raw_unicode_escape(std::string_view text);
/// Protocol 0 byte strings: a quoted Python 2 repr.
std::optional<std::string> bytes_from_python_repr(std::string_view text);

/// Python's decode('utf8', 'surrogateescape') followed by encode('latin1'): the original bytes of a
/// WSGI string. Bytes that are not UTF-8 stay as they are, and so do code points above U+00FF.
std::string wire_bytes_from_stored(std::string_view stored);

}  // namespace fragmend::swift
