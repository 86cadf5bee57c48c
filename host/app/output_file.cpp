// Nameless where the file system has such files; else under a name that signals remove.
#include "host/app/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <filesystem>

namespace fragmend::app {
namespace {

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP};

/// What a handler may look at.
char partial_of_signals[PATH_MAX];

extern "C" void remove_partial_and_end(int number) {
    ::unlink(partial_of_signals);
    // SA_RESETHAND: now with its usual effect, once this handler is left.
    ::raise(number);
}

void set_handlers(void (*handler)(int)) {
    for (const int number : ending_signals) {
        struct sigaction before {};
        ::sigaction(number, nullptr, &before);
        // Whoever ignores it, as nohup does, wants the rebuild to go on.
        if (before.sa_handler == SIG_IGN) continue;
        struct sigaction action {};
        action.sa_handler = handler;
        action.sa_flags = handler == SIG_DFL ? 0 : static_cast<int>(SA_RESETHAND);
        ::sigaction(number, &action, nullptr);
    }
}

}  // namespace

OutputFile::OutputFile(std::string path, bool replace)
    : path_(std::move(path)),
      replace_(replace),
      folder_(std::filesystem::path(path_).parent_path()),
      partial_(path_ + ".partial-" + std::to_string(::getpid())) {
    if (folder_.empty()) folder_ = ".";
}

OutputFile::~OutputFile() {
    if (partial_exists_) ::unlink(partial_.c_str());
    set_handlers(SIG_DFL);
}

Result<void> OutputFile::create() {
    std::snprintf(partial_of_signals, sizeof partial_of_signals, "%s", partial_.c_str());
    set_handlers(remove_partial_and_end);
    // Without /proc a nameless file never gets a name.
    if (::access("/proc/self/fd", X_OK) == 0) {
        fd_ = UniqueFd(::open(folder_.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
        if (fd_.valid()) return {};
    }
    fd_ = UniqueFd(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd_.valid()) return error_from_errno(errno, "cannot create " + partial_);
    partial_exists_ = true;
    return {};
}

Result<void> OutputFile::write(ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return error_from_errno(errno, "cannot write " + path_);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<bool> OutputFile::commit() {
    if (::fsync(fd_.get()) != 0) return error_from_errno(errno, "cannot write " + path_);
    if (name_it() != 0) {
        if (errno == EEXIST && !replace_) return false;
        return error_from_errno(errno, "cannot name the result " + path_);
    }
    if (auto synced = sync_folder(); !synced) return synced.error();
    return true;
}

int OutputFile::name_it() {
    if (!partial_exists_) {
        const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
        const std::string& name = replace_ ? partial_ : path_;
        const int linked =
            ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW);
        if (linked != 0 || !replace_) return linked;
        partial_exists_ = true;
    }
    int named = ::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(),
                            replace_ ? 0 : RENAME_NOREPLACE);
    if (named == 0) partial_exists_ = false;
    // NFS and some FUSE cannot rename so, but a link replaces nothing either.
    if (named != 0 && !replace_ && (errno == EINVAL || errno == ENOSYS)) {
        named = ::link(partial_.c_str(), path_.c_str());
    }
    return named;
}

Result<void> OutputFile::sync_folder() const {
    const UniqueFd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // EINVAL: a file system that has nothing to sync there.
    if (folder.valid() && (::fsync(folder.get()) == 0 || errno == EINVAL)) return {};
    return error_from_errno(errno, path_ + " is written, but " + folder_ + " cannot be synced");
}

}  // namespace fragmend::app
