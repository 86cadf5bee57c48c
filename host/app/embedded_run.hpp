// The steps that the demo and the rebuild bench share: a cluster is filled, loses devices, is
// rebuilt and compared.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/app/embedded_command_line.hpp"
#include "host/app/embedded_reconstructor.hpp"
#include "host/app/fragment_audit.hpp"
#include "host/app/verdict.hpp"
#include "host/demo/filling.hpp"
#include "host/demo/scratch.hpp"

namespace fragmend::app {

/// A filled cluster in a folder of its own. Steps in the order in which they stand here; all block.
class EmbeddedRun {
  public:
    using TellFolder = std::function<void(const std::string&)>;
    /// Chooses the ec_type and the folder, which `tell_folder` hears of before anything is in it,
    /// and starts the servers. References outlive it.
    /// Errors: bad_config, unsupported_scheme, io.
    static Result<std::unique_ptr<EmbeddedRun>> make(const EmbeddedLine& line, const Clock& clock,
                                                     const std::atomic<bool>& stop,
                                                     const TellFolder& tell_folder = {});

    /// Errors: no_space, io, cancelled.
    Result<demo::FillReport> fill();
    /// A pass over healthy devices, so that suffix hashes are settled; and what lies where.
    /// Errors: internal (there was something to do), io, cancelled.
    Result<void> settle();
    /// Errors: io.
    Result<void> wipe();
    RebuildRun rebuild() { return reconstructor_->run(expected_); }
    /// Errors: io; bad_metadata.
    Result<Findings> compare() const;

    const demo::Cluster& cluster() const { return *cluster_; }
    const EmbeddedReconstructor& reconstructor() const { return *reconstructor_; }
    demo::Scratch& scratch() { return scratch_; }
    const std::vector<std::string>& wiped() const { return wiped_; }
    const ExpectedRebuild& expected() const { return expected_; }
    std::uint64_t objects_bytes() const { return demo::object_bytes(objects_); }
    /// One line when the ec_type is not the one that is usually taken; else empty.
    const std::string& note() const { return note_; }

  private:
    EmbeddedRun(const EmbeddedLine& line, const Clock& clock, const std::atomic<bool>& stop,
                demo::Scratch scratch);
    bool shows_progress() const;

    const EmbeddedLine& line_;
    const Clock& clock_;
    const std::atomic<bool>& stop_;
    demo::Scratch scratch_;
    StderrSink stderr_;
    Logger log_;
    CodecAudit audit_;
    std::string note_;
    std::vector<demo::SampleObject> objects_;
    std::vector<std::string> wiped_;
    ExpectedRebuild expected_;
    std::map<std::string, demo::Census> others_;  ///< By device that is not wiped.
    std::unique_ptr<demo::Cluster> cluster_;
    std::unique_ptr<EmbeddedReconstructor> reconstructor_;
};

}  // namespace fragmend::app
