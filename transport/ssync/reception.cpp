// What a sender says.
#include "transport/ssync/reception.hpp"

#include <algorithm>

#include "transport/python_text.hpp"
#include "transport/ssync/missing_check.hpp"

namespace fragmend::transport::ssync {
namespace {

constexpr std::size_t quoted_bytes_max = 1024;

}  // namespace

std::string_view Reception::stage() const {
    switch (state_) {
        case State::missing_start:
            return "missing_check start";
        case State::offers:
            return "missing_check line";
        case State::updates_start:
            return "updates start";
        case State::body:
            return "updates content";
        default:
            return "updates line";
    }
}

bool Reception::take_line(ByteView& input) {
    if (line_whole_) line_.clear();
    const auto text = as_text(input);
    const auto end = text.find('\n');
    line_whole_ = end != std::string_view::npos;
    const std::size_t bytes = line_whole_ ? end + 1 : text.size();
    line_.append(text.substr(0, bytes));
    input = input.subspan(bytes);
    return line_whole_;
}

Reception::Event Reception::next(ByteView& input) {
    FRAGMEND_ASSERT(state_ != State::over);
    if (state_ == State::body_over) {
        state_ = State::updates;
        return {.kind = Kind::request_end, .offer = {}, .request = {}, .body = {}};
    }
    while (!input.empty()) {
        if (state_ == State::body) {
            const auto bytes =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
            Event event{.kind = Kind::body, .offer = {}, .request = {}, .body = input.first(bytes)};
            input = input.subspan(bytes);
            left_ -= bytes;
            if (left_ == 0) state_ = State::body_over;
            return event;
        }
        const bool whole = take_line(input);
        if (line_.size() > line_bytes_max_) {
            return fail({errc::limit, "a line that is longer than " +
                                          std::to_string(line_bytes_max_) + " bytes"});
        }
        if (!whole) break;
        Event event = take(line_);
        if (event.kind != Kind::more) return event;
    }
    return {};
}

Reception::Event Reception::take(std::string_view raw) {
    const auto line = python_strip(raw);
    switch (state_) {
        case State::missing_start:
            return expect_start(raw, missing_check_start, State::offers);
        case State::offers:
            return take_offer(line);
        case State::updates_start:
            return expect_start(raw, updates_start_line, State::updates);
        case State::updates:
            if (line == updates_end_line) {
                state_ = State::over;
                return {.kind = Kind::updates_end, .offer = {}, .request = {}, .body = {}};
            }
            state_ = State::head;
            return take_head_line(line);
        default:
            return take_head_line(line);
    }
}

Reception::Event Reception::expect_start(std::string_view raw, std::string_view start, State then) {
    if (python_strip(raw) == start) {
        state_ = then;
        return {};
    }
    return fail({errc::protocol, "Looking for " + std::string(start) + " got " +
                                     python_repr_bytes(raw.substr(0, quoted_bytes_max))});
}

Reception::Event Reception::take_offer(std::string_view line) {
    if (line == missing_check_end) {
        state_ = State::updates_start;
        return {.kind = Kind::offers_end, .offer = {}, .request = {}, .body = {}};
    }
    if (offers_ == offers_max_) {
        return fail({errc::limit, "more than " + std::to_string(offers_max_) + " offers"});
    }
    ++offers_;
    auto offer = decode_missing(line);
    if (offer.has_error()) return fail(offer.error());
    return {.kind = Kind::offer, .offer = std::move(*offer), .request = {}, .body = {}};
}

Reception::Event Reception::take_head_line(std::string_view line) {
    auto complete = head_.take(line);
    if (complete.has_error()) return fail(complete.error());
    request_name_ = head_.name();
    if (!*complete) return {};
    Event event{.kind = Kind::request, .offer = {}, .request = head_.release(), .body = {}};
    left_ = event.request.content_length;
    state_ = left_ > 0 ? State::body : State::body_over;
    return event;
}

Reception::Event Reception::end() {
    switch (state_) {
        case State::head:
            return fail({errc::protocol, "Got no headers for " + request_name_});
        case State::body:
            return fail({errc::disconnected, "Early termination for " + request_name_});
        default:
            state_ = State::over;
            return {.kind = Kind::hung_up, .offer = {}, .request = {}, .body = {}};
    }
}

Reception::Event Reception::fail(Error error) {
    state_ = State::over;
    error_ = std::move(error);
    return {.kind = Kind::failed, .offer = {}, .request = {}, .body = {}};
}

}  // namespace fragmend::transport::ssync
