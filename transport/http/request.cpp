// Request heads.
#include "transport/http/request.hpp"

#include <algorithm>

#include "host/base/bytes.hpp"

namespace fragmend::transport::http {
namespace {

constexpr std::uint16_t default_port = 80;

/// Everything that GET and REPLICATE share; the caller adds what is special and the blank line.
std::string bodiless_head(std::string_view method, std::string_view quoted_path, const Peer& peer,
                          std::string_view user_agent, int policy_index) {
    std::string head;
    head.reserve(512);
    head.append(method).append(" ").append(quoted_path).append(" HTTP/1.1\r\nHost: ");
    head += host_header(peer);
    head += "\r\nAccept-Encoding: identity\r\nContent-Length: 0\r\nuser-agent: ";
    head += user_agent;
    head += "\r\nX-Backend-Storage-Policy-Index: ";
    head += std::to_string(policy_index);
    head += "\r\n";
    return head;
}

bool fits_request_line(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto value = static_cast<unsigned char>(c);
        return value > 0x20 && value < 0x7f;
    });
}

}  // namespace

std::string host_header(const Peer& peer) {
    const bool is_v6 = peer.host.find(':') != std::string::npos;
    std::string text = is_v6 ? "[" + peer.host + "]" : peer.host;
    if (peer.port != default_port) text += ":" + std::to_string(peer.port);
    return text;
}

std::string get_head(const Peer& peer, std::string_view user_agent, std::string_view device,
                     std::string_view partition, std::string_view quoted_path, int policy_index,
                     const Timestamp& preferred, Verifies verifies) {
    std::string path = "/" + percent_quote(device) + "/" + percent_quote(partition);
    path += quoted_path;
    auto head = bodiless_head("GET", path, peer, user_agent, policy_index);
    head += "X-Backend-Replication: True\r\nX-Backend-Fragment-Preferences: [{\"timestamp\": \"";
    head += preferred.internal();
    head += "\", \"exclude\": []}]\r\n";
    if (verifies == Verifies::reader) {
        head.append(reader_verifies_header).append(": ").append(reader_verifies_md5) += "\r\n";
    }
    head += "\r\n";
    return head;
}

std::string replicate_head(const Peer& peer, std::string_view user_agent, std::string_view device,
                           std::string_view partition, std::string_view suffixes,
                           int policy_index) {
    std::string path = "/" + percent_quote(device) + "/" + percent_quote(partition);
    if (!suffixes.empty()) path += "/" + percent_quote(suffixes);
    return bodiless_head("REPLICATE", path, peer, user_agent, policy_index) + "\r\n";
}

Result<std::string> ssync_head(const Peer& peer, std::string_view device,
                               std::string_view partition, int policy_index,
                               std::optional<int> frag_index) {
    if (!fits_request_line(device) || !fits_request_line(partition)) {
        return Error{errc::bad_name, "device or partition does not fit a request line"};
    }
    std::string head = "SSYNC /" + std::string(device) + "/" + std::string(partition) +
                       " HTTP/1.1\r\nHost: " + host_header(peer) +
                       "\r\nAccept-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"
                       "X-Backend-Storage-Policy-Index: " +
                       std::to_string(policy_index) + "\r\n";
    if (frag_index) {
        const std::string index = std::to_string(*frag_index);
        head += "X-Backend-Ssync-Frag-Index: " + index + "\r\n";
        head += "X-Backend-Ssync-Node-Index: " + index + "\r\n";
    }
    return head + "\r\n";
}

}  // namespace fragmend::transport::http
