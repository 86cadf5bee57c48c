// Writing beside the file, then taking its name.
#include "host/app/result_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "host/base/unique_fd.hpp"

namespace fragmend::app {
namespace {

struct Place {
    std::string target;
    std::string beside;  ///< Empty when the target itself is written to.
};

Error failed(const std::string& path) {
    return error_from_errno(errno, "cannot write " + path);
}

Result<Place> place_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            errno = EISDIR;
            return failed(path);
        }
        if (!S_ISREG(status.st_mode)) return Place{path, {}};
    } else if (errno != ENOENT) {
        return failed(path);
    }
    // A link to a file stays one.
    std::error_code unknown;
    const auto target = std::filesystem::weakly_canonical(path, unknown).string();
    if (unknown) {
        errno = unknown.value();
        return failed(path);
    }
    return Place{target, target + "." + std::to_string(::getpid()) + ".part"};
}

UniqueFd open_for(const Place& place) {
    if (place.beside.empty()) return UniqueFd(::open(place.target.c_str(), O_WRONLY | O_CLOEXEC));
    return UniqueFd(
        ::open(place.beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace

Result<void> ResultFile::try_it() const {
    const auto place = place_of(path_);
    if (place.has_error()) return place.error();
    if (place->beside.empty()) {
        if (::access(path_.c_str(), W_OK) != 0) return failed(path_);
        return {};
    }
    const UniqueFd fd = open_for(*place);
    if (!fd.valid()) return failed(path_);
    ::unlink(place->beside.c_str());
    return {};
}

Result<void> ResultFile::write(std::string_view text) const {
    const auto place = place_of(path_);
    if (place.has_error()) return place.error();
    const UniqueFd fd = open_for(*place);
    if (!fd.valid()) return failed(path_);
    const bool regular = !place->beside.empty();
    if (write_all(fd.get(), text) && (!regular || ::fsync(fd.get()) == 0) &&
        (!regular || std::rename(place->beside.c_str(), place->target.c_str()) == 0))
        return {};
    auto error = failed(path_);
    if (regular) ::unlink(place->beside.c_str());
    return error;
}

}  // namespace fragmend::app
