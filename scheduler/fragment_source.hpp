// Where an object's survivors come from, as the scheduler sees it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/bytes.hpp"
#include "host/base/timestamp.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::scheduler {

/// One fragment to rebuild, or several of one object out of one reading of its survivors.
struct RebuildRequest {
    EcScheme scheme;
    int policy_index = 0;
    std::string partition;     ///< Decimal.
    std::string object_path;   ///< `/account/container/object`, plain UTF-8 bytes.
    std::string object_hash;   ///< 32 hex digits.
    Timestamp data_timestamp;  ///< Of the data file; survivors must carry this very one.
    std::string ec_etag;       ///< X-Object-Sysmeta-Ec-Etag; survivors must carry this very one.
    std::uint64_t archive_bytes = 0;  ///< Length of every fragment archive of the object.
    std::size_t fragment_bytes = 0;   ///< Length of a full fragment (one segment), header included.
    /// The object's own metadata tells that length, not the policy of today.
    bool fragment_bytes_known = false;
    std::uint8_t wanted = 0;                ///< Fragment index to rebuild, 0 <= wanted < k + m.
    std::vector<std::uint8_t> also_wanted;  ///< Further ones, distinct; not for flat XOR codes.
    /// The source may receive the whole archives of a set of survivors while it opens them; they
    /// are charged. Otherwise it holds back what comes after the heads of their answers.
    bool receive_whole = false;

    std::size_t outputs() const { return 1 + also_wanted.size(); }
    /// Fragment index of output `output`: 0 is `wanted`.
    std::uint8_t wanted_of(std::size_t output) const {
        return output == 0 ? wanted : also_wanted[output - 1];
    }
    bool wants(std::size_t index) const {
        return index == wanted || std::ranges::find(also_wanted, index) != also_wanted.end();
    }
};

/// One survivor's fragment archive, opened and at its first byte.
/// Owned by the object's rebuild; destroying it early drops the connection.
class SurvivorStream {
  public:
    virtual ~SurvivorStream() = default;
    virtual std::uint8_t index() const = 0;
    /// MD5 of the archive as the survivor's server announced it, 32 hex digits.
    virtual const std::string& announced_md5() const = 0;
    /// `ip:port/device`, or the local path: what a log line calls it.
    virtual const std::string& name() const = 0;
    /// Ring id of the device, by which a bad survivor is left out later.
    virtual std::uint32_t device_id() const = 0;
    /// Fills `into` completely, or returns fewer bytes at the end of the archive only.
    /// Errors: timeout, disconnected, io, protocol.
    virtual Awaitable<Result<std::size_t>> read(ByteSpan into) = 0;
    /// Whether we once let it wait for so long that its server had a reason to hang up.
    virtual bool was_neglected() const { return false; }
};

/// Opens survivors of one object. Implemented over transport/fragments and the local disk.
class FragmentSource {
  public:
    virtual ~FragmentSource() = default;
    /// A set that determines every wanted fragment, in plan order, all at the request's timestamp
    /// and Etag. Devices in `left_out` (ring ids) are not asked. Errors: too_few_fragments (already
    /// logged in Swift's wording), cancelled.
    virtual Awaitable<Result<std::vector<std::unique_ptr<SurvivorStream>>>> open(
        const RebuildRequest& request, const std::vector<std::uint32_t>& left_out) = 0;
};

}  // namespace fragmend::scheduler
