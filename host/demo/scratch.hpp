// Where an embedded cluster may live, and a folder there of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::demo {

/// A folder that is removed with everything in it when its owner goes, unless it is to be kept.
class Scratch {
  public:
    /// Makes `<first usable of places>/<name>-XXXXXX`. A place is usable when it can be written to,
    /// has extended attributes `user.*`, which hold Swift's metadata, and `bytes_needed` are free.
    /// Errors: bad_config, which says of each place what is wrong with it.
    static Result<Scratch> make(const std::vector<std::string>& places, const std::string& name,
                                std::uint64_t bytes_needed);
    Scratch(Scratch&& other) noexcept;
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch();

    const std::string& path() const { return path_; }
    void keep() { kept_ = true; }
    bool is_kept() const { return kept_; }

  private:
    explicit Scratch(std::string path) : path_(std::move(path)) {}
    std::string path_;
    bool kept_ = false;
};

/// The temporary folder, one for larger things, and the folder one stands in.
std::vector<std::string> scratch_places();

/// Writes everything that the file system of `path` still holds back, so that it is not charged to
/// what is measured next. Errors: io.
Result<void> sync_file_system(const std::string& path);

}  // namespace fragmend::demo
