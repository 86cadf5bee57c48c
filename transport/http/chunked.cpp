// Chunked transfer coding.
#include "transport/http/chunked.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace fragmend::transport::http {
namespace {

constexpr std::uint32_t size_digits_max = 12;       ///< 256 TiB a chunk; leading zeros count.
constexpr std::uint32_t overhead_bytes_max = 4096;  ///< Extensions, or trailers, of one chunk.

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Error malformed(std::string_view what) {
    return {errc::protocol, "malformed chunked body: " + std::string(what)};
}

}  // namespace

std::string chunk_head(std::size_t bytes) {
    std::array<char, 24> text;
    const auto printed = std::to_chars(text.data(), text.data() + text.size(), bytes, 16);
    std::string head(text.data(), printed.ptr);
    head += "\r\n";
    return head;
}

void append_chunk(std::string& out, std::string_view data) {
    FRAGMEND_ASSERT(!data.empty());
    out += chunk_head(data.size());
    out += data;
    out += "\r\n";
}

Result<ChunkDecoder::Step> ChunkDecoder::next(ByteView input) {
    FRAGMEND_ASSERT(!input.empty() && !finished());
    Step step;
    if (state_ == State::data) {
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
        left_ -= bytes;
        if (left_ == 0) state_ = State::data_cr;
        step.consumed = bytes;
        step.data = input.first(bytes);
        return step;
    }
    while (step.consumed < input.size() && state_ != State::data && state_ != State::finished) {
        auto taken = take(std::to_integer<char>(input[step.consumed]));
        if (taken.has_error()) return taken.error();
        ++step.consumed;
    }
    return step;
}

Result<void> ChunkDecoder::take(char c) {
    switch (state_) {
        case State::size:
            return take_size(c);
        case State::after_size:
            if (c == ';')
                state_ = State::extension;
            else if (c == '\r')
                state_ = State::size_line_end;
            else if (c == '\n')
                return end_size_line();
            else if (c != ' ' && c != '\t')
                return malformed("text after a chunk size");
            break;
        case State::extension:
            if (c == '\n') return end_size_line();
            break;
        case State::size_line_end:
            if (c != '\n') return malformed("a chunk size line that does not end");
            return end_size_line();
        default:
            return take_after_body(c);
    }
    if (++overhead_bytes_ > overhead_bytes_max) return malformed("an endless chunk size line");
    return {};
}

Result<void> ChunkDecoder::take_size(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        if (++size_digits_ > size_digits_max) return malformed("a chunk size that is too large");
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return {};
    }
    if (size_digits_ == 0) return malformed("no chunk size");
    state_ = State::after_size;
    return take(c);
}

Result<void> ChunkDecoder::end_size_line() {
    state_ = left_ == 0 ? State::trailer_start : State::data;
    size_digits_ = 0;
    overhead_bytes_ = 0;
    return {};
}

Result<void> ChunkDecoder::take_after_body(char c) {
    switch (state_) {
        case State::data_cr:
            if (c != '\r') return malformed("a chunk that is longer than it said");
            state_ = State::data_lf;
            return {};
        case State::data_lf:
            if (c != '\n') return malformed("a chunk that is longer than it said");
            state_ = State::size;
            return {};
        case State::trailer_start:
            if (c == '\n')
                state_ = State::finished;
            else
                state_ = c == '\r' ? State::last_lf : State::trailer;
            break;
        case State::trailer:
            if (c == '\n') state_ = State::trailer_start;
            break;
        case State::last_lf:
            if (c != '\n') return malformed("an end that does not end");
            state_ = State::finished;
            break;
        default:
            FRAGMEND_ASSERT(false);
    }
    if (++overhead_bytes_ > overhead_bytes_max) return malformed("endless trailers");
    return {};
}

}  // namespace fragmend::transport::http
