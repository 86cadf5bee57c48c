// Waiting for locks.
#include "host/server/session_lock.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>

namespace fragmend::server {
namespace {

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double first_pause_s = 0.01;
constexpr double slow_part =
    0.01;  ///< Of the timeout: how long the first pace lasts, and the second.

double seconds_until(steady_clock::time_point moment) {
    return Seconds(moment - steady_clock::now()).count();
}

Awaitable<Result<swift::PathLock>> lock_path(asio::any_io_executor network,
                                             asio::any_io_executor disks,
                                             swift::LockRequest request,
                                             steady_clock::time_point give_up) {
    const double timeout_s = std::max(0.0, request.timeout_s);
    const std::string path =
        request.directory + "/.lock" + (request.name.empty() ? "" : "-" + request.name);
    request.timeout_s = 0;
    asio::steady_timer timer(network);
    double waited_s = 0;
    for (;;) {
        auto attempt = [request] { return swift::PathLock::acquire(request); };
        auto lock = co_await offload(disks, std::move(attempt));
        if (lock.has_value() || lock.error() != errc::lock_timeout) co_return lock;
        const double left_s = seconds_until(give_up);
        if (left_s <= 0) {
            co_return Error{errc::lock_timeout, swift::python_seconds(timeout_s) + ": " + path};
        }
        const double pause_s = waited_s > timeout_s * slow_part
                                   ? std::max(timeout_s * slow_part, first_pause_s)
                                   : first_pause_s;
        waited_s += pause_s;
        timer.expires_after(
            std::chrono::duration_cast<steady_clock::duration>(Seconds(std::min(pause_s, left_s))));
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

}  // namespace

Awaitable<Result<swift::ReplicationLock>> lock_session(asio::any_io_executor network,
                                                       asio::any_io_executor disks,
                                                       swift::PartitionPath partition,
                                                       swift::ReplicationLocks limits) {
    const auto timeout_s = static_cast<double>(limits.timeout_s);
    const auto give_up = steady_clock::now() +
                         std::chrono::duration_cast<steady_clock::duration>(Seconds(timeout_s));
    swift::LockRequest of_partition{
        .directory = partition.path, .name = "replication", .timeout_s = timeout_s};
    auto partition_lock = co_await lock_path(network, disks, std::move(of_partition), give_up);
    if (partition_lock.has_error()) co_return partition_lock.error();
    swift::ReplicationLock lock{std::move(*partition_lock), std::nullopt};
    if (limits.sessions_per_device > 0) {
        swift::LockRequest of_device{
            .directory = partition.device_path,
            .name = {},
            .timeout_s = seconds_until(give_up),
            .holders_max = static_cast<unsigned>(limits.sessions_per_device)};
        auto device_lock = co_await lock_path(network, disks, std::move(of_device), give_up);
        if (device_lock.has_error()) co_return device_lock.error();
        lock.device = std::move(*device_lock);
    }
    co_return lock;
}

}  // namespace fragmend::server
