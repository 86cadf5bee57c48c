// Files around the rebuild of one archive.
#include "host/app/codec_rebuild.hpp"

#include <sys/stat.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <ostream>

#include "host/app/archive_file.hpp"
#include "host/app/codec_backend.hpp"
#include "host/app/output_file.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

/// Which file it is, by whatever name.
using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> file_id(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return std::nullopt;
    return FileId{info.st_dev, info.st_ino};
}

std::string exists(const std::string& path) {
    return path + " exists; --force replaces it";
}

/// Why OUT must stay as it is; empty when it may be written.
std::string refusal(const CodecLine& line) {
    struct stat info {};
    if (::lstat(line.output.c_str(), &info) != 0) return "";
    for (const std::string& archive : line.archives) {
        if (file_id(archive) == FileId{info.st_dev, info.st_ino}) {
            return line.output + " is one of the archives: " + archive;
        }
    }
    if (S_ISDIR(info.st_mode)) return line.output + " is a directory";
    if (!S_ISREG(info.st_mode)) return line.output + " is not a regular file";
    return line.force ? "" : exists(line.output);
}

std::vector<codec::ArchiveSource> open_archives(const CodecLine& line) {
    std::vector<codec::ArchiveSource> sources;
    std::map<FileId, std::string> seen;
    for (const std::string& path : line.archives) {
        const auto id = file_id(path);
        if (id && !seen.try_emplace(*id, path).second) {
            sources.push_back({path, {}, std::nullopt});
            sources.back().unusable = {"the same file as " + seen[*id], false};
        } else {
            sources.push_back(open_archive(path, line.scheme->n()));
        }
    }
    return sources;
}

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
            << report.verified << " of " << report.used << " verified by their MD5, "
            << report.spares << (report.spares == 1 ? " spare agrees\n" : " spares agree\n");
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
               {"used", report.used},
               {"spares", report.spares},
               {"verified", report.verified},
               {"proven", report.proven},
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
    const auto refuse = [&](const std::string& why) {
        err << "fragmend: " << why << '\n';
        return static_cast<int>(ExitCode::refused);
    };
    if (const std::string why = refusal(line); !why.empty()) return refuse(why);
    ErrorLines device_lines(err);
    const auto backend =
        make_backend(line.backend, clock, Logger(&device_lines, LogLevel::warning));
    if (!backend) return fail(backend.error());
    if (auto usable = backend->codec->check(*line.scheme); !usable) return fail(usable.error());
    const std::vector<codec::ArchiveSource> sources = open_archives(line);
    OutputFile file(line.output, line.force);
    if (auto created = file.create(); !created) return fail(created.error());
    codec::ArchiveReport report;
    const codec::ArchiveRequest request{*line.scheme, line.index, line.segment_bytes};
    const auto done = codec::rebuild_archive(
        *backend->codec, request, sources, [&](ByteView bytes) { return file.write(bytes); },
        report);
    for (const codec::LeftOut& one : report.left_out) {
        err << "fragmend: left out " << line.archives[one.source] << ": " << one.why << '\n';
    }
    if (!done) return fail(done.error());
    const auto committed = file.commit();
    if (!committed) return fail(committed.error());
    if (!*committed) return refuse(exists(line.output));
    if (!report.proven) {
        err << "fragmend: " << line.output << " is not proven: of " << report.used
            << " archives used " << report.verified
            << " have a known MD5, and no spares vouch for the others\n";
    }
    print_report(line, report, out);
    return static_cast<int>(ExitCode::done);
}

}  // namespace fragmend::app
