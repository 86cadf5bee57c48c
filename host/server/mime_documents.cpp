// Multipart bodies.
#include "host/server/mime_documents.hpp"

#include <algorithm>

#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

constexpr std::string_view head_end = "\r\n\r\n";

}  // namespace

void MimeDocuments::feed(ByteView input) {
    drop_handed_out();
    if (state_ != State::over) held_.append(as_text(input));
}

void MimeDocuments::drop_handed_out() {
    held_.erase(0, handed_out_);
    handed_out_ = 0;
}

MimeDocuments::Event MimeDocuments::next() {
    drop_handed_out();
    switch (state_) {
        case State::preamble:
            return take_preamble();
        case State::after_delimiter:
            return take_delimiter();
        case State::head:
            return take_head();
        case State::body:
            return take_body();
        case State::over:
            break;
    }
    return {};
}

MimeDocuments::Event MimeDocuments::take_preamble() {
    std::size_t blank = 0;
    while (std::string_view(held_).substr(blank).starts_with("\r\n\r\n"))
        blank += 2;
    held_.erase(0, blank);
    preamble_bytes_ += blank;
    if (preamble_bytes_ > preamble_bytes_max) return fail();
    if (held_.size() < delimiter_.size()) {
        const bool fits = std::string_view(delimiter_).starts_with(held_);
        return fits || held_ == "\r\n\r" ? Event{} : fail();
    }
    if (!held_.starts_with(delimiter_)) return fail();
    held_.erase(0, delimiter_.size());
    state_ = State::after_delimiter;
    return take_delimiter();
}

MimeDocuments::Event MimeDocuments::take_delimiter() {
    if (part_ended_) {
        part_ended_ = false;
        return {.kind = Kind::end, .headers = {}, .body = {}};
    }
    if (held_.size() < 2) return {};
    if (held_.starts_with("--")) {
        state_ = State::over;
        held_.clear();
        return {.kind = Kind::over, .headers = {}, .body = {}};
    }
    if (!held_.starts_with("\r\n")) return fail();
    held_.erase(0, 2);
    state_ = State::head;
    searched_ = 0;
    return take_head();
}

MimeDocuments::Event MimeDocuments::take_head() {
    const bool is_empty = held_.starts_with("\r\n");
    const auto end = is_empty ? 0 : held_.find(head_end, searched_);
    if (end == std::string::npos) {
        searched_ = held_.size() - std::min(held_.size(), head_end.size() - 1);
        return held_.size() > head_bytes_max ? fail() : Event{};
    }
    if (end > head_bytes_max) return fail();
    Event event{.kind = Kind::part, .headers = {}, .body = {}};
    std::string_view rest = std::string_view(held_).substr(0, end);
    for (std::size_t lines = 0; !rest.empty(); ++lines) {
        if (lines == head_lines_max) return fail();
        const auto line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(std::min(rest.size(), line.size() + 2));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) return fail();
        event.headers.add(swift::strip(line.substr(0, colon)),
                          swift::strip(line.substr(colon + 1)));
    }
    held_.erase(0, end + (is_empty ? 2 : 4));
    state_ = State::body;
    return event;
}

MimeDocuments::Event MimeDocuments::take_body() {
    const auto found = held_.find(delimiter_);
    if (found == 0) {
        held_.erase(0, delimiter_.size());
        state_ = State::after_delimiter;
        part_ended_ = true;
        return take_delimiter();
    }
    std::size_t safe = found;
    if (found == std::string::npos) {
        // What may turn out to be the beginning of a delimiter stays.
        const std::size_t kept = std::min(held_.size(), delimiter_.size() - 1);
        safe = held_.size() - kept;
        const auto start = held_.find('\r', safe);
        safe = start == std::string::npos ? held_.size() : start;
    }
    if (safe == 0) return {};
    handed_out_ = safe;
    return {.kind = Kind::body, .headers = {}, .body = as_bytes_view(held_).first(safe)};
}

}  // namespace fragmend::server
