// The decisions of gathering survivors.
#include "transport/fragments/gather_decision.hpp"

#include <algorithm>
#include <utility>

#include "host/base/bytes.hpp"
#include "transport/python_text.hpp"

namespace fragmend::transport::fragments {
namespace {

constexpr int unknown_status = 0;
constexpr std::size_t md5_characters = 32;

bool contains(const std::vector<std::uint8_t>& indexes, std::uint8_t index) {
    return std::find(indexes.begin(), indexes.end(), index) != indexes.end();
}

/// Python's print of a list of ints.
std::string list_text(const std::vector<std::uint8_t>& indexes) {
    std::string text = "[";
    for (const std::uint8_t index : indexes) {
        if (text.size() > 1) text += ", ";
        text += std::to_string(index);
    }
    return text + "]";
}

std::string python_repr_or_none(const std::optional<std::string_view>& text) {
    return text ? python_repr(*text) : "None";
}

const char* durable_text(bool durable) {
    return durable ? "durable" : "non-durable";
}

}  // namespace

std::string full_path(const Node& node, std::string_view partition, std::string_view object_path,
                      int policy_index) {
    std::string text = node.replication_name();
    text.append("/").append(partition).append(object_path).append(" policy#");
    return text + std::to_string(policy_index);
}

std::string GatherDecision::name_of(const Node& node) const {
    return full_path(node, request_.partition, request_.object_path, request_.policy_index);
}

GatherDecision::GatherDecision(const GatherRequest& request, Logger logger)
    : request_(request), logger_(std::move(logger)), sources_(request.candidates.size()) {
    if (request_.local_index && !request_.wants(*request_.local_index)) {
        useful_.push_back({*request_.local_index, std::nullopt});
        buckets_[request_.data_timestamp] = {
            1, {*request_.local_index}, request_.local_durable, request_.ec_etag};
    }
    settle();
}

std::vector<std::size_t> GatherDecision::take_asks() {
    return std::exchange(asks_, {});
}

void GatherDecision::failed(std::size_t candidate, const Error& error) {
    if (outcome_ != Outcome::open) return;
    logger_.error("Trying to GET " + name_of(request_.candidates[candidate].node) + ": " +
                  error.detail);
    sources_[candidate].status = Status::useless;
    ++errors_[unknown_status];
    settle();
}

bool GatherDecision::answered(std::size_t candidate, const ResponseFacts& facts) {
    if (outcome_ != Outcome::open) return false;
    sources_[candidate].status = Status::useless;
    const auto fragment = read_facts(candidate, facts);
    const bool is_useful = fragment && is_of_this_version(*fragment, facts, candidate);
    if (is_useful) {
        sources_[candidate].status = Status::useful;
        useful_.push_back({fragment->index, candidate});
    }
    settle();
    return is_useful;
}

/// The checks that need nothing but the answer itself; counts what fails them.
std::optional<GatherDecision::Fragment> GatherDecision::read_facts(std::size_t candidate,
                                                                   const ResponseFacts& facts) {
    if (facts.status != 200) {
        if (facts.status != 404) {
            logger_.warning("Invalid response " + std::to_string(facts.status) + " from " +
                            name_of(request_.candidates[candidate].node));
        }
        ++errors_[facts.status];
        return std::nullopt;
    }
    const auto index = facts.frag_index ? parse_digits(*facts.frag_index) : std::nullopt;
    if (!index || *index >= static_cast<std::uint64_t>(request_.n)) {
        invalid(candidate, " (invalid X-Object-Sysmeta-Ec-Frag-Index: " +
                               python_repr_or_none(facts.frag_index) + ")");
        return std::nullopt;
    }
    const std::string with_index = ", frag index " + std::to_string(*index);
    const auto text = facts.data_timestamp ? facts.data_timestamp : facts.timestamp;
    if (!text || text->empty()) {
        invalid(candidate,
                with_index + " (missing X-Backend-Data-Timestamp and X-Backend-Timestamp)");
        return std::nullopt;
    }
    const auto timestamp = Timestamp::parse(*text);
    if (timestamp.has_error()) {
        invalid(candidate, with_index + " (invalid timestamp: " + python_repr(*text) + ")");
        return std::nullopt;
    }
    if (!facts.ec_etag || facts.ec_etag->empty()) {
        invalid(candidate, with_index + " (missing Etag)");
        return std::nullopt;
    }
    return Fragment{static_cast<std::uint8_t>(*index), *timestamp, *facts.ec_etag};
}

/// Sorts the answer into its bucket. Only that of the announced timestamp can become useful.
bool GatherDecision::is_of_this_version(const Fragment& fragment, const ResponseFacts& facts,
                                        std::size_t candidate) {
    const std::string index_text = std::to_string(fragment.index);
    Bucket& bucket = buckets_[fragment.timestamp];
    ++bucket.responses;
    const bool is_announced = fragment.timestamp == request_.data_timestamp;
    if (!bucket.etag) {
        bucket.etag = is_announced ? request_.ec_etag : std::string(fragment.etag);
    }
    if (*bucket.etag != fragment.etag) {
        logger_.error("Mixed Etag (" + std::string(fragment.etag) + ", " + *bucket.etag + ") for " +
                      name_of(request_.target) + " frag#" + std::to_string(request_.wanted));
        return false;
    }
    if (facts.durable_timestamp) {
        if (const auto durable = Timestamp::parse(*facts.durable_timestamp); durable.has_value()) {
            buckets_[*durable].durable = true;
        }
    }
    if (request_.wants(fragment.index)) {
        logger_.debug("Found existing frag #" + index_text + " at " +
                      name_of(request_.candidates[candidate].node) + " while rebuilding to " +
                      name_of(request_.target));
        return false;
    }
    if (contains(bucket.indexes, fragment.index)) return false;
    if (is_announced) {
        if (facts.content_length != request_.archive_bytes) {
            invalid(candidate, ", frag index " + index_text + " (archive length is " +
                                   (facts.content_length ? std::to_string(*facts.content_length)
                                                         : std::string("unknown")) +
                                   ", not " + std::to_string(request_.archive_bytes) + ")");
            return false;
        }
        std::string_view md5 = facts.etag.value_or("");
        if (md5.size() >= 2 && md5.front() == '"' && md5.back() == '"') {
            md5 = md5.substr(1, md5.size() - 2);
        }
        if (!is_lower_hex(md5, md5_characters)) {
            invalid(candidate, ", frag index " + index_text + " (invalid archive Etag: " +
                                   python_repr_or_none(facts.etag) + ")");
            return false;
        }
    }
    bucket.indexes.push_back(fragment.index);
    return is_announced;
}

void GatherDecision::invalid(std::size_t candidate, std::string_view why) {
    logger_.warning("Invalid resp from " + name_of(request_.candidates[candidate].node) +
                    std::string(why));
    ++errors_[unknown_status];
}

/// Fragment indexes we have or may expect, each once: the useful ones, then by candidate in
/// `order`.
std::vector<std::uint8_t> GatherDecision::distinct(std::initializer_list<Status> order,
                                                   bool skip_slow) const {
    std::vector<std::uint8_t> indexes;
    for (const Pick& pick : useful_)
        indexes.push_back(pick.index);
    for (const Status status : order) {
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            const std::uint8_t index = request_.candidates[i].expected_index;
            if (sources_[i].status != status || (skip_slow && sources_[i].slow)) continue;
            if (!request_.wants(index) && !contains(indexes, index)) indexes.push_back(index);
        }
    }
    return indexes;
}

