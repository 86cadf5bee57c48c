// Request heads through Beast's parser.
#include "transport/http/request_head.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "host/base/bytes.hpp"
#include "transport/http/head_text.hpp"

namespace fragmend::transport::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

Error malformed(std::string_view what) {
    return {errc::protocol, std::string(what)};
}

/// True when a line, its end left out, is longer than its bound.
bool has_long_line(std::string_view text, std::size_t header_line_bytes_max) {
    std::size_t most = request_line_bytes_max;
    for (std::size_t at = 0; at < text.size(); most = header_line_bytes_max) {
        const auto end = std::min(text.find('\n', at), text.size());
        if (end - at > most) return true;
        at = end + 1;
    }
    return false;
}

/// Beast's iequals looks one byte past the end of what it compares.
bool is_in_any_case(std::string_view name, std::string_view lower) {
    const auto to_lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(name, lower, {}, to_lower);
}

/// Whether a line begins as a field that says where the body ends, and when.
bool begins_as_framing(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const auto name = line.substr(0, line.find_first_of(": \t"));
    return is_in_any_case(name, "content-length") || is_in_any_case(name, "transfer-encoding") ||
           is_in_any_case(name, "connection") || is_in_any_case(name, "expect");
}

/// The head with its folded fields joined. What frames a body may neither be folded nor stand
/// behind a fold: those before us may have taken it differently.
Result<std::string> unfolded_head(std::string_view head) {
    const auto refused = [] { return malformed("a header line that goes on in the next one"); };
    const auto fields_at = std::min(head.find('\n'), head.size() - 1) + 1;
    const auto fields = head.substr(fields_at);
    if (folded_line(head.substr(0, fields_at + 1))) return refused();
    bool is_framing = false;
    for (std::size_t at = 0; at < fields.size();) {
        const auto line = line_at(fields, at);
        if (folded_line(line)) return refused();  // Behind a CR of its own.
        const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
        if (goes_on && (is_framing || begins_as_framing(line))) return refused();
        if (!goes_on) is_framing = begins_as_framing(line);
        at = std::min(fields.find('\n', at), fields.size() - 1) + 1;
    }
    auto text = std::string(head.substr(0, fields_at)) + unfolded(fields);
    if (folded_line(text)) return refused();
    return text;
}

}  // namespace

/// What Beast finds in a head, checked where Beast is more liberal than we are: what two servers
/// may frame differently is refused.
class RequestHead::Collector final : public beast::http::basic_parser<true> {
  public:
    /// `text` is what is parsed and outlives the collector.
    Collector(RequestHead& head, std::string_view text) : head_(head), text_(text) {
        header_limit(static_cast<std::uint32_t>(request_head_bytes_max));
        body_limit(boost::none);  // A body has its own limit, from whoever reads it.
    }

    Result<void> parse() {
        error_code code;
        put(boost::asio::buffer(text_.data(), text_.size()), code);
        if (code) return failure(code);
        head_.chunked_ = chunked();
        if (const auto length = content_length()) head_.content_length_ = *length;
        head_.keeps_alive_ = keep_alive();
        return {};
    }
    /// Bytes stand where Beast's grammar has none; it may be metadata.
    bool met_odd_bytes() const { return odd_bytes_; }

  private:
    using Kind = beast::http::error;
    using Text = beast::string_view;

    void on_request_impl(beast::http::verb, Text method, Text target, int version,
                         error_code& error) override {
        if (version != 10 && version != 11) error = Kind::bad_version;
        head_.method_.assign(method.data(), method.size());
        head_.target_.assign(target.data(), target.size());
        head_.is_http_1_1_ = version == 11;
    }
    void on_response_impl(int, Text, int, error_code&) override {}

    void on_field_impl(beast::http::field field, Text name, Text value,
                       error_code& error) override {
        if (head_.fields_.size() == request_fields_max) return refuse(errc::limit, error);
        if (field == beast::http::field::content_length) {
            // Beast takes a list of equal lengths, and two equal fields, for one length.
            if (value.find(',') != Text::npos || has_length_) return refuse(errc::protocol, error);
            has_length_ = true;
        } else if (field == beast::http::field::transfer_encoding &&
                   !beast::iequals(value, "chunked")) {
            // Beast ignores other codings, which would make the coded bytes the body.
            return refuse(errc::protocol, error);
        } else if (field == beast::http::field::expect && beast::iequals(value, "100-continue")) {
            head_.expects_continue_ = true;
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

    void refuse(errc why, error_code& error) {
        refused_ = why;
        error = Kind::bad_content_length;
    }

    Error failure(const error_code& code) {
        if (refused_ == errc::limit) return {errc::limit, "too many header lines"};
        odd_bytes_ = code == Kind::bad_field || code == Kind::bad_value;
        return malformed("a request head that is none: " + code.message());
    }

    RequestHead& head_;
    std::string_view text_;
    errc refused_ = errc::internal;
    bool has_length_ = false;
    bool odd_bytes_ = false;
};

Result<RequestHead> RequestHead::parse(std::string_view head, std::size_t header_line_bytes_max) {
    if (head.size() > request_head_bytes_max || has_long_line(head, header_line_bytes_max)) {
        return Error{errc::limit, "a request head that is too long"};
    }
    RequestHead result;
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
        std::string text = std::move(result.text_);
        result = RequestHead();
        result.text_ = std::move(text);
        const std::string readable = masked_head(result.text_);
        parsed = Collector(result, readable).parse();
    }
    if (parsed.has_error()) return parsed.error();
    return result;
}

std::string RequestHead::path() const {
    return percent_unquote(std::string_view(target_).substr(0, target_.find('?')));
}

std::pair<std::string_view, std::string_view> RequestHead::field(std::size_t position) const {
    const Field& field = fields_[position];
    const std::string_view text = text_;
    return {text.substr(field.name_at, field.name_bytes),
            text.substr(field.value_at, field.value_bytes)};
}

std::optional<std::string_view> RequestHead::find(std::string_view name) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const auto [found, value] = field(i);
        if (beast::iequals(found, name)) return value;
    }
    return std::nullopt;
}

}  // namespace fragmend::transport::http
