// REPLICATE.
#include "host/server/replicate.hpp"

#include "host/swift/directory.hpp"
#include "host/swift/hashes_file.hpp"
#include "host/swift/mount_check.hpp"
#include "host/swift/partition_hashes.hpp"
#include "host/swift/pickle_writer.hpp"
#include "host/swift/replicate_answer.hpp"

namespace fragmend::server {
namespace {

Reply pickled(std::string body) {
    Reply reply;
    reply.fields.emplace_back("Content-Type", "text/html; charset=UTF-8");
    reply.body = std::move(body);
    return reply;
}

Reply failed(const BackendRequest& request, const Error& error) {
    if (error == errc::not_mounted) return error_reply(507, request.device);
    request.disk().logger.error("ERROR __call__ error with REPLICATE /" + request.device + "/" +
                                request.partition + " : " + to_string(error));
    return error_reply(500);
}

Reply invalidate(const BackendRequest& request, const swift::PartitionPath& place) {
    std::string_view rest = request.suffixes;
    while (true) {
        const auto dash = rest.find('-');
        const auto suffix = rest.substr(0, dash);
        if (swift::is_suffix_name(suffix)) {
            const auto noted = swift::invalidate_suffix(place.path, suffix);
            if (!noted) return failed(request, noted.error());
        }
        if (dash == std::string_view::npos) break;
        rest.remove_prefix(dash + 1);
    }
    swift::PickleWriter writer;
    writer.none();
    return pickled(writer.finish());
}

}  // namespace

Reply answer_replicate(const BackendRequest& request) {
    const auto mounted = swift::check_device(request.disk(), request.device);
    if (!mounted) return failed(request, mounted.error());
    if (!request.suffixes.empty()) {
        return invalidate(request, {request.disk(), request.device, request.partition});
    }
    const auto hashed = swift::get_hashes(request.disk(), request.device, request.partition, {});
    if (hashed) {
        return pickled(swift::dump_replicate_answer(hashed->hashes, request.disk().suffix_form()));
    }
    if (hashed.error() == errc::not_found) return pickled(swift::dump_replicate_answer({}));
    return failed(request, hashed.error());
}

}  // namespace fragmend::server
