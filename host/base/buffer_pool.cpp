// Slab sizes and the free lists.
#include "host/base/buffer_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

#include "host/base/error.hpp"

namespace fragmend {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t mapped_bytes_min = 64 * 1024;

std::size_t round_up(std::size_t bytes, std::size_t step) {
    return (bytes + step - 1) / step * step;
}

}  // namespace

std::byte* HeapSlabs::allocate(std::size_t bytes) {
    if (bytes < mapped_bytes_min)
        return static_cast<std::byte*>(::operator new(bytes, std::align_val_t(page_bytes)));
    void* pages =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    return static_cast<std::byte*>(pages);
}

void HeapSlabs::free(std::byte* slab, std::size_t bytes) noexcept {
    if (bytes < mapped_bytes_min)
        ::operator delete(slab, bytes, std::align_val_t(page_bytes));
    else
        ::munmap(slab, bytes);
}

void BufferPool::Lease::release() {
    if (pool_ != nullptr) std::exchange(pool_, nullptr)->give_back(std::exchange(bytes_, {}));
}

BufferPool::~BufferPool() {
    FRAGMEND_ASSERT(leased_bytes_ == 0 && claimed_bytes_ == 0);
    bytes_max_ = 0;
    make_room(0);
}

std::size_t BufferPool::capacity_for(std::size_t bytes) {
    return round_up(bytes, std::max(page_bytes, std::bit_floor(bytes) / 8));
}

BufferPool::Lease BufferPool::lease(std::size_t bytes) {
    FRAGMEND_ASSERT(bytes > 0);
    const std::size_t capacity = capacity_for(bytes);
    std::byte* slab = nullptr;
    if (const auto kept = idle_.find(capacity); kept != idle_.end()) {
        slab = kept->second.back();
        kept->second.pop_back();
        if (kept->second.empty()) idle_.erase(kept);
        idle_bytes_ -= capacity;
    } else {
        make_room(capacity);
        slab = slabs_.allocate(capacity);
    }
    leased_bytes_ += capacity;
    return Lease(this, ByteSpan(slab, capacity));
}

BufferPool::Claim BufferPool::claim(std::size_t bytes) {
    make_room(bytes);
    claimed_bytes_ += bytes;
    return {this, bytes};
}

void BufferPool::Claim::shrink_to(std::size_t bytes) {
    if (bytes >= bytes_) return;
    pool_->claimed_bytes_ -= bytes_ - bytes;
    bytes_ = bytes;
}

void BufferPool::give_back(ByteSpan slab) {
    leased_bytes_ -= slab.size();
    idle_[slab.size()].push_back(slab.data());
    idle_bytes_ += slab.size();
    make_room(0);
}

void BufferPool::make_room(std::size_t more) {
    while (!idle_.empty() && leased_bytes_ + claimed_bytes_ + idle_bytes_ + more > bytes_max_) {
        const auto largest = std::prev(idle_.end());
        slabs_.free(largest->second.back(), largest->first);
        idle_bytes_ -= largest->first;
        largest->second.pop_back();
        if (largest->second.empty()) idle_.erase(largest);
    }
}

}  // namespace fragmend
