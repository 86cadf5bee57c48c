// The running MD5 against OpenSSL.
#include "kernels/api/md5_stream.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <random>
#include <vector>

namespace fragmend::kernels {
namespace {

std::array<std::uint8_t, 16> openssl_md5(const std::vector<std::uint8_t>& data) {
    std::array<std::uint8_t, 16> digest{};
    unsigned size = 0;
    EXPECT_EQ(EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_md5(), nullptr), 1);
    return digest;
}

TEST(Md5Stream, EveryLengthInPiecesAtAnyAlignment) {
    const char* text = std::getenv("FRAGMEND_SEED");
    const std::uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 11;
    std::printf("FRAGMEND_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    for (std::size_t bytes = 0; bytes <= 400; ++bytes) {
        std::vector<std::uint8_t> data(bytes);
        for (std::uint8_t& byte : data) {
            byte = static_cast<std::uint8_t>(random());
        }
        Md5State state;
        for (std::size_t done = 0; done < bytes;) {
            const std::size_t piece = std::min<std::size_t>(bytes - done, random() % 150);
            // A copy of its own, so that a read outside the piece is a read outside an allocation.
            const std::size_t offset = random() % 4;
            std::vector<std::uint8_t> copy(offset + piece);
            std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(done), piece,
                        copy.begin() + static_cast<std::ptrdiff_t>(offset));
            md5_absorb(state, copy.data() + offset, piece);
            done += piece;
        }
        ASSERT_EQ(md5_digest(state), openssl_md5(data)) << bytes;
        ASSERT_EQ(state.bytes, bytes);
    }
}

}  // namespace
}  // namespace fragmend::kernels
