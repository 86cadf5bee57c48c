// Feeding streams to the lanes of an MD5 kernel.
#include "host/codec/md5_lanes.hpp"

#include <algorithm>
#include <cstring>

#include "host/base/error.hpp"

namespace fragmend::codec {
namespace {

constexpr std::size_t block_bytes = gf::md5_block_bytes;

/// Feeds that share the lanes in turn, and the blocks of one turn: 8 KiB of each.
constexpr std::size_t readers_max = 4 * md5_lanes_max;
constexpr std::size_t slice_blocks = 128;

const std::uint8_t* data_of(ByteView bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// The blocks of one feed: first the one that its stream's tail begins, then those in its own
/// bytes.
class BlockReader {
  public:
    BlockReader() = default;
    explicit BlockReader(const Md5Feed& feed) : stream_(feed.stream), rest_(feed.bytes) {
        const auto waiting = static_cast<std::size_t>(stream_->bytes % block_bytes);
        stream_->bytes += rest_.size();
        if (waiting != 0 && !rest_.empty()) {
            const std::size_t missing = std::min(block_bytes - waiting, rest_.size());
            std::memcpy(stream_->tail.data() + waiting, rest_.data(), missing);
            rest_ = rest_.subspan(missing);
            if (waiting + missing == block_bytes) {
                blocks_ = stream_->tail.data();
                count_ = 1;
            }
        }
        if (count_ == 0) take_own_blocks();
    }

    std::size_t count() const { return count_; }
    const std::uint8_t* blocks() const { return blocks_; }
    Md5Words* words() const { return &stream_->words; }

    /// Passes `blocks` that were compressed. False once no block is left.
    bool advance(std::size_t blocks) {
        count_ -= blocks;
        blocks_ += blocks * block_bytes;
        if (count_ == 0) take_own_blocks();
        return count_ != 0;
    }

  private:
    /// What does not fill a block waits in the tail, which no pending block uses any more.
    void take_own_blocks() {
        blocks_ = data_of(rest_);
        count_ = rest_.size() / block_bytes;
        const ByteView left = rest_.subspan(count_ * block_bytes);
        if (!left.empty()) std::memcpy(stream_->tail.data(), left.data(), left.size());
        rest_ = {};
    }

    Md5Stream* stream_ = nullptr;
    ByteView rest_;
    const std::uint8_t* blocks_ = nullptr;
    std::size_t count_ = 0;
};

/// Hands out the feeds that have at least one block.
class FeedQueue {
  public:
    explicit FeedQueue(std::span<const Md5Feed> feeds) : feeds_(feeds) {}
    bool next(BlockReader& reader) {
        while (!feeds_.empty()) {
            reader = BlockReader(feeds_.front());
            feeds_ = feeds_.subspan(1);
            if (reader.count() != 0) return true;
        }
        return false;
    }

  private:
    std::span<const Md5Feed> feeds_;
};

}  // namespace

void update(std::span<const Md5Feed> feeds, const Md5Kernel& kernel) {
    FRAGMEND_ASSERT(kernel.lanes >= 1 && kernel.lanes <= md5_lanes_max);
    std::array<BlockReader, readers_max> readers;
    std::array<Md5Words*, md5_lanes_max> states{};
    std::array<const std::uint8_t*, md5_lanes_max> blocks{};
    std::array<Md5Words, md5_lanes_max> idle{};
    FeedQueue queue(feeds);
    std::size_t active = 0;
    for (;;) {
        while (active < readers.size() && queue.next(readers[active]))
            ++active;
        if (active == 0) return;
        const std::size_t taken = std::min(active, kernel.lanes);
        // While some wait, all come in turn: they end together, and no lane is idle for long.
        std::size_t count = active > taken ? slice_blocks : readers[0].count();
        for (std::size_t i = 0; i < taken; ++i) {
            count = std::min(count, readers[i].count());
        }
        for (std::size_t i = 0; i < kernel.lanes; ++i) {
            // A lane without a stream repeats the first one into a state that nobody reads.
            states[i] = i < taken ? readers[i].words() : &idle[i];
            blocks[i] = readers[i < taken ? i : 0].blocks();
        }
        // A lone stream is faster by itself than in one of many lanes.
        const Md5Kernel& used = taken == 1 ? portable_md5 : kernel;
        used.compress(states.data(), blocks.data(), count);
        for (std::size_t i = taken; i-- > 0;) {
            // From behind: what takes the place of a reader that is done has had its turn, or
            // waits for one.
            if (!readers[i].advance(count) && i != --active) readers[i] = readers[active];
        }
        if (active > taken) {
            const auto begin = readers.begin();
            std::rotate(begin, begin + static_cast<std::ptrdiff_t>(taken),
                        begin + static_cast<std::ptrdiff_t>(active));
        }
    }
}

Md5Digest finish(const Md5Stream& stream) {
    std::array<std::uint8_t, 2 * block_bytes> last{};
    const auto waiting = static_cast<std::size_t>(stream.bytes % block_bytes);
    std::memcpy(last.data(), stream.tail.data(), waiting);
    last[waiting] = 0x80;
    const std::size_t count = waiting + 1 + 8 <= block_bytes ? 1 : 2;
    const std::uint64_t bits = stream.bytes * 8;
    std::memcpy(last.data() + count * block_bytes - 8, &bits, 8);
    Md5Words words = stream.words;
    Md5Words* states[1] = {&words};
    const std::uint8_t* blocks[1] = {last.data()};
    portable_md5.compress(states, blocks, count);
    Md5Digest digest;
    std::memcpy(digest.data(), words.word, digest.size());
    return digest;
}

}  // namespace fragmend::codec
