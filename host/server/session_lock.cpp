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

std::string path_of(const swift::LockRequest& request) {
    return request.directory + "/.lock" + (request.name.empty() ? "" : "-" + request.name);
}

Error late(const swift::LockRequest& request) {
    return {errc::lock_timeout,
            swift::python_seconds(std::max(0.0, request.timeout_s)) + ": " + path_of(request)};
}

/// The file itself, once it is our turn: another process may hold it.
Awaitable<Result<swift::PathLock>> lock_file(asio::any_io_executor network,
                                             asio::any_io_executor disks,
                                             swift::LockRequest request,
                                             steady_clock::time_point give_up) {
    swift::LockRequest once = request;
    once.timeout_s = 0;
    asio::steady_timer timer(network);
    double waited_s = 0;
    for (;;) {
        auto attempt = [once] { return swift::PathLock::acquire(once); };
        auto lock = co_await offload(disks, std::move(attempt));
        if (lock.has_value() || lock.error() != errc::lock_timeout) co_return lock;
        const double left_s = seconds_until(give_up);
        if (left_s <= 0) co_return late(request);
        const double slow_s = std::max(0.0, request.timeout_s) * slow_part;
        const double pause_s = waited_s > slow_s ? std::max(slow_s, first_pause_s) : first_pause_s;
        waited_s += pause_s;
        timer.expires_after(
            std::chrono::duration_cast<steady_clock::duration>(Seconds(std::min(pause_s, left_s))));
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

}  // namespace

Awaitable<Result<SessionLock>> lock_session(asio::any_io_executor network,
                                            asio::any_io_executor disks, LockLines& lines,
                                            swift::PartitionPath partition,
                                            swift::ReplicationLocks limits) {
    const auto timeout_s = static_cast<double>(limits.timeout_s);
    const auto give_up = steady_clock::now() +
                         std::chrono::duration_cast<steady_clock::duration>(Seconds(timeout_s));
    swift::LockRequest of_partition{
        .directory = partition.path, .name = "replication", .timeout_s = timeout_s};
    auto turn = co_await lines.take(path_of(of_partition), 1, give_up);
    if (!turn) co_return late(of_partition);
    auto partition_lock = co_await lock_file(network, disks, std::move(of_partition), give_up);
    if (partition_lock.has_error()) co_return partition_lock.error();
    SessionLock lock{std::move(*turn), std::nullopt, {std::move(*partition_lock), std::nullopt}};
    if (limits.sessions_per_device > 0) {
        swift::LockRequest of_device{
            .directory = partition.device_path,
            .name = {},
            .timeout_s = seconds_until(give_up),
            .holders_max = static_cast<unsigned>(limits.sessions_per_device)};
        auto device_turn = co_await lines.take(path_of(of_device), of_device.holders_max, give_up);
        if (!device_turn) co_return late(of_device);
        lock.device_turn.emplace(std::move(*device_turn));
        auto device_lock = co_await lock_file(network, disks, std::move(of_device), give_up);
        if (device_lock.has_error()) co_return device_lock.error();
        lock.files.device = std::move(*device_lock);
    }
    co_return lock;
}

}  // namespace fragmend::server
