// What one thread does to one column of a decode or check, for every kernel.
//
// The same code runs on a device and, for machines without one and for tests, on the CPU. The
// aligned case is unrolled for the number of sources; anything else takes one generic loop.
#pragma once

#include <cstdint>

#include "kernels/api/limits.hpp"
#include "kernels/api/load_store.hpp"
#include "kernels/api/task.hpp"
#include "kernels/gf/word_steps.hpp"

namespace fragmend::kernels {

/// A task with its pointers and table at hand; pointers[sources + o] is output o.
struct TaskView {
    const std::uint64_t* pointers = nullptr;
    const std::uint32_t* table = nullptr;
    std::uint64_t bytes = 0;
    unsigned sources = 0;
    bool aligned = false;
    bool check = false;
};

/// `gf::add_triple` for the last one or two sources of a row.
template <unsigned present>
FRAGMEND_HD inline void add_pieces(const gf::TripleTables& tables, const std::uint32_t (&words)[3],
                                   gf::NibbleSums& sums) {
    if constexpr (present == 3) {
        gf::add_triple(tables, words, sums);
    } else {
        FRAGMEND_UNROLL
        for (unsigned i = 0; i < present; ++i) {
            const std::uint32_t selectors = words[i] & 0x77777777u;
            const gf::ByteTable& piece = tables.pieces[i];
            sums.first ^= gf::permute_bytes(piece.low, piece.high, selectors);
            sums.second ^= gf::permute_bytes(piece.low, piece.high, selectors >> 16);
        }
        std::uint32_t tops = (words[0] >> 3) & 0x11111111u;
        if constexpr (present == 2) tops |= (words[1] >> 2) & 0x22222222u;
        const gf::ByteTable& table = tables.top_bits;
        sums.first ^= gf::permute_bytes(table.low, table.high, tops);
        sums.second ^= gf::permute_bytes(table.low, table.high, tops >> 16);
    }
}

/// GF(2^8) and, with two product bytes, GF(2^16). K = 0: `count` sources, else K.
template <unsigned K, unsigned M, unsigned product_bytes, class Load, class Emit>
FRAGMEND_HD inline void combine_products(unsigned count, const std::uint32_t* table, Load load,
                                         Emit emit) {
    const auto* tables = reinterpret_cast<const gf::TripleTables*>(table);
    gf::NibbleSums sums[M][product_bytes][4] = {};
    const unsigned sources = K != 0 ? K : count;
    const unsigned triples = (sources + 2) / 3;
    FRAGMEND_UNROLL
    for (unsigned t = 0; t < triples; ++t) {
        Column columns[3];
        FRAGMEND_UNROLL
        for (unsigned i = 0; i < 3; ++i) {
            if (3 * t + i < sources) columns[i] = load(3 * t + i);
        }
        FRAGMEND_UNROLL
        for (unsigned o = 0; o < M * product_bytes; ++o) {
            const gf::TripleTables triple = tables[t * M * product_bytes + o];
            FRAGMEND_UNROLL
            for (unsigned w = 0; w < 4; ++w) {
                const std::uint32_t words[3] = {columns[0].words[w], columns[1].words[w],
                                                columns[2].words[w]};
                gf::NibbleSums& sum = sums[o / product_bytes][o % product_bytes][w];
                if (K % 3 != 0 && t == K / 3) {
                    add_pieces<K % 3 == 0 ? 3 : K % 3>(triple, words, sum);
                } else {
                    gf::add_triple(triple, words, sum);
                }
            }
        }
    }
    FRAGMEND_UNROLL
    for (unsigned o = 0; o < M; ++o) {
        Column result;
        FRAGMEND_UNROLL
        for (unsigned w = 0; w < 4; ++w) {
            if constexpr (product_bytes == 1) {
                result.words[w] = gf::finish_gf8(sums[o][0][w]);
            } else {
                result.words[w] = gf::finish_gf16(sums[o][0][w], sums[o][1][w]);
            }
        }
        emit(o, result);
    }
}

template <unsigned K, unsigned M, class Load, class Emit>
FRAGMEND_HD inline void combine_xor(unsigned count, const std::uint32_t* table, Load load,
                                    Emit emit) {
    Column sums[M];
    const unsigned sources = K != 0 ? K : count;
    FRAGMEND_UNROLL
    for (unsigned j = 0; j < sources; ++j) {
        const Column column = load(j);
        FRAGMEND_UNROLL
        for (unsigned o = 0; o < M; ++o) {
            FRAGMEND_UNROLL
            for (unsigned w = 0; w < 4; ++w) {
                sums[o].words[w] ^= column.words[w] & table[j * M + o];
            }
        }
    }
    FRAGMEND_UNROLL
    for (unsigned o = 0; o < M; ++o) {
        emit(o, sums[o]);
    }
}

/// Packets of Jerasure's layout; load(j, x) is source j's packet x, emit(o, l, column) likewise.
template <unsigned K, unsigned M, class Load, class Emit>
FRAGMEND_HD inline void combine_packets(unsigned count, const std::uint32_t* table, Load load,
                                        Emit emit) {
    std::uint32_t sums[M][4][4] = {};
    const unsigned sources = K != 0 ? K : count;
    FRAGMEND_UNROLL
    for (unsigned j = 0; j < sources; ++j) {
        Column packets[4];
        FRAGMEND_UNROLL
        for (unsigned x = 0; x < 4; ++x) {
            packets[x] = load(j, x);
        }
        FRAGMEND_UNROLL
        for (unsigned o = 0; o < M; ++o) {
            const std::uint32_t matrix = table[j * M + o];
            const std::uint8_t rows[4] = {
                static_cast<std::uint8_t>(matrix), static_cast<std::uint8_t>(matrix >> 8),
                static_cast<std::uint8_t>(matrix >> 16), static_cast<std::uint8_t>(matrix >> 24)};
            FRAGMEND_UNROLL
            for (unsigned w = 0; w < 4; ++w) {
                const std::uint32_t words[4] = {packets[0].words[w], packets[1].words[w],
                                                packets[2].words[w], packets[3].words[w]};
                gf::add_packets(rows, words, sums[o][w]);
            }
        }
    }
    FRAGMEND_UNROLL
    for (unsigned o = 0; o < M; ++o) {
        FRAGMEND_UNROLL
        for (unsigned l = 0; l < 4; ++l) {
            Column column;
            FRAGMEND_UNROLL
            for (unsigned w = 0; w < 4; ++w) {
                column.words[w] = sums[o][w][l];
            }
            emit(o, l, column);
        }
    }
}

/// Horner's rule over the coefficients' bits, all sources held at once.
template <bool wide, unsigned M, class Load, class Emit>
FRAGMEND_HD inline void combine_horner(unsigned count, const std::uint32_t* table, Load load,
                                       Emit emit) {
    Column held[sources_max];
    for (unsigned j = 0; j < count; ++j) {
        held[j] = load(j);
    }
    for (unsigned o = 0; o < M; ++o) {
        gf::Element row[sources_max];
        for (unsigned j = 0; j < count; ++j) {
            row[j] = static_cast<gf::Element>(table[j * M + o]);
        }
        Column result;
        for (unsigned w = 0; w < 4; ++w) {
            std::uint32_t words[sources_max];
            for (unsigned j = 0; j < count; ++j) {
                words[j] = held[j].words[w];
            }
            result.words[w] =
                wide ? gf::horner_gf16(row, words, count) : gf::horner_gf8(row, words, count);
        }
        emit(o, result);
    }
}

template <Kernel kernel, unsigned K, unsigned M, class Load, class Emit>
FRAGMEND_HD inline void combine(unsigned count, const std::uint32_t* table, Load load, Emit emit) {
    if constexpr (kernel == Kernel::exclusive_or) {
        combine_xor<K, M>(count, table, load, emit);
    } else if constexpr (kernel == Kernel::packets) {
        combine_packets<K, M>(count, table, load, emit);
    } else if constexpr (kernel == Kernel::gf8) {
        combine_products<K, M, 1>(count, table, load, emit);
    } else if constexpr (kernel == Kernel::gf16) {
        combine_products<K, M, 2>(count, table, load, emit);
    } else {
        combine_horner<kernel == Kernel::reference_gf16, M>(count, table, load, emit);
    }
}

/// Writes a column of each output or, in a check, compares it with what is there.
class ColumnSink {
  public:
    FRAGMEND_HD explicit ColumnSink(const TaskView& task) : task_(task) {}

