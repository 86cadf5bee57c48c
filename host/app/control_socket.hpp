// A unix socket at which a running process is asked how it is, and told to pause.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "host/app/control_request.hpp"
#include "host/base/async.hpp"
#include "host/base/log.hpp"

namespace fragmend::app {

/// Bounds of the conversation: one line each way, then the end.
inline constexpr std::size_t control_request_bytes_max = 1024;
inline constexpr std::size_t control_answer_bytes_max = 1 << 20;
inline constexpr std::size_t control_callers_max = 8;
inline constexpr std::chrono::seconds control_limit{5};

/// `<directory>/fragmend-<pid>.sock`.
std::string control_socket_name(int pid);
bool is_control_socket_name(std::string_view name);

/// Serves callers of the same user, or root, one line each; all others are dropped without an
/// answer. Whoever is slow or says too much is dropped, too. A process that cannot listen says so
/// and works without. Owned by the reconstructor; network thread only.
class ControlSocket {
  public:
    using Answer = std::function<std::string(const ControlRequest&)>;
    /// `answer` gives the line for a request.
    ControlSocket(asio::any_io_executor executor, Logger log, Answer answer);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    /// Listens in `directory`, with mode 0600 from the first moment; sockets of processes that
    /// are no more are removed there. Blocks for a moment: before the network thread runs.
    Result<void> listen(const std::string& directory);
    /// Serves until `stop`.
    Awaitable<void> serve();
    void stop();

  private:
    using Protocol = asio::local::stream_protocol;
    Awaitable<void> converse(Protocol::socket caller);

    asio::any_io_executor executor_;
    Logger log_;
    Answer answer_;
    Protocol::acceptor acceptor_;
    TaskGroup callers_;
    std::set<Protocol::socket*> open_;
    std::string path_;
};

}  // namespace fragmend::app
