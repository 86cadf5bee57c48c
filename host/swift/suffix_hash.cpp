// Suffix hashing.
#include "host/swift/suffix_hash.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/base/md5.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/quarantine.hpp"

namespace fragmend::swift {

void SuffixHasher::add(const OndiskFiles& files) {
    if (files.meta) texts_[std::nullopt] += files.meta->timestamp().internal() + ".meta";
    if (files.tombstone) texts_[std::nullopt] += files.tombstone->timestamp().internal() + ".ts";
    for (const auto& set : files.recorded) {
        const std::string time = set.timestamp.internal();
        for (const auto& member : set.members)
            texts_[member.parsed.fragment_index] += time;
    }
    if (files.data && form_ == SuffixForm::whole) {
        texts_[std::nullopt] += files.data->timestamp().internal() + ".data";
    } else if (files.data && files.durable_set) {
        texts_[std::nullopt] += files.durable_timestamp()->internal() + ".durable";
    }
    if (files.content_type) {
        texts_[std::nullopt] += files.content_type->parsed.content_type->internal() + "_ctype";
    }
}

SuffixHash SuffixHasher::finish() const {
    SuffixHash hash;
    Md5 md5;
    // Where nothing counts, Swift has no dict entry, but the one MD5 of whole objects is always
    // there.
    if (form_ == SuffixForm::whole && texts_.empty())
        hash.emplace(std::nullopt, Md5().finish_hex());
    for (const auto& [index, text] : texts_) {
        md5.update(text);
        hash.emplace(index, md5.finish_hex());
        md5.reset();
    }
    return hash;
}

Result<SuffixHash> hash_suffix(const DiskContext& context, const PartitionPath& partition,
                               const std::string& suffix) {
    const std::string path = partition.suffix_path(suffix);
    auto directory = read_directory(AT_FDCWD, path);
    if (!directory) {
        const int number = directory.error().number;
        if (number == ENOTDIR) return Error{errc::not_found, path + " is not a directory"};
        return error_from_errno(number, "list " + path);
    }
    std::sort(directory->names.begin(), directory->names.end());
    SuffixHasher hasher(context.suffix_form());
    const SelectionOptions options{
        .frag_index = {}, .frag_prefs = {}, .fragment_count = context.fragment_count};
    bool is_in_use = false;
    bool is_being_filled = directory->names.empty() && is_just_made(context, directory->fd.get());
    for (const auto& name : directory->names) {
        const HashDirPlace place{directory->fd.get(), path, name};
        const auto dir = cleanup_hash_dir(context, place, options);
        if (!dir) {
            const auto moved = quarantine_unlistable(context, partition.device_path, place.path(),
                                                     dir.error().number);
            // Another one was faster: it is not here any more, which is all that was wanted.
            if (!moved && moved.error() == errc::not_found) continue;
            if (!moved) return moved.error();
            if (*moved == path) return Error{errc::not_found, path + " was quarantined"};
        } else if (!dir->names.empty()) {
            hasher.add(dir->files);
            is_in_use = true;
        } else if (dir->is_just_made) {
            is_being_filled = true;
        }
    }
    if (!is_in_use && is_being_filled)
        return Error{errc::not_found, path + " has nothing but what was just made"};
    if (!is_in_use && (::rmdir(path.c_str()) == 0 || errno == ENOENT)) {
        return Error{errc::not_found, path + " was empty"};
    }
    return hasher.finish();
}

}  // namespace fragmend::swift
