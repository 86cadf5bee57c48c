// Pieces in turns, so that the kernel's lanes are full.
#include "host/codec/archive_digests.hpp"

#include <algorithm>

#include "host/codec/md5_lanes.hpp"

namespace fragmend::codec {
namespace {

/// Read from one archive at a time, at most.
constexpr std::size_t piece_bytes_max = 1 << 20;

}  // namespace

std::vector<Result<Md5Digest>> digests_of(std::span<const ArchiveBytes> archives,
                                          std::size_t memory_bytes) {
    std::vector<Md5Stream> streams(archives.size());
    std::vector<Result<Md5Digest>> digests(archives.size(), Md5Digest{});
    std::uint64_t longest = 0;
    for (const ArchiveBytes& archive : archives)
        longest = std::max(longest, archive.size());
    const std::size_t piece = std::min<std::uint64_t>(
        longest, std::min(piece_bytes_max, memory_bytes / (archives.size() + 1)));
    std::vector<std::byte> buffer(archives.size() * piece);
    std::vector<Md5Feed> feeds;
    for (std::uint64_t at = 0;; at += piece) {
        feeds.clear();
        for (std::size_t i = 0; i < archives.size(); ++i) {
            if (!digests[i] || at >= archives[i].size()) continue;
            const auto into = std::span(buffer).subspan(
                i * piece, std::min<std::uint64_t>(piece, archives[i].size() - at));
            if (auto read = archives[i].read(at, into); !read) {
                digests[i] = read.error();
            } else {
                feeds.push_back({&streams[i], into});
            }
        }
        if (feeds.empty()) break;
        update(feeds, *available_md5_kernels().back());
    }
    for (std::size_t i = 0; i < archives.size(); ++i) {
        if (digests[i]) digests[i] = finish(streams[i]);
    }
    return digests;
}

}  // namespace fragmend::codec
