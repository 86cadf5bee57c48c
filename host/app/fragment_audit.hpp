// Fragments as the server looks at them, through the codec.
#pragma once

#include "host/server/policy_store.hpp"

namespace fragmend::app {

/// Header and payload checks of liberasurecode; lengths from the policy's back end.
/// Source: swift.obj.diskfile.ECDiskFileReader._check_frag; ECStoragePolicy.fragment_size.
class CodecAudit final : public server::FragmentAudit {
  public:
    std::size_t fragment_bytes(const swift::Policy& policy) const override;
    bool is_good(ByteView fragment) const override;
};

}  // namespace fragmend::app
