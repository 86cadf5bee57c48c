// liberasurecode behind an owner.
#include "host/codec/library.hpp"

#include <liberasurecode/erasurecode.h>

#include <mutex>

namespace fragmend::codec {
namespace {

/// The library's tables belong to the process, and so does the lock around them.
std::mutex library_mutex;

std::string reason(int code) {
    switch (code) {
        case -EBACKENDNOTSUPP:
            return "the library does not know this back end";
        case -EBACKENDNOTAVAIL:
            return "the back end's own library is not installed";
        case -EBACKENDINITERR:
            return "the back end refuses these numbers of fragments";
        case -EINVALIDPARAMS:
            return "the library refuses these parameters";
        default:
            return "the library returned " + std::to_string(code);
    }
}

}  // namespace

std::uint32_t library_version() {
    return liberasurecode_get_version();
}

std::string version_text(std::uint32_t version) {
    return std::to_string(version >> 16) + "." + std::to_string((version >> 8) & 0xff) + "." +
           std::to_string(version & 0xff);
}

Result<LibraryInstance> LibraryInstance::create(const EcScheme& scheme) {
    const auto back_end = find_back_end(scheme.ec_type);
    if (!back_end) return back_end.error();
    ec_args arguments{};
    arguments.k = scheme.k;
    arguments.m = scheme.m;
    arguments.hd = (*back_end)->hd != 0 ? (*back_end)->hd : scheme.m;
    arguments.ct = CHKSUM_NONE;
    const std::lock_guard lock(library_mutex);
    const int descriptor = scheme.k < 1 || scheme.m < 1
                               ? -EINVALIDPARAMS
                               : liberasurecode_instance_create(
                                     static_cast<ec_backend_id_t>((*back_end)->id), &arguments);
    if (descriptor > 0) return LibraryInstance(scheme, descriptor);
    return Error{errc::unsupported_scheme, "liberasurecode " + version_text(library_version()) +
                                               " cannot do " + to_string(scheme) + ": " +
                                               reason(descriptor)};
}

Result<std::vector<std::vector<std::byte>>> LibraryInstance::encode(ByteView segment) const {
    char** data = nullptr;
    char** parity = nullptr;
    std::uint64_t fragment_bytes = 0;
    const std::lock_guard lock(library_mutex);
    const int code =
        liberasurecode_encode(descriptor_, reinterpret_cast<const char*>(segment.data()),
                              segment.size(), &data, &parity, &fragment_bytes);
    if (code != 0) return Error{errc::internal, "liberasurecode cannot encode: " + reason(code)};
    std::vector<std::vector<std::byte>> fragments;
    for (int i = 0; i < k_ + m_; ++i) {
        const auto* first = reinterpret_cast<std::byte*>(i < k_ ? data[i] : parity[i - k_]);
        fragments.emplace_back(first, first + fragment_bytes);
    }
    liberasurecode_encode_cleanup(descriptor_, data, parity);
    return fragments;
}

Result<void> LibraryInstance::reconstruct(std::span<const ByteView> survivors, std::uint8_t wanted,
                                          ByteSpan output) const {
    // The library's signature lacks const; it copies what it has to align.
    std::vector<char*> pointers;
    for (ByteView survivor : survivors) {
        if (survivor.size() != output.size()) {
            return Error{errc::bad_fragment, "survivors of unequal length"};
        }
        pointers.push_back(const_cast<char*>(reinterpret_cast<const char*>(survivor.data())));
    }
    const std::lock_guard lock(library_mutex);
    const int code = liberasurecode_reconstruct_fragment(
        descriptor_, pointers.data(), static_cast<int>(pointers.size()), output.size(), wanted,
        reinterpret_cast<char*>(output.data()));
    if (code != 0)
        return Error{errc::bad_fragment, "liberasurecode cannot rebuild: " + reason(code)};
    return {};
}

}  // namespace fragmend::codec
