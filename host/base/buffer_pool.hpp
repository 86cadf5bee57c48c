// Page-aligned memory for payload bytes: leased, given back, leased again.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "host/base/bytes.hpp"

namespace fragmend {

/// Where slabs come from. Pages of the system here; page-locked memory in host/codec when there is
/// a GPU. Slabs start on a page. `allocate` throws bad_alloc.
class SlabSource {
  public:
    virtual ~SlabSource() = default;
    virtual std::byte* allocate(std::size_t bytes) = 0;
    virtual void free(std::byte* slab, std::size_t bytes) noexcept = 0;
};

/// Small slabs from the heap; larger ones are mapped, so that their pages go back to the system
/// when they are freed, however the heap is used around them.
class HeapSlabs final : public SlabSource {
  public:
    std::byte* allocate(std::size_t bytes) override;
    void free(std::byte* slab, std::size_t bytes) noexcept override;
};

/// Keeps slabs that came back, so that the steady state does not allocate.
/// Place:    between whoever owns the byte budget (who may lease how much) and the slab source.
/// Bound:    a slab is kept only while leased, claimed and idle bytes stay within `bytes_max`; what
///           is leased and claimed is bounded by the budget, not here. With `bytes_max` 0 nothing
///           is ever kept.
/// Runs on:  one thread. Outlives its leases.
class BufferPool {
  public:
    BufferPool(SlabSource& slabs, std::size_t bytes_max) : slabs_(slabs), bytes_max_(bytes_max) {}
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// One slab, given back when it is destroyed. Its bytes are what the last holder left.
    class Lease {
      public:
        Lease() = default;
        Lease(Lease&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)),
              bytes_(std::exchange(other.bytes_, ByteSpan())) {}
        Lease& operator=(Lease&& other) noexcept {
            if (this != &other) {
                release();
                pool_ = std::exchange(other.pool_, nullptr);
                bytes_ = std::exchange(other.bytes_, ByteSpan());
            }
            return *this;
        }
        ~Lease() { release(); }
        void release();
        /// The whole slab: `capacity_for` of what was asked, or nothing after release.
        ByteSpan bytes() const { return bytes_; }

      private:
        friend class BufferPool;
        Lease(BufferPool* pool, ByteSpan bytes) : pool_(pool), bytes_(bytes) {}
        BufferPool* pool_ = nullptr;
        ByteSpan bytes_;
    };

    /// Bytes that somebody allocates elsewhere on account of the same budget: idle slabs make room
    /// for them. Given back when it is destroyed.
    class Claim {
      public:
        Claim() = default;
        Claim(Claim&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
        Claim& operator=(Claim&& other) noexcept {
            std::swap(pool_, other.pool_);
            std::swap(bytes_, other.bytes_);
            return *this;
        }
        ~Claim() { shrink_to(0); }
        /// Keeps at most `bytes` of it.
        void shrink_to(std::size_t bytes);
        std::size_t bytes() const { return bytes_; }

      private:
        friend class BufferPool;
        Claim(BufferPool* pool, std::size_t bytes) : pool_(pool), bytes_(bytes) {}
        BufferPool* pool_ = nullptr;
        std::size_t bytes_ = 0;
    };

    /// `bytes` > 0.
    Lease lease(std::size_t bytes);
    Claim claim(std::size_t bytes);
    /// The size of the slab that `lease(bytes)` hands out: pages below 64 KiB, then eighths of a
    /// power of two, so that slabs of similar objects fit one another and at most 1/8 is unused.
    static std::size_t capacity_for(std::size_t bytes);

    std::size_t leased_bytes() const { return leased_bytes_; }
    std::size_t claimed_bytes() const { return claimed_bytes_; }
    std::size_t idle_bytes() const { return idle_bytes_; }

  private:
    void give_back(ByteSpan slab);
    /// Frees idle slabs, the largest first, until `more` further bytes fit.
    void make_room(std::size_t more);

    SlabSource& slabs_;
    std::size_t bytes_max_;
    std::size_t leased_bytes_ = 0;
    std::size_t claimed_bytes_ = 0;
    std::size_t idle_bytes_ = 0;
    std::map<std::size_t, std::vector<std::byte*>> idle_;  ///< By capacity; no empty lists.
};

}  // namespace fragmend
