// Rounds of common work.
#include "host/swift/disk_groups.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/base/unique_fd.hpp"
#include "host/swift/hashes_file.hpp"
#include "host/swift/locks.hpp"

namespace fragmend::swift {
namespace {

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

Result<void> sync_one_directory(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    if (::fsync(fd.get()) != 0) return error_from_errno(errno, "fsync " + path);
    return {};
}

}  // namespace

std::optional<Result<void>> DiskGroups::join(const std::string& place, const std::string& item,
                                             Moment give_up, const Act& act) {
    std::unique_lock lock(mutex_);
    const auto here = places_.try_emplace(place).first;
    Place& at = here->second;
    ++at.present;
    if (at.next == nullptr) at.next = std::make_shared<Round>();
    const std::shared_ptr<Round> mine = at.next;
    mine->items.insert(item);
    bool late = false;
    while (!mine->result && !late) {
        if (at.busy) {
            const auto woken = at.changed.wait_until(lock, give_up);
            late = woken == std::cv_status::timeout && at.busy;
            continue;
        }
        at.busy = true;
        // Nobody joins what has begun; whoever is in it may have to begin it again.
        if (at.next == mine) at.next.reset();
        lock.unlock();
        // Without memory the process ends here; those who wait would do so for ever.
        Result<void> done = [&]() noexcept { return act(mine->items); }();
        lock.lock();
        late = done.has_error() && done.error() == errc::lock_timeout;
        if (!late) mine->result.emplace(std::move(done));
        at.busy = false;
        at.changed.notify_all();
    }
    const std::optional<Result<void>> result = mine->result;
    if (--at.present == 0) places_.erase(here);
    return result;
}

Result<void> DiskGroups::note(const std::string& partition_path, const std::string& suffix) {
    const Moment give_up = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                                     Seconds(lock_time_s_));
    auto done =
        join(partition_path + " note", suffix, give_up, [&](const std::set<std::string>& suffixes) {
            const double left_s = Seconds(give_up - steady_clock::now()).count();
            return invalidate_suffixes(partition_path, suffixes, std::max(0.0, left_s));
        });
    if (done) return std::move(*done);
    return Error{errc::lock_timeout,
                 python_seconds(lock_time_s_) + ": " + partition_path + "/.lock"};
}

Result<void> DiskGroups::sync(const std::string& directory_path) {
    return *join(directory_path, {}, Moment::max(),
                 [&](const std::set<std::string>&) { return sync_one_directory(directory_path); });
}

}  // namespace fragmend::swift
