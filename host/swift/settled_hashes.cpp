// hashes.invalid, hashes.pkl and the listing, all below one open directory.
#include "host/swift/settled_hashes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hashes_file.hpp"
#include "host/swift/hashes_scan.hpp"
#include "host/swift/mount_check.hpp"

namespace fragmend::swift {
namespace {

bool nothing_is_invalid(int partition_fd) {
    struct stat status {};
    if (::fstatat(partition_fd, "hashes.invalid", &status, 0) != 0) return errno == ENOENT;
    return S_ISREG(status.st_mode) && status.st_size == 0;
}

/// Nothing when one is missing.
std::optional<PartitionHashes> stored_hashes(std::string_view pickle) {
    const auto scanned = scan_hashes(pickle);
    if (!scanned || !scanned->valid) return std::nullopt;
    const auto& all = scanned->hashes;
    // Swift writes suffixes as they came. Each is one number here, with the place of its first hash
    // behind it.
    constexpr int place_bits = 32;
    std::vector<std::uint64_t> order;
    order.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i == 0 || all[i].suffix.data() != all[i - 1].suffix.data())
            order.push_back(std::uint64_t{all[i].number} << place_bits | i);
    }
    std::ranges::sort(order);
    PartitionHashes hashes;
    hashes.reserve(order.size());
    for (const std::uint64_t next : order) {
        auto i = static_cast<std::uint32_t>(next);
        const std::string_view suffix = all[i].suffix;
        if (!hashes.empty() && hashes.rbegin()->first == suffix) return std::nullopt;
        auto& hash = hashes.emplace_hint(hashes.end(), suffix, SuffixHash())->second;
        for (; i < all.size() && all[i].suffix.data() == suffix.data(); ++i) {
            if (!is_lower_hex(all[i].digest, md5_hex_length)) return std::nullopt;  // Or no hash.
            const auto key =
                all[i].index == ScannedHash::no_index ? std::nullopt : std::optional(all[i].index);
            if (hash.size() == suffix_hashes_max || !hash.emplace(key, all[i].digest).second)
                return std::nullopt;
        }
    }
    return hashes;
}

/// Whether a listing shows no more than `hashes` and what never matters.
bool are_all_known(int partition_fd, const PartitionHashes& hashes) {
    const auto names = read_names(partition_fd);
    if (!names) return false;
    for (const auto& name : *names) {
        if (is_suffix_name(name) ? !hashes.contains(name) : is_unfinished_hashes_file(name))
            return false;
    }
    return true;
}

}  // namespace

std::optional<PartitionHashes> settled_hashes(const DiskContext& context, std::string_view device,
                                              std::string_view partition, bool list_directory) {
    // Hashes of whole objects have another form, and what a policy kept that was of the other kind
    // once must not be taken for its own.
    if (context.has_whole_objects()) return std::nullopt;
    // Without a mount check a device only has to be a directory, as what has one below it is.
    const bool is_present =
        context.mount_check ? check_device(context, device).has_value() : is_device_name(device);
    if (!is_present) return std::nullopt;
    const PartitionPath place(context, device, partition);
    const UniqueFd fd(::open(place.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid() || !nothing_is_invalid(fd.get())) return std::nullopt;
    const auto pickle = read_hashes_file(fd.get());
    if (!pickle) return std::nullopt;
    auto hashes = stored_hashes(*pickle);
    if (!hashes) return std::nullopt;
    if (list_directory) {
        if (!are_all_known(fd.get(), *hashes)) return std::nullopt;
        if (context.logger.enabled(LogLevel::debug))
            context.logger.debug("Run listdir on " + place.path);
    }
    return hashes;
}

}  // namespace fragmend::swift