void GatherDecision::ask(std::size_t candidate) {
    sources_[candidate].status = Status::asked;
    asks_.push_back(candidate);
}

void GatherDecision::ask_next_unasked() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        if (sources_[i].status == Status::unasked) return ask(i);
    }
}

void GatherDecision::hedge() {
    if (outcome_ != Outcome::open) return;
    for (Source& source : sources_)
        source.slow = source.slow || source.status == Status::asked;
    const auto chosen = request_.choose(distinct({Status::unasked}, true));
    if (!chosen) return ask_next_unasked();
    // One at a time: the slow ones may still come.
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        if (sources_[i].status == Status::unasked &&
            contains(*chosen, request_.candidates[i].expected_index)) {
            return ask(i);
        }
    }
    ask_next_unasked();
}

/// Asks whoever is still needed if everybody asked so far brings what we expect of them.
void GatherDecision::ask_one_more() {
    const auto chosen = request_.choose(distinct({Status::asked, Status::unasked}, false));
    const bool is_waiting = std::any_of(sources_.begin(), sources_.end(), [](const Source& source) {
        return source.status == Status::asked;
    });
    if (!chosen) {
        // By what we expect it can not be done; answers may differ, so nobody is left unasked.
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (sources_[i].status == Status::unasked) ask(i);
        }
        return;
    }
    std::vector<std::uint8_t> missing;
    const auto expected = distinct({Status::asked}, false);
    for (const std::uint8_t index : *chosen) {
        if (!contains(expected, index)) missing.push_back(index);
    }
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        const auto found =
            std::find(missing.begin(), missing.end(), request_.candidates[i].expected_index);
        if (sources_[i].status != Status::unasked || found == missing.end()) continue;
        missing.erase(found);
        ask(i);
    }
    if (asks_.empty() && !is_waiting) ask_next_unasked();
}

