// A file that takes its name when all of it is written.
#pragma once

#include <string>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "host/base/unique_fd.hpp"

namespace fragmend::app {

/// Appears at `path` whole or not at all, also when SIGINT, SIGTERM or SIGHUP end the process. One
/// at a time.
class OutputFile {
  public:
    /// `replace`: a file that is there already gives way.
    OutputFile(std::string path, bool replace);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    Result<void> create();
    Result<void> write(ByteView bytes);
    /// To the disk, and to its name. False when the name is taken and it may not be replaced.
    Result<bool> commit();

  private:
    int name_it();  ///< Like the system calls that it makes.
    Result<void> sync_folder() const;

    std::string path_;
    bool replace_;
    std::string folder_;
    std::string partial_;  ///< The name that it has before its own, if it has to have one.
    bool partial_exists_ = false;
    UniqueFd fd_;
};

}  // namespace fragmend::app
