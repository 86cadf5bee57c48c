// MD5 by OpenSSL, for names, suffix hashes and single streams.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "host/base/bytes.hpp"

struct evp_md_ctx_st;

namespace fragmend {

using Md5Digest = std::array<std::byte, 16>;

/// One running MD5. Not thread-safe; movable; usable again after `reset`.
class Md5 {
  public:
    Md5();
    void update(ByteView bytes);
    void update(std::string_view text) { update(as_bytes_view(text)); }
    /// Ends the stream; `reset` starts another one.
    Md5Digest finish();
    std::string finish_hex() { return to_hex(finish()); }
    void reset();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string md5_hex(std::string_view text);

}  // namespace fragmend
