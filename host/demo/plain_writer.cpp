// Writing files plainly.
#include "host/demo/plain_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/file_bytes.hpp"

namespace fragmend::demo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t round_bytes = 64 << 20;
constexpr std::size_t file_bytes_max = 4ull << 30;

struct File {
    std::string source;
    std::string target;
    std::string bytes;
};

Result<std::vector<File>> files_of(const std::vector<std::string>& sources,
                                   const std::string& target) {
    std::vector<File> files;
    for (const std::string& source : sources) {
        std::error_code failed;
        fs::recursive_directory_iterator entry(source, failed);
        for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
            if (!entry->is_regular_file(failed)) continue;
            const fs::path below = entry->path().lexically_relative(fs::path(source).parent_path());
            files.push_back({entry->path().string(), target + "/" + below.string(), {}});
        }
        if (failed) return Error{errc::io, "list " + source + ": " + failed.message()};
    }
    return files;
}

Result<void> write_one(const File& file, bool fsync) {
    auto made = swift::make_directories(swift::parent_of(file.target));
    if (made.has_error()) return made;
    const UniqueFd fd(::open(file.target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!fd.valid()) return error_from_errno(errno, "create " + file.target);
    std::string_view left = file.bytes;
    while (!left.empty()) {
        const ssize_t count = ::write(fd.get(), left.data(), left.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return error_from_errno(errno, "write " + file.target);
        left.remove_prefix(static_cast<std::size_t>(count));
    }
    if (fsync && ::fsync(fd.get()) != 0) return error_from_errno(errno, "fsync " + file.target);
    return {};
}

/// Writes `files`, as many at a time as there are threads.
Result<void> write_side_by_side(std::span<const File> files, unsigned threads, bool fsync) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::optional<Error> failed;
    const auto work = [&] {
        for (std::size_t i = next++; i < files.size(); i = next++) {
            auto done = write_one(files[i], fsync);
            if (done.has_value()) continue;
            const std::lock_guard lock(mutex);
            failed = done.error();
            return;
        }
    };
    {
        std::vector<std::jthread> others;
        for (unsigned i = 1; i < threads; ++i)
            others.emplace_back(work);
        work();
    }
    if (failed) return *failed;
    return {};
}

}  // namespace

Result<PlainReport> write_plainly(const std::vector<std::string>& sources,
                                  const std::string& target, unsigned threads, bool fsync,
                                  const std::atomic<bool>& stop) {
    auto files = files_of(sources, target);
    if (files.has_error()) return files.error();
    PlainReport report;
    for (std::size_t begin = 0; begin < files->size();) {
        if (stop) return Error{errc::cancelled, "stopped while files were written plainly"};
        std::size_t end = begin;
        std::size_t held = 0;
        for (; end < files->size() && (end == begin || held < round_bytes); ++end) {
            File& file = (*files)[end];
            auto read = swift::read_file(file.source, file_bytes_max);
            if (read.has_error()) return read.error();
            file.bytes = std::move(read->bytes);
            held += file.bytes.size();
        }
        const std::span<File> round(files->data() + begin, end - begin);
        const auto start = std::chrono::steady_clock::now();
        auto done = write_side_by_side(round, threads, fsync);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (done.has_error()) return done.error();
        report.seconds += took.count();
        report.files += round.size();
        report.bytes += held;
        for (File& file : round)
            file.bytes = {};
        begin = end;
    }
    return report;
}

}  // namespace fragmend::demo
