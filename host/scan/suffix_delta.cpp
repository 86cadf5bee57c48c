// Comparison of suffix hashes.
#include "host/scan/suffix_delta.hpp"

namespace fragmend::scan {
namespace {

bool is_equal(const HashPairs::Pair* one, const HashPairs::Pair* other) {
    static constexpr HashPairs::Pair nothing;
    return (one == nullptr ? nothing : *one) == (other == nullptr ? nothing : *other);
}

}  // namespace

std::vector<swift::SuffixName> suffix_delta(const HashPairs& local, const HashPairs& remote) {
    std::vector<swift::SuffixName> suffixes;
    for (std::size_t number = 0; number < swift::suffixes_max; ++number) {
        const HashPairs::Pair* ours = local.find(number);
        if (ours != nullptr && !is_equal(ours, remote.find(number)))
            suffixes.push_back(swift::SuffixName::of(number));
    }
    return suffixes;
}

}  // namespace fragmend::scan
