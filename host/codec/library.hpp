// The installed liberasurecode: its version and instances of its back ends.
#pragma once

#include <cstdint>
#include <vector>

#include "host/codec/ec_scheme.hpp"

namespace fragmend::codec {

/// Version of the liberasurecode that this process runs with, as fragment headers carry it.
std::uint32_t library_version();
/// `1.6.2`.
std::string version_text(std::uint32_t version);

/// One instance of a liberasurecode back end: the reference that the codec is checked against and,
/// where the configuration asks for it, decodes with.
///
/// It stays in the library until the process ends. liberasurecode 1.6 and Jerasure keep field
/// tables that all instances share; destroying one instance frees them under the others, and
/// creating one replaces them. So create each scheme once. All calls of a process take turns: the
/// library's tables and Jerasure's counters have no locks of their own, and nothing that Swift runs
/// ever calls them from two threads.
class LibraryInstance {
  public:
    /// Errors: unsupported_scheme, in one line that names what is missing.
    static Result<LibraryInstance> create(const EcScheme& scheme);
    /// The k + m whole fragments of one segment, size > 0. Errors: internal.
    Result<std::vector<std::vector<std::byte>>> encode(ByteView segment) const;

    /// Rebuilds `wanted` out of whole fragments of equal length into `output` of that length.
    /// The flat XOR codes may return wrong bytes from too few survivors. Errors: bad_fragment.
    Result<void> reconstruct(std::span<const ByteView> survivors, std::uint8_t wanted,
                             ByteSpan output) const;

  private:
    LibraryInstance(const EcScheme& scheme, int descriptor)
        : k_(scheme.k), m_(scheme.m), descriptor_(descriptor) {}

    int k_;
    int m_;
    int descriptor_;
};

}  // namespace fragmend::codec
