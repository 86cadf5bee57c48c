// get_hashes: consolidate, list, hash, and write if nobody was faster.
#include "host/swift/partition_hashes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "host/swift/directory.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/hashes_file.hpp"
#include "host/swift/locks.hpp"
#include "host/swift/mount_check.hpp"
#include "host/swift/settled_hashes.hpp"
#include "host/swift/suffix_hash.hpp"

namespace fragmend::swift {
namespace {

/// Swift recurses without a bound; a writer that beats us this often needs looking at.
constexpr int attempts_max = 200;
/// A new hashes.pkl that was never finished is old for certain after this long.
constexpr double temporary_age_s_min = 3600;

Error listing_error(int number, const std::string& path) {
    if (number == ENOTDIR) return {errc::bad_name, path + " is not a directory"};
    return error_from_errno(number, "list " + path);
}

/// One try. Nothing: somebody else wrote hashes.pkl meanwhile.
class Attempt {
  public:
    Attempt(const DiskContext& context, const PartitionPath& partition, const HashRequest& request)
        : context_(context), partition_(partition), request_(request) {}

    Result<std::optional<HashedPartition>> run();

  private:
    /// The state to start from, and the snapshot to find unchanged at the end.
    Result<void> load();
    Result<void> add_listed_suffixes();
    void hash_missing(HashedPartition& out);
    /// Whether the caller does not know yet that this suffix fails.
    bool is_news(const std::string& suffix) const;
    Result<bool> store_unless_raced();

    const DiskContext& context_;
    const PartitionPath& partition_;
    const HashRequest& request_;
    HashesSnapshot snapshot_;
    StoredHashes before_;
    StoredHashes hashes_;
    /// Why everything has to be hashed anew; said when that has helped.
    std::string unreadable_;
};

Result<void> Attempt::load() {
    auto consolidated =
        consolidate_hashes(partition_.path, context_.clock->now(), context_.suffix_form());
    if (!consolidated) {
        if (consolidated.error() == errc::not_found) return consolidated.error();
        unreadable_ = "Unable to read '" + partition_.path +
                      "/hashes.pkl': " + to_string(consolidated.error());
    }
    if (consolidated && consolidated->hashes.valid) {
        snapshot_ = std::move(consolidated->snapshot);
        before_ = std::move(consolidated->hashes);
        hashes_ = before_;
        return {};
    }
    // The only way from an invalid state to a valid one: hash everything, and write only over
    // exactly what is there now.
    snapshot_ = read_hashes_file(partition_.path);
    hashes_.valid = true;
    hashes_.form = context_.suffix_form();
    return {};
}

Result<void> Attempt::add_listed_suffixes() {
    const auto directory = read_directory(AT_FDCWD, partition_.path);
    if (!directory) return listing_error(directory.error().number, partition_.path);
    const double age_s = std::max(static_cast<double>(context_.reclaim_age_s), temporary_age_s_min);
    for (const auto& name : directory->names) {
        if (is_suffix_name(name)) {
            hashes_.suffixes.try_emplace(name);
        } else if (is_unfinished_hashes_file(name) &&
                   is_file_older(context_, directory->fd.get(), name, age_s)) {
            ::unlinkat(directory->fd.get(), name.c_str(), 0);
        }
    }
    context_.logger.debug("Run listdir on " + partition_.path);
    return {};
}

bool Attempt::is_news(const std::string& suffix) const {
    if (!request_.is_second_look) return true;
    // What failed at the first look is known since, and has no hash.
    const auto known = before_.suffixes.find(suffix);
    return known == before_.suffixes.end() || known->second.has_value();
}

void Attempt::hash_missing(HashedPartition& out) {
    for (auto at = hashes_.suffixes.begin(); at != hashes_.suffixes.end();) {
        auto& [suffix, hash] = *at;
        // An empty hash counts as none: Swift looks again each time.
        if (hash && !hash->empty()) {
            ++at;
            continue;
        }
        auto fresh = hash_suffix(context_, partition_, suffix);
        if (fresh) {
            hash = std::move(*fresh);
            ++out.hashed;
            ++at;
        } else if (fresh.error() == errc::not_found) {
            at = hashes_.suffixes.erase(at);
        } else {
            if (is_news(suffix)) {
                context_.logger.error("Error hashing suffix: " + to_string(fresh.error()));
            }
            hash.reset();
            out.failed.push_back(suffix);
            ++at;
        }
    }
}

Result<bool> Attempt::store_unless_raced() {
    const auto lock = lock_hashes(partition_.path, false);
    if (!lock) return lock.error();
    if (read_hashes_file(partition_.path) != snapshot_) return false;
    const auto written = write_hashes_file(partition_.path, hashes_, context_.clock->now());
    if (!written) return written.error();
    return true;
}

Result<std::optional<HashedPartition>> Attempt::run() {
    const auto loaded = load();
    if (!loaded) return loaded.error();
    if (request_.list_directory || !before_.valid) {
        const auto listed = add_listed_suffixes();
        if (!listed) return listed.error();
    }
    for (const auto& suffix : request_.recalculate) {
        if (is_suffix_name(suffix)) hashes_.suffixes[suffix].reset();
    }
    HashedPartition out;
    hash_missing(out);
    if (hashes_ != before_) {
        const auto stored = store_unless_raced();
        if (!stored) return stored.error();
        if (!*stored) return std::optional<HashedPartition>();
    }
    if (!unreadable_.empty() && !request_.is_second_look) context_.logger.warning(unreadable_);
    for (auto& [suffix, hash] : hashes_.suffixes) {
        if (hash) out.hashes.emplace_hint(out.hashes.end(), suffix, std::move(*hash));
    }
    return std::optional(std::move(out));
}

}  // namespace

Result<HashedPartition> get_hashes(const DiskContext& context, std::string_view device,
                                   std::string_view partition, const HashRequest& request) {
    if (request.recalculate.empty()) {
        auto settled = settled_hashes(context, device, partition, request.list_directory);
        if (settled) return HashedPartition{std::move(*settled), {}, 0};
    }
    return update_hashes(context, device, partition, request);
}

Result<HashedPartition> update_hashes(const DiskContext& context, std::string_view device,
                                      std::string_view partition, const HashRequest& request) {
    const auto mounted = check_device(context, device);
    if (!mounted) return mounted.error();
    const PartitionPath place(context, device, partition);
    // Taking the hash lock must not make a partition that is not there.
    const UniqueFd exists(
        ::open(place.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    if (!exists.valid()) return listing_error(errno, place.path);
    for (int i = 0; i < attempts_max; ++i) {
        auto result = Attempt(context, place, request).run();
        if (!result) return result.error();
        if (*result) return std::move(**result);
    }
    return Error{errc::limit, place.path + ": hashes.pkl changed at each of " +
                                  std::to_string(attempts_max) + " attempts"};
}

}  // namespace fragmend::swift
