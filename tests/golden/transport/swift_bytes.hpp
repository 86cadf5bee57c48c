// Bytes that Swift sends; written by generate.py.
#pragma once

#include <string_view>

namespace fragmend::golden {

inline constexpr std::string_view get_head(
    "GET /sd%20b/17/a/c/o%C3%A9%20~1%25%3F HTTP/1.1\r\n"
    "Host: 127.0.0.1:6210\r\n"
    "Accept-Encoding: identity\r\n"
    "Content-Length: 0\r\n"
    "user-agent: obj-reconstructor 4711\r\n"
    "X-Backend-Storage-Policy-Index: 1\r\n"
    "X-Backend-Replication: True\r\n"
    "X-Backend-Fragment-Preferences: [{\"timestamp\": \"1795333043.19771_00000000000000ff\", "
    "\"exclude\": []}]\r\n"
    "\r\n"
    "", 319);

inline constexpr std::string_view replicate_head(
    "REPLICATE /sdb/17 HTTP/1.1\r\n"
    "Host: [::1]:6210\r\n"
    "Accept-Encoding: identity\r\n"
    "Content-Length: 0\r\n"
    "user-agent: obj-reconstructor 4711\r\n"
    "X-Backend-Storage-Policy-Index: 1\r\n"
    "\r\n"
    "", 165);

inline constexpr std::string_view ssync_head(
    "SSYNC /sdb/17 HTTP/1.1\r\n"
    "Host: 127.0.0.1:6210\r\n"
    "Accept-Encoding: identity\r\n"
    "Transfer-Encoding: chunked\r\n"
    "X-Backend-Storage-Policy-Index: 1\r\n"
    "X-Backend-Ssync-Frag-Index: 2\r\n"
    "X-Backend-Ssync-Node-Index: 2\r\n"
    "\r\n"
    "", 200);

inline constexpr std::string_view sub_requests(
    "f6\r\n"
    "PUT /a/c/o%C3%A9%201\r\n"
    "Content-Length: 5\r\n"
    "Content-Type: text/plain\r\n"
    "ETag: d41d8cd98f00b204e9800998ecf8427e\r\n"
    "X-Backend-No-Commit: True\r\n"
    "X-Object-Meta-B2: up\r\n"
    "X-Object-Meta-b: low\r\n"
    "X-Object-Sysmeta-Ec-Frag-Index: 2\r\n"
    "X-Timestamp: 1795333043.19771\r\n"
    "\r\n"
    "\r\n"
    "3\r\n"
    "abc\r\n"
    "2\r\n"
    "de\r\n"
    "52\r\n"
    "POST /a/c/o%C3%A9%201\r\n"
    "X-Object-Meta-Color: red\r\n"
    "X-Timestamp: 1795333053.19771\r\n"
    "\r\n"
    "\r\n"
    "33\r\n"
    "DELETE /a/c/gone\r\n"
    "X-Timestamp: 1795333043.19771\r\n"
    "\r\n"
    "\r\n"
    "", 412);

inline constexpr std::string_view offers(
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494\n"
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494\n"
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494 m:f4240\n"
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494 m:f4240,t:7a120\n"
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494 m:f4240,t:7a120,durable:False\n"
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494 m:-5e,durable:False\n"
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494 durable:False\n"
    "461a6a9351174f3dc7e7ab432e03ca29 1795332145.61494_000000000000000a\n"
    "", 505);

inline constexpr std::string_view reprs(
    "b'plain'\n"
    "b\"it's\"\n"
    "b'it\\'s \"both\"'\n"
    "b'say \"hi\"'\n"
    "b'tab\\tcr\\rlf\\n\\\\ \\x00\\x7f'\n"
    "b'\\xc3\\xa9'\n"
    "", 85);

}  // namespace fragmend::golden
