// The parts of a proxy's multipart PUT body: object, footer, commit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "host/server/header_map.hpp"
#include "transport/http/request_head.hpp"

namespace fragmend::server {

/// Takes a body apart at any split of its bytes. Sans-I/O; after `failed` it must not be fed again.
/// Source: swift.common.utils.iter_multipart_mime_documents.
class MimeDocuments {
  public:
    enum class Kind : std::uint8_t {
        more,    ///< All input is used up.
        part,    ///< A part begins; its headers.
        body,    ///< Some of its body.
        end,     ///< The part is complete.
        over,    ///< The last part is complete; what follows is ignored.
        failed,  ///< No multipart body with this boundary, or beyond its bounds.
    };
    struct Event {
        Kind kind = Kind::more;
        HeaderMap headers;
        ByteView body;  ///< Valid until the next call.
    };
    static constexpr std::size_t head_bytes_max = 64 * 1024;
    static constexpr std::size_t head_lines_max = transport::http::request_fields_max;
    /// Empty lines before the first boundary.
    static constexpr std::size_t preamble_bytes_max = 64 * 1024;

    explicit MimeDocuments(std::string_view boundary)
        : delimiter_("\r\n--" + std::string(boundary)), held_("\r\n") {}

    /// Takes all of `input`, then gives one event after another until `more`.
    void feed(ByteView input);
    Event next();
    /// The part is complete as soon as the body ends, whether or not its delimiter came.
    bool in_body() const { return state_ == State::body; }

  private:
    enum class State : std::uint8_t { preamble, after_delimiter, head, body, over };
    void drop_handed_out();
    Event take_preamble();
    Event take_delimiter();
    Event take_head();
    Event take_body();
    Event fail() {
        state_ = State::over;
        return {.kind = Kind::failed, .headers = {}, .body = {}};
    }

    std::string delimiter_;
    std::string held_;  ///< Not yet understood; begins as if a line had just ended.
    std::size_t handed_out_ = 0;
    std::size_t searched_ = 0;  ///< Of `held_`: no end of a head begins in there.
    std::size_t preamble_bytes_ = 0;
    State state_ = State::preamble;
    bool part_ended_ = false;
};

}  // namespace fragmend::server
