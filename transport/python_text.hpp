// Python's repr of text and bytes, for log lines that show what a peer said as Swift shows it.
#pragma once

#include <string>
#include <string_view>

namespace fragmend::transport {

/// `b'...'`: single quotes unless the bytes hold one and no double quote; \t \n \r \\ and \xNN.
std::string python_repr_bytes(std::string_view bytes);

/// `'...'` for ASCII, the form of `python_repr_bytes` for anything else: how Swift prints a line
/// that it tried to decode as ASCII. Source: swift.obj.ssync_sender.Sender.missing_check.
std::string python_repr(std::string_view bytes);

/// bytes.strip(): without ASCII white space at both ends.
std::string_view python_strip(std::string_view bytes);

}  // namespace fragmend::transport
