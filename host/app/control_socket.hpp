// A unix socket at which a running process is asked how it is, and told to pause.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "host/base/async.hpp"
#include "host/base/log.hpp"

namespace fragmend::app {

enum class ControlOperation { status, pause, resume, cancel };

/// One line of a request: `{"op": "status"}`. Anything else is an error: bad_config.
Result<ControlOperation> parse_control_request(std::string_view line);

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
    /// `answer` gives the line for an operation.
    ControlSocket(asio::any_io_executor executor, Logger log,
                  std::function<std::string(ControlOperation)> answer);
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
    std::function<std::string(ControlOperation)> answer_;
    Protocol::acceptor acceptor_;
    TaskGroup callers_;
    std::set<Protocol::socket*> open_;
    std::string path_;
};

}  // namespace fragmend::app
