// The head of an HTTP response: status, fields, and how its body is framed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::transport::http {

/// No more than this is read while looking for the end of a head. Swift's own limit for a request
/// is 8 KiB a line and 90 + 4 KiB of metadata; a head of an object stays well below.
inline constexpr std::size_t head_bytes_max = 64 * 1024;

/// One parsed response head. Owns its text, so it may travel while the connection's buffer moves
/// on. Values keep their bytes, but are joined where they go on in the next line.
class ResponseHead {
  public:
    /// Bytes of the head at the start of `received`, blank line included; nothing while it is
    /// incomplete. `searched` bytes were looked at before.
    static std::optional<std::size_t> length(std::string_view received, std::size_t searched = 0);

    /// Parses one whole head, blank line included, with lines that end in CR LF. Field names may be
    /// any UTF-8 and values any bytes, folded ones too, as Swift's metadata; otherwise strict.
    /// Errors: protocol (no HTTP/1.x status line, a 1xx, a line that is no field, a folded line
    /// about the body's framing, contradicting lengths, a transfer coding other than chunked).
    static Result<ResponseHead> parse(std::string_view head);

    int status() const { return status_; }
    /// The first field of this name, ASCII case ignored.
    std::optional<std::string_view> find(std::string_view name) const;

    std::optional<std::uint64_t> content_length() const { return content_length_; }
    bool chunked() const { return chunked_; }
    /// Gives the text back: from now on no field is found, and what is known of the body stays.
    void forget_fields() {
        text_ = std::string();
        fields_ = std::vector<Field>();
    }

    /// The connection may carry another request after the body: the body has an end of its own and
    /// the server did not say that it closes.
    bool keeps_alive() const { return keeps_alive_ && (chunked_ || content_length_.has_value()); }

  private:
    struct Field {
        std::uint32_t name_at, name_bytes, value_at, value_bytes;
    };
    class Collector;
    std::string_view name_of(const Field& field) const;
    std::string_view value_of(const Field& field) const;

    std::string text_;
    std::vector<Field> fields_;
    int status_ = 0;
    bool keeps_alive_ = false;
    bool chunked_ = false;
    std::optional<std::uint64_t> content_length_;
};

}  // namespace fragmend::transport::http
