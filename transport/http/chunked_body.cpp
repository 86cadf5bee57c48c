// Chunked bodies through Beast's parser.
#include "transport/http/chunked_body.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <string_view>
#include <utility>

namespace fragmend::transport::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

/// Beast's parser reads a body only behind a head; ours was taken and checked long before.
constexpr std::string_view head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A last chunk; no unfinished body has fewer bytes to come.
constexpr std::size_t last_chunk_bytes = 5;

}  // namespace

class ChunkedBody::Collector final : public beast::http::basic_parser<false> {
  public:
    explicit Collector(std::size_t bytes_max) {
        body_limit(bytes_max);
        error_code code;
        put(boost::asio::buffer(head.data(), head.size()), code);
        FRAGMEND_ASSERT(!code && chunked());
        eager(true);
    }

    std::string body;

  private:
    using Text = beast::string_view;

    std::size_t on_chunk_body_impl(std::uint64_t, Text data, error_code&) override {
        body.append(data.data(), data.size());
        return data.size();
    }
    void on_request_impl(beast::http::verb, Text, Text, int, error_code&) override {}
    void on_response_impl(int, Text, int, error_code&) override {}
    void on_field_impl(beast::http::field, Text, Text, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(Text, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
    void on_finish_impl(error_code&) override {}
};

ChunkedBody::ChunkedBody(std::size_t bytes_max)
    : collector_(std::make_unique<Collector>(bytes_max)) {}
ChunkedBody::~ChunkedBody() = default;

Result<std::size_t> ChunkedBody::feed(ByteView input) {
    FRAGMEND_ASSERT(!finished());
    // Beast 1.81 asserts that five bytes are there when it comes back to a last chunk that was cut
    // off: bytes that trickle in must not end the process.
    if (input.size() < last_chunk_bytes) return std::size_t{0};
    error_code code;
    const auto consumed = collector_->put(boost::asio::buffer(input.data(), input.size()), code);
    if (code == beast::http::error::body_limit) {
        return Error{errc::limit, "a response body that is longer than its limit"};
    }
    if (code && code != beast::http::error::need_more) {
        return Error{errc::protocol, "malformed chunked body: " + code.message()};
    }
    if (input.size() - consumed > overhead_bytes_max && !finished()) {
        return Error{errc::protocol, "malformed chunked body: an endless line or trailer"};
    }
    return consumed;
}

bool ChunkedBody::finished() const {
    return collector_->is_done();
}

std::string ChunkedBody::take() {
    return std::move(collector_->body);
}

}  // namespace fragmend::transport::http
