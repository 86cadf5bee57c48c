// A file for a result that took long to get.
#pragma once

#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace fragmend::app {

/// Replaced as a whole, or left as it was: the result is written beside it and takes its name. What
/// is no regular file, such as /dev/stdout, is written to instead. All block.
class ResultFile {
  public:
    /// `path` is as somebody named it, links included.
    explicit ResultFile(std::string path) : path_(std::move(path)) {}

    /// Whether `write` could do its work now; leaves nothing behind. Errors: not_found, no_space,
    /// io; also for a folder.
    Result<void> try_it() const;
    /// Errors: as above.
    Result<void> write(std::string_view text) const;

  private:
    std::string path_;
};

}  // namespace fragmend::app
