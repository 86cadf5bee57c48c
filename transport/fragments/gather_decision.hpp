// Which fragment servers to ask, which answers to use, when to give up: without a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/log.hpp"
#include "transport/fragments/gather_request.hpp"

namespace fragmend::transport::fragments {

/// One member of the set that is to be used.
struct Pick {
    std::uint8_t index = 0;
    std::optional<std::size_t> candidate;  ///< Nothing: the local fragment.
    bool operator==(const Pick&) const = default;
};

/// Decides the gathering of one object. It asks for as many fragments as the code needs at first,
/// for one more whenever a candidate fails, has nothing useful, or is slow; it uses only answers
/// whose data timestamp, object Etag and length are those of the request. Events come from one
/// coroutine at a time and may come late: after the end they change nothing. Logs in Swift's words.
/// Source: swift.obj.reconstructor.ObjectReconstructor._make_fragment_requests,
/// _handle_fragment_response, reconstruct_fa.
class GatherDecision {
  public:
    enum class Outcome : std::uint8_t { open, found, too_few };

    /// `request` outlives the decision. The first asks are ready afterwards, or the outcome is.
    GatherDecision(const GatherRequest& request, Logger logger);

    /// Candidates to ask now, each once.
    std::vector<std::size_t> take_asks();

    /// `candidate` answered. True: keep the answer open, it may be used.
    bool answered(std::size_t candidate, const ResponseFacts& facts);
    /// `candidate` did not answer; `error` is logged as Swift logs an exception.
    void failed(std::size_t candidate, const Error& error);
    /// The hedge delay passed: those who were asked count as slow, so one more is asked.
    void hedge();

    Outcome outcome() const { return outcome_; }
    /// The set, in the order of `choose`. Only when found.
    const std::vector<Pick>& picks() const { return picks_; }

  private:
    enum class Status : std::uint8_t { unasked, asked, useful, useless };
    struct Source {
        Status status = Status::unasked;
        bool slow = false;
    };
    struct Bucket {
        std::size_t responses = 0;
        std::vector<std::uint8_t> indexes;  ///< Distinct, as they came.
        bool durable = false;
        std::optional<std::string> etag;
    };
    struct Fragment {
        std::uint8_t index;
        Timestamp timestamp;
        std::string_view etag;
    };

    std::optional<Fragment> read_facts(std::size_t candidate, const ResponseFacts& facts);
    bool is_of_this_version(const Fragment& fragment, const ResponseFacts& facts,
                            std::size_t candidate);
    void invalid(std::size_t candidate, std::string_view why);
    void ask(std::size_t candidate);
    void ask_next_unasked();
    void ask_one_more();
    void settle();
    void give_up();
    std::vector<std::uint8_t> distinct(std::initializer_list<Status> order, bool skip_slow) const;
    std::string name_of(const Node& node) const;

    const GatherRequest& request_;
    Logger logger_;
    Outcome outcome_ = Outcome::open;
    std::vector<Source> sources_;
    std::vector<std::size_t> asks_;
    std::vector<Pick> useful_;  ///< Local first, then as they came; distinct indexes.
    std::vector<Pick> picks_;
    std::map<Timestamp, Bucket> buckets_;
    std::map<int, std::size_t> errors_;  ///< By status; 0: no usable answer.
};

}  // namespace fragmend::transport::fragments
