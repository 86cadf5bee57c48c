// GET and HEAD: from a request to an answer and the bytes that go with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/server/archive_reader.hpp"
#include "host/server/backend_request.hpp"
#include "host/server/object_fields.hpp"
#include "host/server/server_options.hpp"

namespace fragmend::server {

/// A body that is read from an archive: before each range its text, after all of them the last.
struct ArchiveBody {
    struct Part {
        std::string before;
        ByteRange range;
    };
    std::vector<Part> parts;
    std::string end;

    std::uint64_t bytes() const;
};

/// What a GET is answered with. Without a reader, `head` is the whole answer.
struct GetAnswer {
    Reply head;
    std::unique_ptr<ArchiveReader> reader;
    ArchiveBody body;
};

/// Opens the object, weighs conditions and ranges. Blocks; runs on a disk thread. A HEAD gets no
/// reader. Source: swift.obj.server.ObjectController.GET, HEAD.
GetAnswer answer_get(const BackendRequest& request, const ServerOptions& options,
                     const FragmentAudit* audit);

/// Opens the object whatever its expiry, then says whether it is past at `now`.
/// Errors: those of `open_found`; not_mounted.
struct OpenedAt {
    swift::OpenObject object;
    bool expired = false;
};
Result<OpenedAt> open_at(const BackendRequest& request, const swift::OpenOptions& options,
                         const Timestamp& now);

/// What Swift answers when an object could not be opened. Nothing for what is a 404 of its own
/// making at the caller: not_found, quarantined.
std::optional<Reply> failed_open_reply(const BackendRequest& request, const Error& error);

}  // namespace fragmend::server
