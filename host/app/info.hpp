// `fragmend info`: what this machine and its libraries offer.
#pragma once

#include <string>

namespace fragmend::app {

/// Program version, erasure codes with the installed liberasurecode, CPU paths, GPU.
std::string info_text();

}  // namespace fragmend::app
