// Fragments through the codec.
#include "host/app/fragment_audit.hpp"

#include "host/codec/ec_scheme.hpp"
#include "host/codec/fragment_header.hpp"

namespace fragmend::app {

std::size_t CodecAudit::fragment_bytes(const swift::Policy& policy) const {
    if (!policy.is_erasure_coding() || policy.segment_bytes == 0) return 0;
    const auto back_end = codec::find_back_end(policy.ec_type);
    // What nobody here can decode can still be stored and served.
    if (!back_end) return 0;
    return codec::fragment_header_bytes +
           codec::payload_bytes(**back_end, policy.k, policy.segment_bytes);
}

bool CodecAudit::is_good(ByteView fragment) const {
    return codec::check_fragment_metadata(fragment).has_value();
}

}  // namespace fragmend::app
