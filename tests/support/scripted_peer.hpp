// A server on loopback that plays a script: what it reads, what it says, how it goes away.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fragmend::test {

/// The peer's end of one accepted connection. Blocking; every wait ends when the test releases the
/// peer or after a generous limit, so that a failing test does not hang.
class PeerConnection {
  public:
    PeerConnection(int socket, int released) : socket_(socket), released_(released) {}
    ~PeerConnection();
    PeerConnection(const PeerConnection&) = delete;
    PeerConnection& operator=(const PeerConnection&) = delete;

    /// Reads until `marker` has come; returns everything up to its end. Empty when the client
    /// closed.
    std::string read_until(std::string_view marker);
    /// Reads until the client closes; returns everything.
    std::string read_to_end();
    void send(std::string_view text);
    /// Neither reads nor writes until the test lets go.
    void hang();
    /// Closes with a reset instead of a goodbye.
    void reset();

  private:
    bool receive();
    int socket_;
    int released_;
    std::string received_;
};

using PeerScript = std::function<void(PeerConnection&)>;

/// Plays one script a connection, in the order in which connections come, each on its own thread.
class ScriptedPeer {
  public:
    /// `receive_buffer_bytes` > 0 makes the kernel take little more than that from the client.
    explicit ScriptedPeer(std::vector<PeerScript> scripts, int receive_buffer_bytes = 0);
    ~ScriptedPeer();
    ScriptedPeer(const ScriptedPeer&) = delete;
    ScriptedPeer& operator=(const ScriptedPeer&) = delete;

    std::uint16_t port() const { return port_; }
    /// Lets hanging scripts go on and waits for all of them; scripts without a connection are
    /// dropped.
    void finish();

  private:
    void serve(std::vector<PeerScript> scripts);
    int listener_ = -1;
    int released_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

/// `text` as one chunk of a chunked body.
std::string chunk(std::string_view text);

}  // namespace fragmend::test
