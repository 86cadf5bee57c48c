// Which planted fault is active: asked by the mutated copies of the sources, answered by their
// test.
#pragma once

namespace fragmend::sim {

bool mutant(int number);

}  // namespace fragmend::sim
