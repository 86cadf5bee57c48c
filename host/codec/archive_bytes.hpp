// The bytes of a fragment archive, wherever they are.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"

namespace fragmend::codec {

/// Archives go up to gigabytes, and a rebuild looks at many: they are read piece by piece, as each
/// is needed, and reading can fail at any of them.
class ArchiveBytes {
  public:
    /// Fills `into` with the bytes from `at` on, which lie within the archive.
    using Read = std::function<Result<void>(std::uint64_t at, ByteSpan into)>;

    ArchiveBytes() = default;
    ArchiveBytes(std::uint64_t size, Read read) : size_(size), read_(std::move(read)) {}
    /// Of memory that outlives it.
    ArchiveBytes(ByteView memory)
        : size_(memory.size()), read_([memory](std::uint64_t at, ByteSpan into) -> Result<void> {
              std::ranges::copy(memory.subspan(at, into.size()), into.begin());
              return {};
          }) {}

    std::uint64_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    Result<void> read(std::uint64_t at, ByteSpan into) const { return read_(at, into); }

  private:
    std::uint64_t size_ = 0;
    Read read_;
};

}  // namespace fragmend::codec
