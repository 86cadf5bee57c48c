// Files around the rebuild of one archive.
#include "host/app/codec_rebuild.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <filesystem>
#include <ostream>

#include "host/app/codec_backend.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/metadata_xattr.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

/// A file's bytes, mapped for reading.
class MappedFile {
  public:
    static Result<MappedFile> open(const std::string& path) {
        MappedFile file;
        file.fd_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
        struct stat info {};
        if (!file.fd_.valid() || ::fstat(file.fd_.get(), &info) != 0) {
            return error_from_errno(errno, "cannot open " + path);
        }
        if (!S_ISREG(info.st_mode)) return Error{errc::io, path + " is not a regular file"};
        file.bytes_ = static_cast<std::size_t>(info.st_size);
        if (file.bytes_ == 0) return file;
        void* memory = ::mmap(nullptr, file.bytes_, PROT_READ, MAP_PRIVATE, file.fd_.get(), 0);
        if (memory == MAP_FAILED) return error_from_errno(errno, "cannot map " + path);
        file.memory_ = memory;
        return file;
    }
    MappedFile(MappedFile&& other) noexcept
        : fd_(std::move(other.fd_)),
          memory_(std::exchange(other.memory_, nullptr)),
          bytes_(other.bytes_) {}
    MappedFile& operator=(MappedFile&&) = delete;
    ~MappedFile() {
        if (memory_ != nullptr) ::munmap(memory_, bytes_);
    }
    int fd() const { return fd_.get(); }
    ByteView bytes() const { return {static_cast<const std::byte*>(memory_), bytes_}; }

  private:
    MappedFile() = default;
    UniqueFd fd_;
    void* memory_ = nullptr;
    std::size_t bytes_ = 0;
};

std::optional<Md5Digest> digest_of_hex(std::string_view hex) {
    Md5Digest digest;
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < hex.size(); ++i) {
        const char c = hex[i];
        const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (value < 0) return std::nullopt;
        const auto nibble = static_cast<std::byte>(value);
        digest[i / 2] = i % 2 == 0 ? nibble << 4 : digest[i / 2] | nibble;
    }
    return digest;
}

codec::ArchiveSource source_of(const std::string& path, const MappedFile& file) {
    codec::ArchiveSource source{path, file.bytes(), std::nullopt};
    // Copies made without attributes are as welcome; they are only checked against each other.
    const auto metadata = swift::read_metadata(file.fd(), path);
    if (!metadata) return source;
    const auto etag = metadata->text("ETag");
    if (etag) source.md5 = digest_of_hex(*etag);
    const auto object_etag = metadata->text("X-Object-Sysmeta-Ec-Etag");
    const auto timestamp = metadata->text("X-Timestamp");
    if (object_etag && timestamp) source.object = *timestamp + " " + *object_etag;
    return source;
}

/// Writes beside OUT and takes its name when all is done.
class OutputFile {
  public:
    OutputFile(std::string path, bool force) : path_(std::move(path)), force_(force) {}
    ~OutputFile() {
        if (fd_.valid()) ::unlink(partial_.c_str());
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    Result<void> create() {
        partial_ = path_ + ".partial-" + std::to_string(::getpid());
        fd_ = UniqueFd(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!fd_.valid()) return error_from_errno(errno, "cannot create " + partial_);
        return {};
    }
    Result<void> write(ByteView bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return error_from_errno(errno, "cannot write " + partial_);
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return {};
    }
    Result<void> commit() {
        if (::fsync(fd_.get()) != 0) return error_from_errno(errno, "cannot write " + partial_);
        const unsigned flags = force_ ? 0 : RENAME_NOREPLACE;
        if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0) {
            return error_from_errno(errno, "cannot rename " + partial_ + " to " + path_);
        }
        fd_.reset();
        return {};
    }

  private:
    std::string path_;
    bool force_;
    std::string partial_;
    UniqueFd fd_;
};

int exit_code(const Error& error) {
    switch (error.code) {
        case errc::too_few_fragments:
        case errc::bad_fragment:
            return static_cast<int>(ExitCode::unrecoverable_objects);
        case errc::wrong_bytes:
        case errc::internal:
            return static_cast<int>(ExitCode::internal_error);
        default:
            return static_cast<int>(ExitCode::usage);
    }
}

std::string joined(const std::vector<std::uint8_t>& indexes) {
    std::string text;
    for (std::uint8_t index : indexes) {
        if (!text.empty()) text += ' ';
        text += std::to_string(index);
    }
    return text;
}

void print_report(const CodecLine& line, const codec::ArchiveReport& report, std::ostream& out) {
    if (!line.json) {
        out << "fragment " << int{line.index} << " of " << codec::to_string(*line.scheme) << ": "
            << report.bytes << " bytes, " << report.segments << " segments, MD5 "
            << to_hex(report.md5) << "\nfrom fragments " << joined(report.survivors) << ", "
            << report.spares << " spare agree, " << report.verified << " verified by their MD5\n";
        return;
    }
    json::array left_out;
    for (const codec::LeftOut& one : report.left_out) {
        left_out.push_back(
            {{"archive", line.archives[one.source]}, {"why", one.why}, {"damaged", one.damaged}});
    }
    out << json::serialize(json::value{
               {"index", line.index},
               {"bytes", report.bytes},
               {"segments", report.segments},
               {"md5", to_hex(report.md5)},
               {"survivors", json::array(report.survivors.begin(), report.survivors.end())},
               {"spares", report.spares},
               {"verified", report.verified},
               {"left_out", left_out}})
        << '\n';
}

}  // namespace

int run_codec_rebuild(const CodecLine& line, const Clock& clock, std::ostream& out,
                      std::ostream& err) {
    const auto fail = [&](const Error& error) {
        err << "fragmend: " << error.detail << '\n';
        return exit_code(error);
    };
    std::error_code ignored;
    if (!line.force && std::filesystem::exists(line.output, ignored)) {
        err << "fragmend: " << line.output << " exists; --force replaces it\n";
        return static_cast<int>(ExitCode::refused);
    }
    const auto backend = make_backend(line.backend, clock);
    if (!backend) return fail(backend.error());
    if (auto usable = backend->codec->check(*line.scheme); !usable) return fail(usable.error());
    std::vector<MappedFile> files;
    std::vector<codec::ArchiveSource> sources;
    for (const std::string& path : line.archives) {
        auto file = MappedFile::open(path);
        if (!file) return fail(file.error());
        files.push_back(std::move(*file));
        sources.push_back(source_of(path, files.back()));
    }
    OutputFile file(line.output, line.force);
    if (auto created = file.create(); !created) return fail(created.error());
    codec::ArchiveReport report;
    const codec::ArchiveRequest request{*line.scheme, line.index, line.segment_bytes};
    auto done = codec::rebuild_archive(
        *backend->codec, request, sources, [&](ByteView bytes) { return file.write(bytes); },
        report);
    for (const codec::LeftOut& one : report.left_out) {
        err << "fragmend: left out " << line.archives[one.source] << ": " << one.why << '\n';
    }
    if (done) done = file.commit();
    if (!done) return fail(done.error());
    print_report(line, report, out);
    return static_cast<int>(ExitCode::done);
}

}  // namespace fragmend::app
