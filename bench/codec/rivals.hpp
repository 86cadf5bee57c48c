// The codec beside liberasurecode, ISA-L and OpenSSL, on the same bytes in turns.
#pragma once

#include "bench/codec/report.hpp"

namespace fragmend::bench {

struct Pace {
    int rounds = 7;
    int pass_ms = 60;
};

/// Every contest with a target, and some without; all hot, one thread.
void run_rivals(const Pace& pace, Report& report);

}  // namespace fragmend::bench
