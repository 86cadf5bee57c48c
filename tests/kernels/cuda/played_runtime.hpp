// What tests ask of, and tell, the CUDA runtime that the CPU plays.
#pragma once

namespace fragmend::played {

/// Whether a reset brings a poisoned context back.
void resets_help(bool help);
unsigned resets();
/// Whether the binary holds code for the device.
void has_code(bool has);
/// Copies since the start.
unsigned copies();

}  // namespace fragmend::played
