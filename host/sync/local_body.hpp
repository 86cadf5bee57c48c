// The body of a PUT that carries this node's own fragment archive, checked while it is read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host/base/md5.hpp"
#include "host/swift/local_fragment.hpp"
#include "host/sync/pacer.hpp"
#include "host/sync/services.hpp"
#include "transport/ssync/ports.hpp"

namespace fragmend::sync {

/// What became of a body; its owner looks at it when the body is gone.
struct BodyOutcome {
    bool complete = false;  ///< Every byte was handed out, and all of them were right.
    std::optional<Error> error;
};

/// Reads an archive from the disk and compares it with the MD5 and the length of its metadata. An
/// archive of at most `piece_bytes_max` is checked before its first byte is handed out; of a longer
/// one the verdict comes with its end, which the sender waits for before the last piece leaves.
/// Owned by the sub-request; `outcome`, `services`, `pacer` and `activity` (the job's) outlive it.
/// Runs on the network thread, reads and hashes on a disk thread. Rests before it reads a piece,
/// waits for the throttle before it hands it out; once `stopped` is set, and the throttle wakes it,
/// it hands out nothing. Source:
/// swift.obj.ssync_sender.Sender.send_subrequest over diskfile.BaseDiskFileReader.
class LocalBody final : public transport::ssync::BodyStream {
  public:
    static constexpr std::size_t piece_bytes_max = 1 << 20;

    /// `permit` covers the piece that is held: the smaller of the archive and `piece_bytes_max`.
    LocalBody(Services& services, swift::LocalFragmentFile file, std::string md5,
              scheduler::MemoryBudget::Permit permit, BodyOutcome& outcome, Activity& activity,
              Pacer& pacer, scheduler::Endpoint target, const bool& stopped);

    /// Errors: bad_fragment (wrong length or bytes), io, cancelled.
    Awaitable<Result<ByteView>> next() override;

  private:
    Awaitable<Result<ByteView>> read();
    Result<ByteView> read_piece();
    Result<void> check_end();

    Services& services_;
    swift::LocalFragmentFile file_;
    std::string expected_md5_;
    scheduler::MemoryBudget::Permit permit_;
    BodyOutcome& outcome_;
    Activity& activity_;
    Pacer& pacer_;
    scheduler::Endpoint target_;
    const bool& stopped_;
    BufferPool::Lease piece_;
    Md5 md5_;
    bool checked_ = false;
    std::optional<scheduler::WaitTimer> sending_;  ///< While the sender has a piece.
};

}  // namespace fragmend::sync
