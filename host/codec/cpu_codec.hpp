// The codec on CPU threads.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "host/codec/fragment_header.hpp"
#include "host/codec/library.hpp"
#include "host/codec/md5_kernels.hpp"
#include "host/codec/plan_cache.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::codec {

struct CpuCodecOptions {
    /// Swift's `write_legacy_ec_crc`, or the environment's LIBERASURECODE_WRITE_LEGACY_CRC.
    CrcForm crc_form = CrcForm::standard;
    /// The version that rebuilt fragments name as their writer; the installed library's when unset.
    std::optional<std::uint32_t> library_version = std::nullopt;
    std::size_t plans_max = 256;
    /// The fastest for this CPU when unset.
    const DotKernels* dot_kernels = nullptr;
    const Md5Kernel* md5_kernel = nullptr;
};

/// Whether liberasurecode would write legacy CRCs in this environment: the variable is set, not
/// empty and not "0". Source: liberasurecode set_metadata_chksum.
CrcForm crc_form_of_environment();

/// Rebuilds fragments on the calling threads: the same bytes as liberasurecode, header included,
/// with matrices of our own and cached tables; the flat XOR codes are solved exactly, where
/// liberasurecode 1.6 returns wrong bytes. Owned by host/app; thread-safe, `run` works on the
/// caller's thread only and allocates nothing once that thread has seen its largest batch.
class CpuCodec final : public scheduler::Codec {
  public:
    explicit CpuCodec(CpuCodecOptions options = {});

    /// Besides the library's word, every fragment of a small segment that the library encodes is
    /// rebuilt and compared, so that a library of another mind is found before the first disk is
    /// touched.
    Result<void> check(const EcScheme& scheme) override;
    std::size_t fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) override;
    std::optional<std::vector<std::uint8_t>> choose_survivors(
        const EcScheme& scheme, std::span<const std::uint8_t> available,
        std::uint8_t wanted) override;
    Result<std::shared_ptr<const scheduler::DecodePlan>> plan(
        const EcScheme& scheme, std::span<const std::uint8_t> survivors,
        std::uint8_t wanted) override;
    std::unique_ptr<scheduler::SurvivorDigests> digests(std::size_t survivor_count) override;
    void run(std::span<scheduler::SegmentWork*> batch) override;

  private:
    struct Workspace;
    Result<std::shared_ptr<const SchemeEntry>> entry(const EcScheme& scheme);
    /// Rebuilds one of a segment's fragments out of the others and compares.
    Result<void> gives_back(const EcScheme& scheme,
                            const std::vector<std::vector<std::byte>>& fragments,
                            std::uint8_t wanted);
    void run_group(std::span<scheduler::SegmentWork*> group, Workspace& workspace);
    void decode(scheduler::SegmentWork& item, const FragmentHeader& source, Workspace& workspace);

    const CrcForm crc_form_;
    const std::uint32_t library_version_;
    const DotKernels& dot_kernels_;
    const Md5Kernel& md5_kernel_;
    PlanCache plans_;
    std::mutex schemes_mutex_;
    /// As many as the configuration has policies.
    std::map<EcScheme, std::shared_ptr<const SchemeEntry>> schemes_;
    std::mutex library_mutex_;
    std::map<EcScheme, LibraryInstance> instances_;
    /// Turns with every item, so that over an object's rounds each survivor gets cross-checked.
    std::atomic<std::uint32_t> next_check_{0};
};

}  // namespace fragmend::codec
