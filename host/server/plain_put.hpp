// A PUT from a proxy: plain, or multipart with footers and a second phase.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/async.hpp"
#include "host/server/mime_documents.hpp"
#include "host/server/object_put.hpp"
#include "host/server/ssync_objects.hpp"
#include "transport/http/exchange.hpp"

namespace fragmend::server {

/// One PUT over its exchange. Runs on the network executor, with its disk work on disk threads.
/// What it collects between two writes (64 to 256 KiB, 128 KiB unless told otherwise) is its own:
/// what it shared with others it would keep while its client pauses. A client that brings less than
/// network_chunk_size in a client_timeout is told 408. Source:
/// swift.obj.server.ObjectController.PUT and what it calls.
class PlainPut {
  public:
    /// All references outlive the run.
    PlainPut(const SessionSetup& setup, transport::http::Exchange& exchange,
             transport::TimeLimit client_limit);

    /// The answer to `request`; nothing when the client has gone.
    Awaitable<std::optional<Reply>> run(BackendRequest request);

  private:
    using Step = Answered<void>;

    Awaitable<Step> receive();
    Awaitable<Step> receive_plain();
    Awaitable<Step> receive_parts();
    /// The next event of the multipart body. Answers: 400, 408, 499.
    Awaitable<Answered<MimeDocuments::Event>> next_part_event();
    /// A whole small part of the named kind. Answers: 400 with `missing` if it does not come.
    Awaitable<Answered<std::string>> read_document(std::string_view missing, HeaderMap& headers);
    Awaitable<Step> read_footers();
    Awaitable<Step> finish_two_phases();
    /// Reads what ends the first of two bodies. Answers: 400, 408, 499.
    Awaitable<Step> end_first_body();
    /// The next piece, empty at the end. Answers: 408, 499.
    Awaitable<Answered<ByteView>> read();
    void restart_deadline();
    /// Collects `bytes`, and writes what has become enough.
    Awaitable<Step> write(ByteView bytes);
    /// Writes what was collected.
    Awaitable<Step> flush();
    Awaitable<Step> write_to_disk(ByteView bytes);
    Awaitable<Step> store(PutOperation::Commit commit);

    const SessionSetup& setup_;
    transport::http::Exchange& exchange_;
    transport::TimeLimit client_limit_;
    std::size_t collected_bytes_max_;
    std::chrono::steady_clock::time_point give_up_;
    transport::Deadline deadline_ = transport::Deadline::none();
    std::int64_t bytes_since_deadline_ = 0;
    std::unique_ptr<PutOperation> put_;
    std::optional<MimeDocuments> documents_;
    bool input_over_ = false;
    bool gone_ = false;  ///< The client: nobody is left to be answered.
    bool has_footer_ = false;
    bool two_phases_ = false;
    bool commits_ = true;
    HeaderMap footers_;
    Fields continue_fields_;
    std::vector<std::byte> collected_;  ///< Not on the disk yet.
};

}  // namespace fragmend::server
