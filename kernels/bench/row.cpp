// Printing rows.
#include "kernels/bench/row.hpp"

#include <cstdio>

namespace fragmend::bench {
namespace {

double gigabytes_in(const Row& row) {
    return static_cast<double>(row.bytes_in) / row.seconds / 1e9;
}

double percent(const Row& row) {
    return 100 * static_cast<double>(row.bytes_in + row.bytes_out) / row.seconds / row.limit;
}

}  // namespace

void Report::add(const Row& row) {
    const bool figure = row.error.empty() && row.seconds > 0 && row.limit > 0;
    if (!figure || row.wrong) ++bad_;
    if (json_) {
        add_json(row);
    } else if (figure) {
        std::printf("%-32s %-12s lost %u %-10s %7zu B  %9.2f GB/s in  %5.1f %% of copy%s\n",
                    row.scheme.c_str(), row.kernel.c_str(), row.lost, row.where.c_str(),
                    row.fragment_bytes, gigabytes_in(row), percent(row),
                    row.wrong ? "  WRONG" : "");
    } else {
        std::printf("%-32s %-12s lost %u %-10s %7zu B  %s\n", row.scheme.c_str(),
                    row.kernel.c_str(), row.lost, row.where.c_str(), row.fragment_bytes,
                    row.error.c_str());
    }
    std::fflush(stdout);
}

void Report::add_json(const Row& row) const {
    std::printf(
        "{\"scheme\": \"%s\", \"kernel\": \"%s\", \"where\": \"%s\", \"lost\": %u, "
        "\"fragment_bytes\": %zu, \"bytes_in\": %zu, \"bytes_out\": %zu",
        row.scheme.c_str(), row.kernel.c_str(), row.where.c_str(), row.lost, row.fragment_bytes,
        row.bytes_in, row.bytes_out);
    if (!row.error.empty()) {
        std::printf(", \"error\": \"%s\"", row.error.c_str());
    } else if (row.seconds > 0 && row.limit > 0) {
        std::printf(", \"seconds\": %.6g, \"gb_in_per_s\": %.4g, \"percent_of_copy\": %.4g",
                    row.seconds, gigabytes_in(row), percent(row));
    }
    for (const auto& [name, value] : row.more) {
        std::printf(", \"%s\": %.6g", name, value);
    }
    if (row.wrong) std::printf(", \"wrong\": %llu", static_cast<unsigned long long>(*row.wrong));
    std::printf("}\n");
}

void Report::say(const char* name, const std::string& value) const {
    std::printf(json_ ? "{\"%s\": \"%s\"}\n" : "%s: %s\n", name, value.c_str());
    std::fflush(stdout);
}

void Report::say(const char* name, double value) const {
    std::printf(json_ ? "{\"%s\": %.4g}\n" : "%s: %.4g\n", name, value);
    std::fflush(stdout);
}

}  // namespace fragmend::bench
