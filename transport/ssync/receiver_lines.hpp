// The lines that an SSYNC receiver reads and writes, and what it wants of an offer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "transport/ssync/offer.hpp"

namespace fragmend::transport::ssync {

/// One line of the missing check. Numbers are digits only, and an offset goes with the time that it
/// was written behind (Swift since 2.32). Errors: protocol, in words for the sender.
/// Source: swift.obj.ssync_receiver.decode_missing.
Result<Offer> decode_missing(std::string_view line);

/// What is here of an offered object. Nothing set: nothing that counts.
struct LocalState {
    std::optional<Timestamp> data;  ///< Of the data file, or of the tombstone.
    std::optional<Timestamp> meta;  ///< Of the metadata that count; unset for a tombstone.
    std::optional<Timestamp> content_type;
    std::optional<Timestamp> durable;   ///< Of the newest durable set.
    bool has_offered_fragment = false;  ///< The very fragment lies here, durable or not.
};

/// The fragment on offer is here already and newer than anything durable: it only has to be
/// committed, or, when the offer is not durable either, nothing has to be done about it.
bool is_here_not_durable(const Offer& offer, const LocalState& local);

/// What to ask for; nothing when all of it is here.
/// Source: swift.obj.ssync_receiver.encode_wanted, Receiver._check_local.
std::optional<Wanted> wanted_of(const Offer& offer, const LocalState& local);

/// `<hash> d`, `<hash> m` or `<hash> dm`.
std::string encode_wanted(const Wanted& wanted);

/// `:ERROR: <code> <repr>\n`; `is_bytes` writes Python's `b'...'`.
std::string error_line(int code, std::string_view text, bool is_bytes);

/// The first line of a sub-request and its headers.
struct SubRequestHead {
    std::string method;  ///< PUT, POST or DELETE.
    std::string path;    ///< As it came: quoted.
    std::vector<std::pair<std::string, std::string>>
        headers;                       ///< Names lower-case, values stripped.
    std::uint64_t content_length = 0;  ///< Of a PUT.
};

/// Collects the lines of one head. Sans-I/O.
class SubRequestHeadReader {
  public:
    /// Bounds of one head: Swift's largest metadata stay far below.
    static constexpr std::size_t head_bytes_max = 512 * 1024;
    static constexpr std::size_t headers_max = 1000;

    /// Takes the next line, already without its end. True when the head is complete.
    /// Errors: protocol, in Swift's words; limit.
    Result<bool> take(std::string_view line);
    bool begun() const { return begun_; }
    /// `METHOD path`, for messages.
    std::string name() const { return head_.method + " " + head_.path; }
    SubRequestHead release();

  private:
    Result<void> take_first(std::string_view line);
    Result<void> take_header(std::string_view line);
    Result<void> finish();

    SubRequestHead head_;
    bool begun_ = false;
    std::size_t bytes_ = 0;
    std::optional<std::uint64_t> length_;
};

}  // namespace fragmend::transport::ssync
