// Response heads through Beast's parser.
#include "transport/http/response_head.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <utility>

#include "host/base/bytes.hpp"
#include "transport/http/head_text.hpp"
#include "transport/python_text.hpp"

namespace fragmend::transport::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::size_t fields_max = 1000;

Error malformed(std::string_view what) {
    return {errc::protocol, std::string(what)};
}

Error no_field(std::string_view line) {
    return malformed("a header line that is no field: " + python_repr_bytes(line.substr(0, 64)));
}

bool is_about_framing(std::string_view name) {
    return beast::iequals(name, "Content-Length") || beast::iequals(name, "Transfer-Encoding") ||
           beast::iequals(name, "Connection");
}

/// Metadata may go on in the next line; the status and what frames the body may not, for nobody
/// stores those, and two readers may take them differently.
Result<std::string> unfolded_head(std::string_view head) {
    const auto fields_at = std::min(head.find('\n'), head.size() - 1) + 1;
    if (folded_line(head.substr(fields_at - 1, 2))) return no_field(line_at(head, fields_at));
    for (auto at = fields_at, next = at; at < head.size(); at = next) {
        next = std::min(head.find('\n', at), head.size() - 1) + 1;
        const auto line = head.substr(at, next + 1 - at);  // And whether it goes on.
        if (is_about_framing(line.substr(0, line.find(':'))) && folded_line(line))
            return no_field(line_at(head, at));
    }
    return std::string(head.substr(0, fields_at)) + unfolded(head.substr(fields_at));
}

}  // namespace

/// What Beast finds in a head, checked where Beast is more liberal than we are. The fields are
/// noted by offset: nothing is allocated a field.
class ResponseHead::Collector final : public beast::http::basic_parser<false> {
  public:
    /// `text` is what is parsed and outlives the collector.
    Collector(ResponseHead& head, std::string_view text) : head_(head), text_(text) {
        header_limit(static_cast<std::uint32_t>(head_bytes_max));
        body_limit(boost::none);  // A body has its own limit, from whoever reads it.
    }

    Result<void> parse() {
        error_code code;
        const auto consumed = put(boost::asio::buffer(text_.data(), text_.size()), code);
        if (code) return failure(code, consumed);
        return find_framing();
    }
    /// Bytes stand where Beast's grammar has none; it may be metadata.
    bool met_odd_bytes() const { return odd_bytes_; }

  private:
    using Kind = beast::http::error;
    using Text = beast::string_view;

    void on_request_impl(beast::http::verb, Text, Text, int, error_code&) override {}
    void on_response_impl(int code, Text /*reason*/, int version, error_code& error) override {
        if (code < 200 || code > 599) error = Kind::bad_status;
        head_.status_ = code;
        is_http_1_1_ = version == 11;
        in_fields_ = true;
    }

    void on_field_impl(beast::http::field field, Text name, Text value,
                       error_code& error) override {
        if (head_.fields_.size() == fields_max) return refuse("too many header lines", error);
        if (field == beast::http::field::content_length) {
            // Beast takes a list of equal lengths for one length.
            if (value.find(',') != Text::npos) return refuse("contradicting Content-Length", error);
            has_length_ = true;
        } else if (field == beast::http::field::transfer_encoding &&
                   !beast::iequals(value, "chunked")) {
            // Beast ignores other codings, which would make the coded bytes the body.
            return refuse("unknown Transfer-Encoding", error);
        }
        const auto value_at = value.empty() ? 0 : value.data() - text_.data();
        head_.fields_.push_back({static_cast<std::uint32_t>(name.data() - text_.data()),
                                 static_cast<std::uint32_t>(name.size()),
                                 static_cast<std::uint32_t>(value_at),
                                 static_cast<std::uint32_t>(value.size())});
    }

    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(Text, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    void refuse(std::string_view why, error_code& error) {
        refused_ = why;
        error = Kind::bad_value;
    }

    Error failure(const error_code& code, std::size_t consumed) {
        if (!in_fields_) {
            return malformed("BadStatusLine: " + std::string(line_at(text_, 0).substr(0, 64)));
        }
        if (!refused_.empty()) return malformed(refused_);
        if (code == Kind::need_more) return malformed("a response head without its end");
        if (code == Kind::bad_content_length || code == Kind::multiple_content_length) {
            return malformed(chunked() ? both_lengths : "contradicting Content-Length");
        }
        if (code == Kind::bad_transfer_encoding) {
            return malformed(has_length_ ? both_lengths : "unknown Transfer-Encoding");
        }
        odd_bytes_ = code == Kind::bad_field || code == Kind::bad_value;
        return no_field(line_at(head_.text_, consumed));
    }

    Result<void> find_framing() {
        head_.chunked_ = chunked();
        if (const auto length = content_length()) head_.content_length_ = *length;
        if (head_.status_ == 204 || head_.status_ == 304) {
            if (head_.chunked_) return malformed("a chunked body where there can be none");
            head_.content_length_ = 0;
        }
        // HTTP/1.0 with keep-alive is no promise that we need.
        head_.keeps_alive_ = is_http_1_1_ && keep_alive();
        return {};
    }

    static constexpr std::string_view both_lengths = "both Content-Length and Transfer-Encoding";

    ResponseHead& head_;
    std::string_view text_;
    std::string_view refused_;
    bool is_http_1_1_ = false;
    bool in_fields_ = false;
    bool has_length_ = false;
    bool odd_bytes_ = false;
};

std::optional<std::size_t> ResponseHead::length(std::string_view received, std::size_t searched) {
    return head_length(received, searched);
}

Result<ResponseHead> ResponseHead::parse(std::string_view head) {
    if (head.size() > head_bytes_max) return malformed("a response head that is too long");
    ResponseHead result;
    if (folded_line(head)) {
        auto text = unfolded_head(head);
        if (text.has_error()) return text.error();
        result.text_ = std::move(*text);
    } else {
        result.text_.assign(head);
    }
    result.fields_.reserve(24);
    Collector collector(result, result.text_);
    auto parsed = collector.parse();
    if (parsed.has_error() && collector.met_odd_bytes()) {
        result.fields_.clear();
        const std::string readable = masked_head(result.text_);
        parsed = Collector(result, readable).parse();
    }
    if (parsed.has_error()) return parsed.error();
    return result;
}

std::string_view ResponseHead::name_of(const Field& field) const {
    return std::string_view(text_).substr(field.name_at, field.name_bytes);
}

std::string_view ResponseHead::value_of(const Field& field) const {
    return std::string_view(text_).substr(field.value_at, field.value_bytes);
}

std::optional<std::string_view> ResponseHead::find(std::string_view name) const {
    for (const Field& field : fields_) {
        if (beast::iequals(name_of(field), name)) return value_of(field);
    }
    return std::nullopt;
}

}  // namespace fragmend::transport::http
