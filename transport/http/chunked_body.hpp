// A chunked HTTP body, from its bytes to its content.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"

namespace fragmend::transport::http {

/// Collects a small chunked body through Beast's parser, at any split of the incoming bytes.
/// Its place: below `read_body`. Not for an SSYNC answer, whose lines are wanted as they come:
/// that is `ChunkDecoder`. After an error it must not be fed again.
class ChunkedBody {
  public:
    /// The body may have `bytes_max`.
    explicit ChunkedBody(std::size_t bytes_max);
    ~ChunkedBody();

    /// Takes what it can of `input` and says how many bytes that were; the rest, at most
    /// `overhead_bytes_max`, comes again in front of the next ones. Not to be called once finished.
    /// Errors: protocol, limit (from a chunk's announced size on).
    Result<std::size_t> feed(ByteView input);

    /// The last chunk and its trailers are complete.
    bool finished() const;
    std::string take();

    /// Size line, extensions and trailers of one chunk.
    static constexpr std::size_t overhead_bytes_max = 4096;

  private:
    class Collector;
    std::unique_ptr<Collector> collector_;
};

}  // namespace fragmend::transport::http
