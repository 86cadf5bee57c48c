// Entries of async_pending.
#include "host/server/container_updates.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "host/swift/directory.hpp"
#include "host/swift/pickle_writer.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::server {
namespace {

constexpr std::size_t suffix_at = 29;

bool names_container_servers(const BackendRequest& request) {
    return !request.headers.get("X-Container-Partition").empty() &&
           !request.headers.get("X-Container-Host").empty() &&
           !request.headers.get("X-Container-Device").empty();
}

/// `account/container` of the shard that shall be told instead, if it is named.
std::string container_path(const BackendRequest& request) {
    const auto quoted = request.headers.get("X-Backend-Quoted-Container-Path");
    std::string path = quoted.empty() ? std::string(request.headers.get("X-Backend-Container-Path"))
                                      : percent_unquote(quoted);
    const auto slash = path.find('/');
    const bool is_one = slash != std::string::npos && slash > 0 && slash + 1 < path.size() &&
                        path.find('/', slash + 1) == std::string::npos;
    return is_one && swift::is_valid_utf8(path) ? path : std::string();
}

/// One entry of async_pending.
struct Update {
    std::string_view operation;
    swift::ObjectName name;  ///< What a container is told of.
    HeaderMap headers;
    std::string container_path;  ///< Of a shard; empty for the container itself.
};

std::string pickled(const Update& update) {
    swift::PickleWriter writer;
    auto dict = writer.begin_dict(update.container_path.empty() ? 5 : 6);
    const auto text_item = [&](std::string_view key, std::string_view value) {
        writer.begin_item(dict);
        writer.text(key);
        writer.text(value);
    };
    text_item("op", update.operation);
    text_item("account", update.name.account);
    text_item("container", update.name.container);
    text_item("obj", update.name.object);
    writer.begin_item(dict);
    writer.text("headers");
    auto items = writer.begin_dict(update.headers.items().size());
    for (const auto& [name, value] : update.headers.items()) {
        writer.begin_item(items);
        writer.text(swift::from_latin1(name));
        writer.text(swift::from_latin1(value));
    }
    writer.end_dict(items);
    if (!update.container_path.empty()) text_item("container_path", update.container_path);
    writer.end_dict(dict);
    return writer.finish();
}

Result<void> write_synced(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return error_from_errno(errno, "write " + path);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd) != 0) return error_from_errno(errno, "fsync " + path);
    return {};
}

/// What goes with every update.
void complete(HeaderMap& headers, const BackendRequest& request, int policy_index) {
    const auto transaction = request.headers.get("X-Trans-Id");
    headers.set("X-Trans-Id", transaction.empty() ? "-" : transaction);
    headers.set("Referer", request.method + " " + percent_quote(request.name.path()));
    headers.set("X-Backend-Storage-Policy-Index", std::to_string(policy_index));
}

Result<void> leave(const BackendRequest& request, const Update& update,
                   const Timestamp& timestamp) {
    const swift::Policy& policy = request.store->policy;
    const std::string device = request.disk().device_path(request.device);
    const std::string hash = swift::object_hash_of(request.disk(), update.name.path());
    const std::string folder = device + "/" + policy.async_dir() + "/" + hash.substr(suffix_at);
    for (const auto& path : {device + "/" + policy.tmp_dir(), folder}) {
        auto made = swift::make_directories(path);
        if (made.has_error()) return made;
    }
    std::string temporary = device + "/" + policy.tmp_dir() + "/tmpXXXXXX.tmp";
    const UniqueFd fd(::mkostemps(temporary.data(), 4, O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, "create " + temporary);
    auto done = write_synced(fd.get(), pickled(update), temporary);
    const std::string target = folder + "/" + hash + "-" + timestamp.internal();
    if (done && std::rename(temporary.c_str(), target.c_str()) != 0) {
        done = error_from_errno(errno, "rename to " + target);
    }
    if (!done) {
        ::unlink(temporary.c_str());
        return done;
    }
    swift::sync_directory(folder);
    return {};
}

/// Source: swift.common.utils.normalize_delete_at_timestamp.
std::int64_t in_ten_digits(std::int64_t seconds) {
    return std::clamp<std::int64_t>(seconds, 0, 9999999999);
}

std::string ten_digits(std::int64_t seconds) {
    char text[24];
    std::snprintf(text, sizeof text, "%010lld", static_cast<long long>(in_ten_digits(seconds)));
    return text;
}

/// The queue's entry of an object. Without a name for its container, that is guessed as Swift does.
swift::ObjectName expiry_task(const BackendRequest& request, std::int64_t delete_at,
                              std::string_view named) {
    constexpr std::int64_t divisor = 86400;  ///< expiring_objects_container_divisor.
    std::int64_t shard = 0;
    for (const char c : request.object_hash) {
        const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
        shard = (shard * 16 + digit) % 100;
    }
    const auto given = swift::python_int_saturated(named);
    const std::int64_t container =
        given.value_or(in_ten_digits(delete_at) / divisor * divisor - shard);
    return {".expiring_objects", ten_digits(container),
            ten_digits(delete_at) + "-" + request.name.path().substr(1)};
}

}  // namespace

Result<void> leave_container_update(const BackendRequest& request, std::string_view operation,
                                    HeaderMap headers, const Timestamp& timestamp) {
    if (!names_container_servers(request)) return {};
    complete(headers, request, request.store->policy.index);
    return leave(request, {operation, request.name, std::move(headers), container_path(request)},
                 timestamp);
}

std::int64_t requested_delete_at(const BackendRequest& request) {
    return swift::python_int_saturated(request.headers.get("X-Delete-At")).value_or(0);
}

Result<void> leave_expiry_updates(const BackendRequest& request, const Timestamp& timestamp,
                                  std::int64_t old_delete_at, std::int64_t new_delete_at) {
    if (request.is_replication() || old_delete_at == new_delete_at) return {};
    HeaderMap headers;
    headers.set("X-Timestamp", timestamp.internal());
    complete(headers, request, 0);
    if (new_delete_at != 0 && request.headers.contains("X-Delete-At-Host")) {
        HeaderMap put = headers;
        put.set("X-Size", "0");
        put.set("X-Content-Type", "text/plain");
        put.set("X-Etag", "d41d8cd98f00b204e9800998ecf8427e");
        const auto named = request.headers.get("X-Delete-At-Container");
        auto left =
            leave(request, {"PUT", expiry_task(request, new_delete_at, named), std::move(put), {}},
                  timestamp);
        if (left.has_error()) return left;
    }
    const auto cleans = request.headers.find("X-Backend-Clean-Expiring-Object-Queue");
    if (old_delete_at == 0 || (cleans && !swift::config_true_value(*cleans))) return {};
    return leave(request,
                 {"DELETE", expiry_task(request, old_delete_at, {}), std::move(headers), {}},
                 timestamp);
}

void apply_container_overrides(HeaderMap& update, const std::vector<HeaderMap::Item>& metadata,
                               const std::vector<HeaderMap::Item>& footers) {
    constexpr std::array<std::string_view, 2> prefixes{
        "x-backend-container-update-override-", "x-object-sysmeta-container-update-override-"};
    for (const auto prefix : prefixes) {
        for (const auto* items : {&metadata, &footers}) {
            for (const auto& [name, value] : *items) {
                if (swift::lower_ascii(name).starts_with(prefix)) {
                    update.set("X-" + name.substr(prefix.size()), value);
                }
            }
        }
    }
}

}  // namespace fragmend::server
