// Dispatch, and the answers that need no file of their own.
#include "host/server/object_server.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "host/server/object_change.hpp"
#include "host/server/plain_put.hpp"
#include "host/server/recon.hpp"
#include "host/server/replicate.hpp"
#include "host/server/request_timing.hpp"
#include "host/swift/mount_check.hpp"
#include "host/swift/python_text.hpp"
#include "transport/python_text.hpp"
#include "transport/ssync/receiver.hpp"

namespace fragmend::server {
namespace {

using std::chrono::steady_clock;
using transport::Deadline;

constexpr std::array<std::string_view, 6> methods{"DELETE",  "GET",  "HEAD",
                                                  "OPTIONS", "POST", "PUT"};
constexpr std::array<std::string_view, 2> replication_methods{"REPLICATE", "SSYNC"};
constexpr std::string_view part_power_words =
    "the part power is being increased, and this server does not relink";

/// What one trip to a disk thread brings back for a GET.
struct FirstPiece {
    GetAnswer answer;
    Result<ByteView> piece = ByteView();
};

/// Sessions wait for locks and are told of them only in their place, so without a limit of their
/// own they leave none of the connections for anything else.
std::int64_t sessions_max(const ServerOptions& options) {
    if (options.replication_concurrency > 0) return options.replication_concurrency;
    return std::max<std::int64_t>(1, options.max_clients - options.max_clients / 4);
}

/// A partition without hashes takes seconds, and reconstructors ask for many at a time.
std::size_t hashing_max(const ServerOptions& options) {
    return static_cast<std::size_t>(std::max<std::int64_t>(1, options.disk_threads / 2));
}

FirstPiece open_and_read(const BackendRequest& request, const ServerOptions& options,
                         const FragmentAudit* audit) {
    FirstPiece first{answer_get(request, options, audit)};
    if (first.answer.reader == nullptr) return first;
    ArchiveReader& reader = *first.answer.reader;
    reader.start(first.answer.body.parts.front().range);
    if (!reader.may_send()) first.piece = reader.next();
    return first;
}

}  // namespace

ObjectServer::ObjectServer(ServerSetup setup)
    : setup_(std::move(setup)),
      client_limit_(transport::TimeLimit::from_float(setup_.options.client_timeout_s)),
      places_(sessions_max(setup_.options)),
      lines_(setup_.network),
      log_(setup_.clock, setup_.logger, setup_.options.log_requests),
      memory_(setup_.network, static_cast<std::size_t>(setup_.options.memory_limit_bytes)),
      hashing_(setup_.network, hashing_max(setup_.options)),
      sessions_{setup_.network, setup_.disks, {setup_.options, setup_.constraints},
                setup_.stores,  places_,      lines_,
                memory_,        log_,         setup_.metrics} {}
ObjectServer::~ObjectServer() = default;

Awaitable<void> ObjectServer::handle(Exchange& exchange) {
    const auto began = steady_clock::now();
    co_await dispatch(exchange, exchange.head().path(), headers_of(exchange.head()));
    log_request(exchange, std::chrono::duration<double>(steady_clock::now() - began).count());
}

bool ObjectServer::allows(std::string_view method) const {
    if (std::ranges::find(methods, method) != methods.end()) return true;
    return setup_.options.replication_server &&
           std::ranges::find(replication_methods, method) != replication_methods.end();
}

Awaitable<void> ObjectServer::dispatch(Exchange& exchange, std::string path, HeaderMap headers) {
    const std::string method(exchange.head().method());
    const bool answered = co_await answer_before_objects(exchange, path);
    if (answered) co_return;
    if (path.empty() || !swift::is_valid_utf8(path)) {
        co_return co_await answer(exchange,
                                  text_reply(412, "Invalid UTF8 or contains NULL", false));
    }
    if (!allows(method)) co_return co_await answer(exchange, error_reply(405));
    const auto began = steady_clock::now();
    co_await serve(exchange, method, std::move(path), std::move(headers));
    time_request(setup_.metrics, method, exchange.status(), steady_clock::now() - began);
}

Awaitable<void> ObjectServer::serve(Exchange& exchange, std::string method, std::string path,
                                    HeaderMap headers) {
    if (method == "OPTIONS") co_return co_await answer(exchange, options_reply());
    if (method == "REPLICATE" || method == "SSYNC") {
        const bool is_session = method == "SSYNC";
        auto request =
            partition_request(setup_.stores, method, path, std::move(headers), !is_session);
        if (!request) co_return co_await answer(exchange, std::move(request.error()));
        if (is_session) co_return co_await ssync(exchange, std::move(*request));
        co_return co_await replicate(exchange, std::move(*request));
    }
    auto request = object_request(setup_.stores, method, path, std::move(headers));
    if (!request) co_return co_await answer(exchange, std::move(request.error()));
    const bool is_write = method == "PUT" || method == "POST" || method == "DELETE";
    if (is_write && request->is_to_be_relinked()) {
        tell_of_part_power(*request);
        co_return co_await answer(exchange, text_reply(503, std::string(part_power_words)));
    }
    if (method == "PUT") co_return co_await put(exchange, std::move(*request));
    if (method == "POST" || method == "DELETE") {
        co_return co_await change(exchange, std::move(*request));
    }
    co_return co_await get(exchange, std::move(*request));
}

void ObjectServer::tell_of_part_power(const BackendRequest& request) {
    if (std::exchange(told_of_part_power_, true)) return;
    setup_.logger.error("Writes to policy " + request.store->policy.name +
                        " are refused with 503: " + std::string(part_power_words));
}

Awaitable<void> ObjectServer::answer(Exchange& exchange, Reply reply) {
    // Swift makes up its explanations only where they are sent, so a HEAD is told of none.
    if (exchange.head().method() == "HEAD" && is_explanation(reply)) reply.body.clear();
    auto sent = co_await exchange.reply(std::move(reply));
    static_cast<void>(sent);
}

Awaitable<void> ObjectServer::get(Exchange& exchange, BackendRequest request) {
    auto open = [this, &request] { return open_and_read(request, setup_.options, setup_.audit); };
    FirstPiece first = co_await offload(setup_.disks, std::move(open));
    ArchiveReader* reader = first.answer.reader.get();
    if (reader == nullptr) co_return co_await answer(exchange, std::move(first.answer.head));
    if (first.piece.has_error()) {
        // Nothing was said yet, so what turned out damaged is simply not there.
        const bool damaged = first.piece.error() == errc::quarantined;
        co_return co_await answer(exchange, error_reply(damaged ? 404 : 500));
    }
    std::string start = first.answer.body.parts.front().before;
    start += as_text(*first.piece);
    auto sent = co_await exchange.begin(std::move(first.answer.head), start);
    if (sent.has_value()) sent = co_await stream(exchange, *reader, first.answer.body);
    if (sent.has_value()) sent = co_await exchange.finish();
    if (sent.has_error()) exchange.drop();
}

Awaitable<Result<void>> ObjectServer::stream(Exchange& exchange, ArchiveReader& reader,
                                             const ArchiveBody& body) {
    bool is_first = true;
    for (const auto& part : body.parts) {
        if (!is_first) {
            auto sent = co_await exchange.write(as_bytes_view(part.before));
            if (sent.has_error()) co_return sent;
            reader.start(part.range);
        }
        is_first = false;
        if (reader.may_send()) {
            auto sent = co_await send(exchange, reader);
            if (sent.has_error()) co_return sent;
        }
        while (!reader.at_end()) {
            auto read = [&reader] { return reader.next(); };
            Result<ByteView> piece = co_await offload(setup_.disks, std::move(read));
            if (piece.has_error()) {
                log_cut(exchange, piece.error());
                co_return piece.error();
            }
            auto sent = co_await exchange.write(*piece);
            if (sent.has_error()) co_return sent;
        }
    }
    if (!body.end.empty()) co_return co_await exchange.write(as_bytes_view(body.end));
    co_return Result<void>();
}

Awaitable<Result<void>> ObjectServer::send(Exchange& exchange, ArchiveReader& reader) {
    const auto socket = exchange.lend_socket();
    if (socket.has_error()) co_return socket.error();
    for (;;) {
        auto some = [&reader, fd = socket->get()] { return reader.send(fd); };
        Result<std::uint64_t> sent = co_await offload(setup_.disks, std::move(some));
        if (sent.has_error()) {
            if (sent.error() != errc::disconnected) log_cut(exchange, sent.error());
            co_return sent.error();
        }
        exchange.was_sent(*sent);
        if (reader.at_end()) co_return Result<void>();
        auto writable = co_await exchange.await_writable();
        if (writable.has_error()) co_return writable;
    }
}

void ObjectServer::log_cut(const Exchange& exchange, const Error& error) const {
    setup_.logger.error(exchange.peer() + " " + std::string(exchange.head().target()) +
                        " cut off: " + to_string(error));
}

Awaitable<void> ObjectServer::replicate(Exchange& exchange, BackendRequest request) {
    auto place = co_await hashing_.acquire(1, steady_clock::now() + client_limit_.duration());
    if (place.has_error()) co_return co_await answer(exchange, error_reply(503));
    auto work = [&request] { return answer_replicate(request); };
    Reply reply = co_await offload(setup_.disks, std::move(work));
    place->release();
    co_await answer(exchange, std::move(reply));
}

Awaitable<void> ObjectServer::ssync(Exchange& exchange, BackendRequest request) {
    std::optional<int> frag_index;
    const auto text = request.headers.get("X-Backend-Ssync-Frag-Index");
    if (!text.empty()) {
        const auto number = swift::python_int(text);
        const auto& policy = request.store->policy;
        // Whole objects have no index: what it says is of no account, as long as it is one.
        const bool is_coded = policy.is_erasure_coding();
        if (!number || (is_coded && (*number < 0 || *number >= policy.unique_fragments()))) {
            std::string why = "Invalid X-Backend-Ssync-Frag-Index " + transport::python_repr(text);
            co_return co_await answer(exchange, text_reply(400, std::move(why), false));
        }
        if (is_coded) frag_index = static_cast<int>(*number);
    }
    auto look = [&request] {
        // Here, since sub-requests are weighed on the network thread.
        request.store->refresh_ring();
        return swift::check_device(request.disk(), request.device);
    };
    const Result<void> mounted = co_await offload(setup_.disks, std::move(look));
    if (mounted.has_error()) {
        co_return co_await answer(exchange, error_reply(507, request.device));
    }
    transport::ssync::ReceiverOptions options;
    options.client = client_limit_;
    options.line_bytes_max = static_cast<std::size_t>(setup_.options.network_chunk_bytes);
    options.failure_threshold = setup_.options.replication_failure_threshold;
    options.failure_ratio = setup_.options.replication_failure_ratio;
    std::string name = exchange.peer() + "/" + request.device + "/" + request.partition;
    SsyncObjects objects(sessions_, std::move(request), frag_index);
    transport::ssync::Receiver receiver(setup_.network, exchange, objects, memory_,
                                        std::move(options), std::move(name), setup_.logger);
    co_await receiver.run();
}

Awaitable<void> ObjectServer::put(Exchange& exchange, BackendRequest request) {
    PlainPut put(sessions_, exchange, client_limit_);
    auto reply = co_await put.run(std::move(request));
    if (reply) co_await answer(exchange, std::move(*reply));
}

Awaitable<void> ObjectServer::change(Exchange& exchange, BackendRequest request) {
    auto work = [&request, rules = sessions_.rules] {
        return request.method == "POST" ? answer_post(request, rules)
                                        : answer_delete(request, rules);
    };
    Reply reply = co_await offload(setup_.disks, std::move(work));
    co_await answer(exchange, std::move(reply));
}

/// What Swift's pipeline answers before the object server is asked.
Awaitable<bool> ObjectServer::answer_before_objects(Exchange& exchange, const std::string& path) {
    const bool is_health = path == "/healthcheck";
    if (!is_health && !path.starts_with("/recon/")) co_return false;
    if (is_health && setup_.options.healthcheck_disable_path.empty()) {
        // Without a file to look for it needs no disk thread, so it is answered when none is left.
        co_await answer(exchange, answer_healthcheck(setup_.options));
        co_return true;
    }
    auto work = [this, is_health, path] {
        return is_health ? answer_healthcheck(setup_.options)
                         : answer_recon(path, setup_.options, setup_.stores, setup_.clock);
    };
    Reply reply = co_await offload(setup_.disks, std::move(work));
    co_await answer(exchange, std::move(reply));
    co_return true;
}

Reply ObjectServer::options_reply() const {
    std::vector<std::string_view> allowed(methods.begin(), methods.end());
    if (setup_.options.replication_server) {
        allowed.insert(allowed.end(), replication_methods.begin(), replication_methods.end());
    }
    std::ranges::sort(allowed);
    std::string list;
    for (const auto method : allowed) {
        if (!list.empty()) list += ", ";
        list += method;
    }
    Reply reply;
    reply.fields = {{"Content-Type", "text/html; charset=UTF-8"},
                    {"Allow", std::move(list)},
                    {"Server", "object-server/" FRAGMEND_VERSION}};
    return reply;
}

void ObjectServer::log_request(const Exchange& exchange, double seconds) const {
    const auto& head = exchange.head();
    const bool quiet = head.method() == "REPLICATE" || head.method() == "SSYNC" ||
                       head.find("X-Backend-Replication").has_value();
    const LogLevel level = quiet ? LogLevel::debug : LogLevel::info;
    if (!log_.wants(level)) return;
    const auto field = [&](std::string_view name) {
        return std::string(head.find(name).value_or("-"));
    };
    log_.write(level,
               {exchange.peer(), std::string(head.method()), std::string(head.path()),
                exchange.status(), field("Content-Length"), field("Referer"), field("X-Trans-Id"),
                field("User-Agent"), seconds, field("X-Backend-Storage-Policy-Index")});
}

}  // namespace fragmend::server
