// What tests ask of, and tell, the CUDA runtime that the CPU plays.
#pragma once

namespace fragmend::played {

/// Whether a reset brings a poisoned context back.
void resets_help(bool help);
unsigned resets();
/// Whether the binary holds code for the device.
void has_code(bool has);
/// Whether calls that copy hang, until they are told not to.
void copies_hang(bool hang);
/// Copies since the start.
unsigned copies();

}  // namespace fragmend::played
