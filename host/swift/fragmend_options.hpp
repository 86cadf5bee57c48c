// Reading of the options that begin with `fragmend_`.
#pragma once

#include <cstdint>

#include "host/swift/ini_file.hpp"
#include "host/swift/option_reader.hpp"
#include "host/swift/reconstructor_options.hpp"

namespace fragmend::swift {

/// Bad values, and unknown names that begin with `fragmend_`, are kept by `options`, which reads
/// `values`. `concurrency` is the number of jobs that Swift's own option asks for.
FragmendOptions read_fragmend_options(OptionReader& options, const IniSection& values,
                                      std::int64_t concurrency);

}  // namespace fragmend::swift
