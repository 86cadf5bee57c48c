// The objects of one session, rebuilt ahead and drained in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "host/base/async.hpp"
#include "scheduler/rebuild.hpp"

namespace fragmend::scheduler {

/// A queue of rebuilds: `push` starts one behind the others, the session serves `front` and pops
/// it. Up to `objects_max` (fragmend_read_ahead, the front included) run at the same time, all of
/// them charged to the one budget. What happens to one of them never touches another.
///
/// Progress (see MemoryBudget): objects ask for memory in the order of `push`, which is the order
/// in which they are drained, and once. The one exception is a front whose survivors have larger
/// pieces than it asked for: it has given everything back by then, and `ready` first makes all
/// objects behind it give everything back too, then lets all of them ask again in the same order.
/// At the moment of asking the session holds nothing but what others verified for it.
///
/// Owned by the session's job; one session coroutine calls it; `cancel` may come from anybody on
/// the network thread. `stop` before destroying is a must.
class ReadAhead {
  public:
    ReadAhead(RebuildPorts ports, RebuildLimits limits, std::size_t objects_max);
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;

    bool has_room() const { return !starting_over_ && objects_.size() < objects_max_; }
    bool empty() const { return objects_.empty(); }
    /// Starts one more object. Only when `has_room`. `left_out`: devices that failed it before.
    void push(RebuildRequest request, std::vector<std::uint32_t> left_out);
    /// Takes output `output` of a verified rebuild that another queue started.
    void push(std::shared_ptr<ObjectRebuild> verified, std::size_t output);

    /// The object to serve now. Only when not `empty`. Stays in place until `pop`, or until `ready`
    /// starts it anew: call `ready` first, then take the reference.
    ObjectRebuild& front();
    /// ObjectRebuild::ready of the front. After an error: count it, look at `front().outcome()`,
    /// `pop`.
    Awaitable<Result<void>> ready();
    /// ObjectRebuild::next of the front.
    Awaitable<Result<ByteView>> next();
    /// Bytes of the front that the session got.
    std::uint64_t bytes_released() const;
    /// The front's further outputs are somebody else's from now on. Only when it is verified.
    std::shared_ptr<ObjectRebuild> share_front();
    /// Whether another queue started the front, or shares it by now.
    bool is_shared_front() const { return objects_.front().is_shared; }
    /// Ends the front, whatever its state, and removes it.
    Awaitable<void> pop();

    /// Makes every call answer `cancelled`; does not wait.
    void cancel();
    /// Ends one object's work, wherever it is in line: `cancelled` when its turn comes, or at once.
    void cancel(const std::string& object_hash);
    /// Ends and removes all objects.
    Awaitable<void> stop();

  private:
    struct Object {
        std::shared_ptr<ObjectRebuild> rebuild;
        std::size_t output = 0;
        bool is_shared = false;  ///< The other outputs are not of this queue.
        std::vector<std::uint32_t> left_out;
        bool enlarged = false;
        bool given_up = false;  ///< Whatever is started for it ends at once.
    };
    void start(Object& object, RebuildRequest request);
    static void cancel(Object& object);
    static Awaitable<void> end(Object& object);
    /// Stops all objects and starts them again in order, the front for one output only and with
    /// pieces of `piece_bytes`; what others had verified for this queue is rebuilt again.
    Awaitable<void> start_over(std::size_t piece_bytes);
    /// The front fits with the larger pieces that it turned out to have: objects of one age mostly
    /// were cut alike, so that those whose pieces are a guess had better ask for as much from here
    /// on, if all that run at a time fit then.
    void learn_from(const RebuildRequest& request);

    RebuildPorts ports_;
    RebuildLimits limits_;
    std::size_t objects_max_;
    std::deque<Object> objects_;
    bool cancelled_ = false;
    bool starting_over_ = false;       ///< All of them; none may join meanwhile.
    std::size_t piece_bytes_met_ = 0;  ///< At least, for those that do not know.
};

}  // namespace fragmend::scheduler
