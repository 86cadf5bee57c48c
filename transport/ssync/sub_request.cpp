// Heads of sub-requests.
#include "transport/ssync/sub_request.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/python_text.hpp"

namespace fragmend::transport::ssync {
namespace {

bool breaks_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

Error bad(const SubRequest& request, std::string_view what) {
    return {errc::bad_metadata,
            request.method + " " + percent_quote(request.path) + ": " + std::string(what)};
}

}  // namespace

Result<void> check_sub_request(const SubRequest& request) {
    const bool is_put = request.method == "PUT";
    if (!is_put && request.method != "POST" && request.method != "DELETE") {
        return bad(request, "not a method of a sub-request");
    }
    if (!request.path.starts_with('/')) return bad(request, "not a path");
    if (!is_put && (request.body != nullptr || request.content_length != 0)) {
        return bad(request, "a body where there can be none");
    }
    if (is_put && request.body == nullptr && request.content_length != 0) {
        return bad(request, "no body");
    }
    if (request.headers.empty()) return bad(request, "no headers");
    for (const auto& [name, value] : request.headers) {
        if (name.empty() || breaks_line(name) || name.find(':') != std::string::npos ||
            breaks_line(value)) {
            return bad(request, "a header that breaks its line: " + python_repr_bytes(name));
        }
        if (equals_ignoring_case(name, "content-length")) return bad(request, "two lengths");
    }
    return {};
}

std::string sub_request_head(const SubRequest& request) {
    using Header = std::pair<std::string_view, std::string_view>;
    const std::string length = std::to_string(request.content_length);
    std::vector<Header> headers;
    headers.reserve(request.headers.size() + 1);
    for (const auto& [name, value] : request.headers)
        headers.emplace_back(name, value);
    if (request.method == "PUT") headers.emplace_back("Content-Length", length);
    std::stable_sort(headers.begin(), headers.end(),
                     [](const Header& a, const Header& b) { return a.first < b.first; });
    std::string head = request.method + " " + percent_quote(request.path) + "\r\n";
    for (const auto& [name, value] : headers) {
        head.append(name).append(": ").append(value).append("\r\n");
    }
    head += "\r\n";
    return head;
}

}  // namespace fragmend::transport::ssync
