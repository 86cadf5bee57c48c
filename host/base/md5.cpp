// MD5 through OpenSSL's EVP interface.
#include "host/base/md5.hpp"

#include <openssl/evp.h>

#include "host/base/error.hpp"

namespace fragmend {

namespace {

/// Fetched once: with OpenSSL 3 each use of EVP_md5() looks the algorithm up again.
const EVP_MD* md5_method() {
    // Not for security: MD5 is Swift's file checksum, so a FIPS provider must not refuse it.
    static const EVP_MD* const method = EVP_MD_fetch(nullptr, "MD5", "-fips");
    return method != nullptr ? method : EVP_md5();
}

}  // namespace

void Md5::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Md5::Md5() : context_(EVP_MD_CTX_new()) {
    FRAGMEND_ASSERT(context_ != nullptr);
    reset();
}

void Md5::reset() {
    EVP_MD_CTX_set_flags(context_.get(), EVP_MD_CTX_FLAG_NON_FIPS_ALLOW);
    FRAGMEND_ASSERT(EVP_DigestInit_ex(context_.get(), md5_method(), nullptr) == 1);
}

void Md5::update(ByteView bytes) {
    FRAGMEND_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Md5Digest Md5::finish() {
    Md5Digest digest;
    unsigned length = 0;
    FRAGMEND_ASSERT(EVP_DigestFinal_ex(context_.get(),
                                       reinterpret_cast<unsigned char*>(digest.data()),
                                       &length) == 1);
    FRAGMEND_ASSERT(length == digest.size());
    return digest;
}

std::string md5_hex(std::string_view text) {
    Md5 md5;
    md5.update(text);
    return md5.finish_hex();
}

}  // namespace fragmend
