// Chunked transfer coding: an encoder, and a decoder that trusts nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"

namespace fragmend::transport::http {

/// The chunk that ends a body.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// `<hex length>\r\n`, lower case, as Swift writes it.
std::string chunk_head(std::size_t bytes);

/// Appends `data` as one chunk. `data` is not empty: an empty chunk would end the body.
void append_chunk(std::string& out, std::string_view data);

/// Takes a chunked body apart, at any split of the incoming bytes.
/// Its place: below the lines of an SSYNC answer and below chunked HTTP bodies. Sans-I/O; holds no
/// data, only its position. After an error it must not be fed again: the connection is lost.
class ChunkDecoder {
  public:
    struct Step {
        std::size_t consumed = 0;  ///< Bytes of the input that are done with, at least one.
        ByteView data;             ///< Body bytes among them, possibly none; a view of the input.
    };

    /// Takes the next step through `input`, which is not empty; not to be called once finished.
    /// Extensions after `;` are skipped, trailers too; both are bounded. Errors: protocol.
    Result<Step> next(ByteView input);

    /// The last chunk and its trailers are complete.
    bool finished() const { return state_ == State::finished; }

  private:
    enum class State : std::uint8_t {
        size,
        after_size,
        extension,
        size_line_end,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer,
        last_lf,
        finished
    };
    Result<void> take(char c);
    Result<void> take_size(char c);
    Result<void> end_size_line();
    Result<void> take_after_body(char c);

    State state_ = State::size;
    std::uint64_t left_ = 0;
    std::uint32_t size_digits_ = 0;
    std::uint32_t overhead_bytes_ = 0;
};

}  // namespace fragmend::transport::http
