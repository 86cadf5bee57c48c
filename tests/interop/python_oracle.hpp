// Runs a script that asks the real Swift, and reads the JSON that it leaves.
#pragma once

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>

namespace fragmend::test {

/// The seed of FRAGMEND_SEED, otherwise a fresh one; printed so that a failure can be repeated.
inline std::uint32_t seed_for_test() {
    const char* given = std::getenv("FRAGMEND_SEED");
    const std::uint32_t seed = given != nullptr
                                   ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))
                                   : std::random_device{}();
    std::cout << "FRAGMEND_SEED=" << seed << "\n";
    return seed;
}

/// Runs `script` of the source tree with Debian's Python; `arguments` need no quoting.
/// False when this machine has no Swift (the script exits with 77); throws when it fails.
inline bool run_oracle(const std::string& script, const std::string& arguments) {
    const std::string command =
        "/usr/bin/python3 '" FRAGMEND_SOURCE_DIR "/" + script + "' " + arguments;
    const int status = std::system(command.c_str());
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return false;
    if (status != 0) throw std::runtime_error("failed: " + command);
    return true;
}

inline std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline boost::json::value read_json(const std::string& path) {
    return boost::json::parse(read_text(path));
}

}  // namespace fragmend::test
