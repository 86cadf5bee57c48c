// Rounds of common work.
#include "host/swift/disk_groups.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "host/base/unique_fd.hpp"
#include "host/swift/hashes_file.hpp"

namespace fragmend::swift {
namespace {

Result<void> sync_one_directory(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    if (::fsync(fd.get()) != 0) return error_from_errno(errno, "fsync " + path);
    return {};
}

}  // namespace

Result<void> DiskGroups::join(const std::string& place, const std::string& item, const Act& act) {
    std::unique_lock lock(mutex_);
    const auto here = places_.try_emplace(place).first;
    Place& at = here->second;
    ++at.present;
    if (at.next == nullptr) at.next = std::make_shared<Round>();
    const std::shared_ptr<Round> mine = at.next;
    mine->items.insert(item);
    while (!mine->result) {
        if (at.busy) {
            at.changed.wait(lock);
            continue;
        }
        at.busy = true;
        at.next.reset();
        lock.unlock();
        // Without memory the process ends here; those who wait would do so for ever.
        Result<void> done = [&]() noexcept { return act(mine->items); }();
        lock.lock();
        mine->result.emplace(std::move(done));
        at.busy = false;
        at.changed.notify_all();
    }
    if (--at.present == 0) places_.erase(here);
    return *mine->result;
}

Result<void> DiskGroups::note(const std::string& partition_path, const std::string& suffix) {
    return join(partition_path + " note", suffix, [&](const std::set<std::string>& suffixes) {
        return invalidate_suffixes(partition_path, suffixes);
    });
}

Result<void> DiskGroups::sync(const std::string& directory_path) {
    return join(directory_path, {},
                [&](const std::set<std::string>&) { return sync_one_directory(directory_path); });
}

}  // namespace fragmend::swift
