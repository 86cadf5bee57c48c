// The codec on CPU threads: our own matrices, or liberasurecode itself.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "host/base/log.hpp"
#include "host/codec/cpu_plan.hpp"
#include "host/codec/fragment_header.hpp"
#include "host/codec/library_plan.hpp"
#include "host/codec/md5_kernels.hpp"
#include "host/codec/plan_cache.hpp"
#include "host/codec/survivor_check.hpp"
#include "scheduler/codec.hpp"
#include "scheduler/stats.hpp"

namespace fragmend::codec {

/// Who computes the bytes.
enum class Decoder : std::uint8_t {
    matrices,   ///< Ours; what they do not know is unsupported.
    automatic,  ///< Ours, and the library for what they do not know as the library does.
    library,    ///< liberasurecode for every fragment, but for the flat XOR codes.
};

struct CpuCodecOptions {
    Decoder decoder = Decoder::matrices;
    /// Swift's `write_legacy_ec_crc`, or the environment's LIBERASURECODE_WRITE_LEGACY_CRC.
    CrcForm crc_form = CrcForm::standard;
    /// The version that rebuilt fragments name as their writer; the installed library's when unset.
    std::optional<std::uint32_t> library_version = std::nullopt;
    std::size_t plans_max = 256;
    /// The fastest for this CPU when unset.
    const DotKernels* dot_kernels = nullptr;
    const Md5Kernel* md5_kernel = nullptr;
    /// Where our matrices come from.
    std::optional<gf::Matrix> (*generator)(gf::Code, int, int) = gf::generator;
    /// Hears from `check` which schemes the library decodes, and why.
    Logger log{nullptr, LogLevel::notice};
};

/// Whether liberasurecode would write legacy CRCs in this environment: the variable is set, not
/// empty and not "0". Source: liberasurecode set_metadata_chksum.
CrcForm crc_form_of_environment();

/// Rebuilds fragments on the calling threads: the same bytes as liberasurecode, header included,
/// with matrices of our own and cached tables, or by the library's own hand (`Decoder`). The flat
/// XOR codes are always solved exactly by us: the library answers with success and wrong bytes for
/// survivors that do not determine a fragment, and refuses the few that do. Owned by host/app;
/// thread-safe, `run` works on the caller's thread only and, but for the library, allocates nothing
/// once that thread has seen its largest batch; the library's calls take turns.
class CpuCodec final : public scheduler::Codec {
  public:
    explicit CpuCodec(CpuCodecOptions options = {});

    /// Besides the library's word, every fragment of a small segment that the library encodes is
    /// rebuilt and compared, so that a library of another mind is found before the first disk is
    /// touched. With `Decoder::automatic` such a scheme is left to the library itself from then on;
    /// call it before the scheme's first plan.
    Result<void> check(const EcScheme& scheme) override;
    std::size_t fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) override;
    std::optional<std::size_t> announced_bytes(ByteView header) override;
    std::optional<std::vector<std::uint8_t>> choose_survivors(
        const EcScheme& scheme, std::span<const std::uint8_t> available,
        std::uint8_t wanted) override;
    using Codec::plan;
    Result<std::shared_ptr<const scheduler::DecodePlan>> plan(
        const EcScheme& scheme, std::span<const std::uint8_t> survivors,
        std::span<const std::uint8_t> wanted) override;
    std::unique_ptr<scheduler::SurvivorDigests> digests(std::size_t survivor_count) override;
    void run(std::span<scheduler::SegmentWork*> batch) override;
    /// MD5 over the MD5s of `md5_lanes_max` slices, which fill the lanes where one stream would
    /// not.
    Md5Digest fingerprint(ByteView bytes) override;
    scheduler::CodecTimes times() const;

    using RunOne = std::function<Result<void>(scheduler::SegmentWork&)>;
    /// Rebuilds every fragment of a small segment that the library encodes out of the others and
    /// compares; `rebuild` does the items. Errors: its own; unsupported_scheme, singular,
    /// wrong_bytes.
    Result<void> gives_back(const EcScheme& scheme, const RunOne& rebuild);

    /// The header of a rebuilt output, whose payload somebody else computed.
    void write_header(scheduler::SegmentWork& item, const SiblingHeaders& source) const;

  private:
    struct Workspace;
    /// Who decodes one scheme: exactly one of the two.
    struct SchemeDecoder {
        std::optional<SchemeEntry> matrices;
        std::shared_ptr<const LibraryScheme> library;  ///< With its plans.
    };
    Result<std::shared_ptr<const SchemeDecoder>> decoder(const EcScheme& scheme);
    /// With `schemes_mutex_` held.
    Result<std::shared_ptr<const SchemeDecoder>> make_decoder(const EcScheme& scheme);
    /// The installed library's way with one scheme, created once. With `schemes_mutex_` held.
    Result<std::shared_ptr<const LibraryScheme>> library(const EcScheme& scheme);
    Result<std::shared_ptr<const LibraryScheme>> installed(const EcScheme& scheme);
    Result<void> run_one(scheduler::SegmentWork& item);
    void run_group(std::span<scheduler::SegmentWork*> group, Workspace& workspace);
    void decode(scheduler::SegmentWork& item, const SiblingHeaders& source, std::uint32_t turn,
                Workspace& workspace);

    const Decoder decoder_;
    const CrcForm crc_form_;
    const std::uint32_t library_version_;
    const DotKernels& dot_kernels_;
    const Md5Kernel& md5_kernel_;
    std::optional<gf::Matrix> (*const generator_)(gf::Code, int, int);
    const Logger log_;
    PlanCache plans_;
    std::mutex schemes_mutex_;
    /// As many as the configuration has policies.
    std::map<EcScheme, std::shared_ptr<const SchemeDecoder>> schemes_;
    std::map<EcScheme, std::shared_ptr<const LibraryScheme>> libraries_;
    /// Turns with every item, so that over an object's rounds each survivor gets cross-checked.
    std::atomic<std::uint32_t> next_check_{0};
    std::atomic<std::int64_t> verify_ns_{0}, decode_ns_{0};
};

}  // namespace fragmend::codec
