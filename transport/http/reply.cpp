// Heads of answers.
#include "transport/http/reply.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace fragmend::transport::http {
namespace {

constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t raw_per_second = 100000;

bool breaks_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace

void throw_exception_from_error(const Reply& reply, const boost::source_location&) {
    throw std::runtime_error(std::to_string(reply.status) + " " + reply.body);
}

std::string_view reason_of(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Request Entity Too Large";
        case 414:
            return "Request URI Too Long";
        case 416:
            return "Requested Range Not Satisfiable";
        case 422:
            return "Unprocessable Entity";
        case 499:
            return "Client Disconnect";
        case 500:
            return "Internal Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 507:
            return "Insufficient Storage";
        default:
            return "Unknown";
    }
}

std::string http_date(const Timestamp& time) {
    const std::time_t seconds = time.raw / raw_per_second;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[48];
    const int length =
        std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                      days[static_cast<std::size_t>(parts.tm_wday)].data(), parts.tm_mday,
                      months[static_cast<std::size_t>(parts.tm_mon)].data(), parts.tm_year + 1900,
                      parts.tm_hour, parts.tm_min, parts.tm_sec);
    return std::string(text, static_cast<std::size_t>(length));
}

std::string reply_head(const Reply& reply, Framing framing, std::uint64_t content_length,
                       bool keep_alive, const Timestamp& now) {
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
    head += reason_of(reply.status);
    head += "\r\n";
    for (const auto& [name, value] : reply.fields) {
        if (breaks_line(name) || breaks_line(value)) continue;
        head.append(name).append(": ").append(value).append("\r\n");
    }
    if (framing == Framing::counted) {
        head += "Content-Length: " + std::to_string(content_length) + "\r\n";
    } else if (framing == Framing::chunked) {
        head += "Transfer-Encoding: chunked\r\n";
    }
    head += "Date: " + http_date(now) + "\r\n";
    if (!keep_alive) head += "Connection: close\r\n";
    head += "\r\n";
    return head;
}

}  // namespace fragmend::transport::http
