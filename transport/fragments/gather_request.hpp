// What to gather: one object, the fragment that is missing, and who may have the others.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/base/node.hpp"
#include "host/base/timestamp.hpp"
#include "transport/answer_watch.hpp"

namespace fragmend::transport::fragments {

/// A device that may be asked.
struct Candidate {
    Node node;
    std::uint8_t expected_index = 0;  ///< Its backend index; what it really has, its answer says.
};

/// Out of distinct fragment indexes, preferred ones first: a set that determines the wanted
/// fragment, in the order in which its bytes are to be presented, or nothing.
using ChooseSurvivors =
    std::function<std::optional<std::vector<std::uint8_t>>(std::span<const std::uint8_t>)>;

/// One fragment to rebuild, or several of one object, as the network sees it.
struct GatherRequest {
    int policy_index = 0;
    std::string partition;                  ///< Decimal.
    std::string object_path;                ///< `/account/container/object`, plain bytes.
    Node target;                            ///< Whom the fragment is for: log lines name it.
    std::uint8_t wanted = 0;                ///< Fragment index to rebuild.
    std::vector<std::uint8_t> also_wanted;  ///< Further ones, out of the same survivors.
    int k = 0;                              ///< Data fragments of the policy, for the log.
    int n = 0;                              ///< Data and parity fragments: indexes lie in [0, n).
    Timestamp data_timestamp;               ///< Survivors carry this very one, offset included.
    std::string ec_etag;                    ///< Survivors carry this very one.
    std::uint64_t archive_bytes = 0;        ///< Length of every fragment archive of the object.
    /// The fragment that is on the local disk, at the same timestamp and Etag; it needs no request.
    std::optional<std::uint8_t> local_index;
    bool local_durable = false;  ///< Only the words of a log line depend on it.
    /// Who to ask, preferred first, without the target and without whom the caller leaves out.
    std::vector<Candidate> candidates;
    ChooseSurvivors choose;
    /// So many archives at a time are received whole before they count as useful, so that a short
    /// or broken one is replaced at once. They wait in the buffers of their connections, which the
    /// caller has to have room for; of further candidates only the head is read.
    std::size_t whole_bodies_max = 0;
    /// Hears how long each answer took, from the request to its head, and who had not answered when
    /// the others were enough; may be nothing.
    AnswerWatch* watch = nullptr;
    /// Told of every candidate that answered 404; may be empty.
    std::function<void(const Node&)> on_missing;

    bool wants(std::uint8_t index) const {
        return index == wanted || std::ranges::find(also_wanted, index) != also_wanted.end();
    }
};

/// What an answer says about the fragment that it carries. Views of the response head.
struct ResponseFacts {
    int status = 0;
    std::optional<std::string_view> frag_index;         ///< X-Object-Sysmeta-Ec-Frag-Index.
    std::optional<std::string_view> data_timestamp;     ///< X-Backend-Data-Timestamp.
    std::optional<std::string_view> timestamp;          ///< X-Backend-Timestamp.
    std::optional<std::string_view> durable_timestamp;  ///< X-Backend-Durable-Timestamp.
    std::optional<std::string_view> ec_etag;            ///< X-Object-Sysmeta-Ec-Etag.
    std::optional<std::string_view> etag;  ///< Etag: MD5 of the archive, mostly quoted.
    std::optional<std::uint64_t> content_length;
};

/// `<ip>:<port>/<device>/<part><path> policy#<idx>`, as Swift names an object at a node.
/// Source: swift.obj.reconstructor._full_path.
std::string full_path(const Node& node, std::string_view partition, std::string_view object_path,
                      int policy_index);

}  // namespace fragmend::transport::fragments