void GatherDecision::settle() {
    std::vector<std::uint8_t> have;
    for (const Pick& pick : useful_)
        have.push_back(pick.index);
    if (const auto chosen = request_.choose(have)) {
        for (const std::uint8_t index : *chosen) {
            const auto pick = std::find_if(useful_.begin(), useful_.end(),
                                           [&](const Pick& p) { return p.index == index; });
            FRAGMEND_ASSERT(pick != useful_.end());
            picks_.push_back(*pick);
        }
        asks_.clear();
        outcome_ = Outcome::found;
        if (!logger_.enabled(LogLevel::debug)) return;
        logger_.debug("Reconstruct frag #" + std::to_string(request_.wanted) +
                      " with frag indexes " + list_text(*chosen));
        return;
    }
    ask_one_more();
    const bool is_waiting = std::any_of(sources_.begin(), sources_.end(), [](const Source& source) {
        return source.status == Status::asked;
    });
    if (!is_waiting) give_up();
}

void GatherDecision::give_up() {
    outcome_ = Outcome::too_few;
    if (!request_.also_wanted.empty()) {
        logger_.debug("Not enough responses to reconstruct several fragments of " +
                      name_of(request_.target) + " together");
        return;
    }
    const std::string where = name_of(request_.target) + " frag#" + std::to_string(request_.wanted);
    for (const auto& [timestamp, bucket] : buckets_) {
        // Flat XOR codes: k fragments and more need not be enough.
        const std::string_view undetermined =
            std::cmp_greater_equal(bucket.indexes.size(), request_.k)
                ? ", which do not determine the fragment"
                : "";
        logger_.error("Unable to get enough responses (" + std::to_string(bucket.indexes.size()) +
                      "/" + std::to_string(request_.k) + " from " +
                      std::to_string(bucket.responses) + " ok responses" +
                      std::string(undetermined) + ") to reconstruct " +
                      durable_text(bucket.durable) + " " + where + " with ETag " +
                      bucket.etag.value_or("None") + " and timestamp " + timestamp.internal());
    }
    if (errors_.empty()) return;
    const bool durable = buckets_[request_.data_timestamp].durable;
    std::string errors;
    for (const auto& [status, count] : errors_) {
        if (!errors.empty()) errors += ", ";
        errors += std::to_string(count) + " x " +
                  (status == unknown_status ? "unknown" : std::to_string(status));
    }
    logger_.error("Unable to get enough responses (" + errors +
                  " error responses) to reconstruct " + durable_text(durable) + " " + where);
}

}  // namespace fragmend::transport::fragments
