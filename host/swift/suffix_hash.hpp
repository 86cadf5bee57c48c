// The hash of one suffix directory, computed from the names below it.
#pragma once

#include <string>

#include "host/base/error.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/hashes_types.hpp"
#include "host/swift/ondisk_files.hpp"

namespace fragmend::swift {

/// Collects the text that each key's MD5 is taken of, object by object in name order.
/// Source: swift.obj.diskfile.ECDiskFileManager._update_suffix_hashes,
/// DiskFileManager._update_suffix_hashes, BaseDiskFileManager._hash_suffix_dir.
class SuffixHasher {
  public:
    explicit SuffixHasher(SuffixForm form = SuffixForm::by_index) : form_(form) {}
    void add(const OndiskFiles& files);
    SuffixHash finish() const;

  private:
    SuffixForm form_;
    std::map<std::optional<int>, std::string> texts_;
};

/// Cleans every hash directory of the suffix and hashes what remains; things that are no
/// directories or cannot be listed are quarantined. Removes the suffix directory if nothing is in
/// it, and it is not just made. Errors: not_found when the suffix is not (or no longer) a
/// directory, or an empty one, and then has no hash; io and the errors of quarantine, which leave
/// the hash unknown. Source:
/// swift.obj.diskfile.ECDiskFileManager._hash_suffix, DiskFileManager._hash_suffix.
Result<SuffixHash> hash_suffix(const DiskContext& context, const PartitionPath& partition,
                               const std::string& suffix);

}  // namespace fragmend::swift
