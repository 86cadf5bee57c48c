// The cases of the self-test: schemes, losses, lengths and alignments, with the right answers.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/api/engine.hpp"
#include "kernels/gf/generator.hpp"

namespace fragmend::selftest {

/// A code with its numbers of data and parity fragments.
struct Shape {
    gf::Code code;
    int k;
    int m;
};

std::string name(const Shape& shape);

/// The shapes that are tested, those of common policies and the ends of what kernels take.
std::vector<Shape> all_shapes();

/// Payload lengths around every boundary that suit the code's field.
std::vector<std::size_t> lengths(gf::Code code);

/// Fragments of one segment, computed from the definitions.
struct Stripe {
    gf::Matrix generator;
    std::vector<std::vector<std::uint8_t>> fragments;
};

Stripe make_stripe(const Shape& shape, const gf::Matrix& generator, std::size_t bytes,
                   std::mt19937_64& random);

/// Page-locked memory of an engine, given out piece by piece for one batch.
class Arena {
  public:
    Arena(kernels::Engine& engine, std::size_t bytes)
        : engine_(engine), memory_(engine.allocate_pinned(bytes)), bytes_(bytes) {}
    ~Arena() {
        if (memory_ != nullptr) engine_.free_pinned(memory_);
    }
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    bool usable() const { return memory_ != nullptr; }
    std::size_t left() const { return bytes_ - used_; }
    void clear() { used_ = 0; }
    /// `bytes` bytes at `offset` beyond a multiple of 16; left() must be at least bytes + 32.
    std::uint8_t* take(std::size_t bytes, unsigned offset);

  private:
    kernels::Engine& engine_;
    std::uint8_t* memory_;
    std::size_t bytes_;
    std::size_t used_ = 0;
};

/// What varies beside shape, losses and length.
struct Variation {
    bool aligned = true;
    kernels::Technique technique = kernels::Technique::permutation;
    /// Makes the check's own row wrong, which must be noticed.
    bool spoil_check = false;
};

/// One item with everything it points to. Outputs are poisoned and fenced.
/// Owned by the batch under test; its memory comes from an arena that outlives it.
class Case {
  public:
    /// Nothing when the survivors do not determine what is wanted.
    static std::unique_ptr<Case> make(const Stripe& stripe, const std::vector<std::uint8_t>& lost,
                                      const Variation& variation, Arena& arena,
                                      std::string case_name);

    /// The arena bytes that a case of `stripe` needs at most.
    static std::size_t bytes_max(const Stripe& stripe);

    /// Poisons the outputs and forgets the digests.
    void reset();
    kernels::Item item();
    /// Whether all is as it should be after a run that set `wrong` as given.
    bool verify(bool wrong) const;
    const std::string& name() const { return name_; }

  private:
    Case() = default;
    bool solve(const Stripe& stripe, const std::vector<std::uint8_t>& lost,
               const Variation& variation);
    void place(const Stripe& stripe, const Variation& variation, Arena& arena);

    std::string name_;
    std::size_t bytes_ = 0;
    bool spoiled_ = false;
    std::vector<std::uint8_t> survivors_;
    std::vector<std::uint8_t> wanted_;
    std::vector<kernels::Rows> rows_;  ///< The item's, then one a check.
    std::vector<kernels::Check> checks_;
    std::vector<const std::uint8_t*> sources_;
    std::vector<std::uint8_t*> outputs_;
    std::vector<const std::uint8_t*> expected_;
    std::vector<kernels::Md5State> digests_;
    std::vector<kernels::Md5State*> digest_pointers_;
};

}  // namespace fragmend::selftest
