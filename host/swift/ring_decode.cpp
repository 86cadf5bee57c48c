// From the bytes of a ring file to a ring.
#include "host/swift/ring_decode.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "host/swift/byte_cursor.hpp"

namespace fragmend::swift {
namespace {

constexpr std::string_view magic = "R1NG";

// Owns zlib's state; `ready` says whether it could be made.
class Inflater {
  public:
    Inflater() { ready_ = ::inflateInit2(&stream_, 32 + MAX_WBITS) == Z_OK; }
    ~Inflater() {
        if (ready_) ::inflateEnd(&stream_);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    bool ready() const { return ready_; }
    z_stream& stream() { return stream_; }

  private:
    z_stream stream_{};
    bool ready_ = false;
};

Result<RingParts> parse_ring(std::string_view unpacked, const RingLimits& limits) {
    ByteCursor cursor(unpacked);
    if (cursor.take(magic.size()) != magic) return parse_ring_v0(unpacked, limits);
    const auto version = cursor.number(2);
    if (!version) return bad_ring("the file ends inside its head");
    if (*version == 1) return parse_ring_v1(unpacked, limits);
    if (*version == 2) return parse_ring_v2(unpacked, limits);
    return bad_ring("Unknown ring format version " + std::to_string(*version));
}

}  // namespace

Result<std::string> gunzip(ByteView packed, std::size_t bytes_max) {
    constexpr std::size_t step_max = 1u << 20;
    Inflater inflater;
    if (!inflater.ready()) return bad_ring("zlib could not be set up");
    if (packed.size() > std::numeric_limits<uInt>::max()) return bad_ring("the file is too large");
    z_stream& stream = inflater.stream();
    // zlib's interface is not const-correct; it never writes to its input.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string out;
    int status = Z_OK;
    while (status == Z_OK) {
        const std::size_t have = out.size();
        if (have > bytes_max) return bad_ring("unpacks to more than the limit");
        const std::size_t step = std::clamp<std::size_t>(have, 4096, step_max);
        out.resize(have + step);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
        stream.avail_out = static_cast<uInt>(step);
        status = ::inflate(&stream, Z_NO_FLUSH);
        out.resize(out.size() - stream.avail_out);
    }
    // Z_BUF_ERROR means that the input ended before the stream did.
    if (status == Z_BUF_ERROR) return bad_ring("the gzip stream is cut");
    if (status != Z_STREAM_END) return bad_ring("the gzip stream is damaged");
    if (out.size() > bytes_max) return bad_ring("unpacks to more than the limit");
    return out;
}

Result<RingPtr> decode_ring(ByteView file, const RingLimits& limits) {
    const auto unpacked = gunzip(file, limits.unpacked_bytes_max);
    if (!unpacked) return unpacked.error();
    auto parts = parse_ring(*unpacked, limits);
    if (!parts) return parts.error();
    return Ring::make(std::move(*parts));
}

}  // namespace fragmend::swift
