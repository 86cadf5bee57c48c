// Lines out of bytes.
#include "transport/ssync/line_reader.hpp"

#include "transport/python_text.hpp"

namespace fragmend::transport::ssync {

std::optional<std::string_view> LineReader::next() {
    const auto end = held_.find('\n', searched_);
    const std::size_t left = held_.size() - at_;
    if (end == std::string::npos && left < line_bytes_max_) {
        held_.erase(0, at_);
        at_ = 0;
        searched_ = held_.size();
        return std::nullopt;
    }
    std::size_t bytes = end == std::string::npos ? left : end + 1 - at_;
    if (bytes > line_bytes_max_) bytes = line_bytes_max_;
    const auto line = python_strip(std::string_view(held_).substr(at_, bytes));
    at_ += bytes;
    searched_ = at_;
    return line;
}

}  // namespace fragmend::transport::ssync
