// Whole archives for the tests that rebuild them.
#pragma once

#include "host/base/md5.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {

inline Md5Digest md5_of(ByteView bytes) {
    Md5 md5;
    md5.update(bytes);
    return md5.finish();
}

/// The archives of one object: `segments` full segments and a last one.
inline Fragments make_archives(CpuCodec& codec, const EcScheme& scheme, std::size_t segments,
                               std::size_t segment_bytes, std::size_t last_bytes,
                               std::mt19937_64& random) {
    Fragments archives(static_cast<std::size_t>(scheme.n()));
    for (std::size_t s = 0; s <= segments; ++s) {
        const auto fragments =
            encode(codec, scheme, s == segments ? last_bytes : segment_bytes, random);
        for (std::size_t i = 0; i < archives.size(); ++i) {
            archives[i].insert(archives[i].end(), fragments[i].begin(), fragments[i].end());
        }
    }
    return archives;
}

}  // namespace fragmend::codec