    FRAGMEND_HD void put(unsigned output, std::uint64_t offset, const Column& column) {
        auto* target = reinterpret_cast<std::uint8_t*>(task_.pointers[task_.sources + output]);
        if (!task_.check) {
            store_column(target, offset, task_.bytes, column);
            return;
        }
        const Column there = load_column(target, offset, task_.bytes);
        FRAGMEND_UNROLL
        for (unsigned w = 0; w < 4; ++w) {
            difference_ |= there.words[w] ^ column.words[w];
        }
    }

    FRAGMEND_HD bool differs() const { return difference_ != 0; }

  private:
    const TaskView& task_;
    std::uint32_t difference_ = 0;
};

/// The offset of packet `packet` in column `column` of the packet layout.
FRAGMEND_HD constexpr std::uint64_t packet_offset(std::uint64_t column, unsigned packet) {
    constexpr std::uint64_t columns_a_packet = gf::packet_bytes / column_bytes;
    return column / columns_a_packet * gf::super_block_bytes + packet * gf::packet_bytes +
           column % columns_a_packet * column_bytes;
}

/// Computes column `column` < columns(kernel, task.bytes) of a task. Returns whether a check found
/// a difference. K is the task's number of sources or 0, M its number of outputs.
template <Kernel kernel, unsigned K, unsigned M>
FRAGMEND_HD inline bool decode_column(const TaskView& task, std::uint64_t column) {
    const auto source = [&task](unsigned j) {
        return reinterpret_cast<const std::uint8_t*>(task.pointers[j]);
    };
    ColumnSink sink(task);
    if constexpr (kernel == Kernel::packets) {
        const auto emit = [&](unsigned o, unsigned packet, const Column& value) {
            sink.put(o, packet_offset(column, packet), value);
        };
        if (task.aligned) {
            const auto load = [&](unsigned j, unsigned packet) {
                return load_aligned(source(j) + packet_offset(column, packet));
            };
            combine<kernel, K, M>(task.sources, task.table, load, emit);
        } else {
            const auto load = [&](unsigned j, unsigned packet) {
                return load_column(source(j), packet_offset(column, packet), task.bytes);
            };
            combine<kernel, 0, M>(task.sources, task.table, load, emit);
        }
    } else {
        const std::uint64_t offset = column * column_bytes;
        const auto emit = [&](unsigned o, const Column& value) { sink.put(o, offset, value); };
        if (task.aligned && task.bytes - offset >= column_bytes) {
            const auto load = [&](unsigned j) { return load_aligned(source(j) + offset); };
            combine<kernel, K, M>(task.sources, task.table, load, emit);
        } else {
            const auto load = [&](unsigned j) {
                return load_column(source(j), offset, task.bytes);
            };
            combine<kernel, 0, M>(task.sources, task.table, load, emit);
        }
    }
    return sink.differs();
}

}  // namespace fragmend::kernels
