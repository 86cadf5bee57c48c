// Laying out a batch.
#include "kernels/bench/work.hpp"

#include <algorithm>

namespace fragmend::bench {

Work lay_out(const kernels::Rows& rows, const gf::Matrix& coefficients,
             const kernels::Limits& limits, std::size_t source_bytes_max, std::uint8_t* slab,
             std::size_t bytes, std::uint64_t seed, bool digested) {
    const std::size_t stride = (bytes + 15) / 16 * 16;
    const std::size_t k = rows.sources();
    const std::size_t count = std::min(
        {source_bytes_max / (k * stride), std::size_t{limits.batch_items_max},
         limits.batch_sources_max / k, std::size_t{limits.batch_outputs_max} / rows.outputs()});
    Work work;
    for (std::size_t i = 0; i < count * k; ++i) {
        work.sources.push_back(slab);
        slab += stride;
    }
    for (std::size_t i = 0; i < count * rows.outputs(); ++i) {
        work.outputs.push_back(slab);
        slab += stride;
    }
    const std::size_t streams = k + rows.outputs();
    work.digests.resize(digested ? count * streams : 0);
    for (kernels::Md5State& digest : work.digests) {
        work.digest_pointers.push_back(&digest);
    }
    for (std::size_t i = 0; i < count; ++i) {
        kernels::Item item;
        item.rows = &rows;
        item.sources = std::span(work.sources).subspan(i * k, k);
        item.outputs = std::span(work.outputs).subspan(i * rows.outputs(), rows.outputs());
        item.bytes = bytes;
        if (digested) item.digests = std::span(work.digest_pointers).subspan(i * streams, streams);
        work.items.push_back(item);
    }
    work.expected = {{seed}, coefficients.field(), count,         bytes,
                     stride, rows.sources(),       rows.outputs()};
    for (std::size_t o = 0; o < coefficients.rows(); ++o) {
        std::ranges::copy(coefficients.row(o), work.expected.coefficients[o]);
    }
    return work;
}

}  // namespace fragmend::bench
