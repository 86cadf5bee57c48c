// The head of a request that a server received: method, target, fields, and how its body is framed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::transport::http {

/// Bounds of a request head. Swift's servers stop at 8 KiB a line and 64 KiB in all.
inline constexpr std::size_t request_head_bytes_max = 64 * 1024;
inline constexpr std::size_t request_line_bytes_max = 8 * 1024;
inline constexpr std::size_t request_fields_max = 1000;

/// One parsed request head. Owns its text. Values keep their bytes, as in `ResponseHead`.
class RequestHead {
  public:
    /// Parses one whole head, blank line included. A field that goes on in the next line, as
    /// Swift's proxies let those of clients, is joined by a blank. `header_line_bytes_max` is for
    /// the lines behind the first. Errors: protocol for what is no request head of HTTP/1.0 or 1.1;
    /// limit for a line or a number of fields beyond the bounds.
    static Result<RequestHead> parse(std::string_view head,
                                     std::size_t header_line_bytes_max = request_line_bytes_max);

    std::string_view method() const { return method_; }
    /// As it came: quoted, with a query if there is one.
    std::string_view target() const { return target_; }
    /// The part of the target before the query, unquoted.
    std::string path() const;

    /// The first field of this name, ASCII case ignored.
    std::optional<std::string_view> find(std::string_view name) const;
    std::size_t field_count() const { return fields_.size(); }
    /// Name and value of one field, as they came, by position.
    std::pair<std::string_view, std::string_view> field(std::size_t position) const;

    std::optional<std::uint64_t> content_length() const { return content_length_; }
    bool chunked() const { return chunked_; }
    bool has_body() const { return chunked_ || content_length_.value_or(0) > 0; }
    bool is_http_1_1() const { return is_http_1_1_; }
    /// The client wants to go on with this connection.
    bool keeps_alive() const { return keeps_alive_; }
    bool expects_continue() const { return expects_continue_; }

  private:
    struct Field {
        std::uint32_t name_at, name_bytes, value_at, value_bytes;
    };
    class Collector;

    std::string text_;
    std::string method_;
    std::string target_;
    std::vector<Field> fields_;
    bool is_http_1_1_ = false;
    bool keeps_alive_ = false;
    bool chunked_ = false;
    bool expects_continue_ = false;
    std::optional<std::uint64_t> content_length_;
};

}  // namespace fragmend::transport::http
