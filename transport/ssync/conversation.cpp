// The receiving half of an SSYNC session.
#include "transport/ssync/conversation.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "transport/python_text.hpp"
#include "transport/ssync/missing_check.hpp"

namespace fragmend::transport::ssync {
namespace {

constexpr std::size_t line_bytes_max = 64 * 1024;  ///< network_chunk_size of Swift.
constexpr std::size_t quoted_bytes_max = 1024;     ///< How much of a line Swift puts into its log.
constexpr std::uint64_t blank_lines_max = 1000;    ///< Beyond what is offered; Swift sends two.

/// A receiver whose partition or device lock, or whose last session slot, somebody else holds.
/// Source: swift.obj.ssync_receiver.Receiver.__call__ (LockTimeout and HTTPServiceUnavailable).
bool is_busy(std::string_view line) {
    if (line.starts_with(":ERROR: 503 ")) return true;
    return line.starts_with(":ERROR: 0 ") && line.find(" seconds: /") != line.npos &&
           line.find("/.lock") != line.npos;
}

/// The last line about an object counts, at the place of the first. Lists are long, so that they
/// are looked through in place.
std::vector<Wanted> once_each(std::vector<Wanted> wanted) {
    std::vector<std::uint32_t> places(wanted.size());
    std::iota(places.begin(), places.end(), 0u);
    const auto hash_at = [&wanted](std::uint32_t place) { return wanted[place].object_hash; };
    std::ranges::sort(places, {}, [&](std::uint32_t at) { return std::pair(hash_at(at), at); });
    std::vector<bool> repeated(wanted.size(), false);
    for (std::size_t i = 1, first = 0; i < places.size(); ++i) {
        if (hash_at(places[i]) != hash_at(places[first])) {
            first = i;
            continue;
        }
        wanted[places[first]] = wanted[places[i]];
        repeated[places[i]] = true;
    }
    std::size_t kept = 0;
    for (std::size_t place = 0; place < wanted.size(); ++place) {
        if (!repeated[place]) wanted[kept++] = wanted[place];
    }
    wanted.resize(kept);
    return wanted;
}

}  // namespace

Conversation::Conversation() : reader_(line_bytes_max) {}

void Conversation::offers_ended(std::uint64_t offered) {
    offered_ = offered;
    if (phase_ == Phase::offering) phase_ = Phase::wanted_start;
}

void Conversation::updates_ended() {
    if (phase_ == Phase::updating) phase_ = Phase::result_start;
}

void Conversation::feed(ByteView bytes) {
    while (!bytes.empty() && !failed() && phase_ != Phase::done) {
        if (chunks_.finished())
            return fail({errc::protocol, "Unexpected response: more than a body"});
        auto step = chunks_.next(bytes);
        if (step.has_error()) return fail(step.error());
        bytes = bytes.subspan(step->consumed);
        reader_.feed(step->data);
        while (!failed() && phase_ != Phase::done) {
            const auto line = reader_.next();
            if (!line) break;
            take_line(*line);
        }
        if (chunks_.finished()) peer_closed();
    }
}

void Conversation::peer_closed() {
    if (failed() || phase_ == Phase::done) return;
    // A last line without its end is still what the receiver had to say.
    if (const auto rest = python_strip(reader_.rest()); !rest.empty()) return unexpected(rest);
    fail({errc::disconnected, "Early disconnect"});
}

void Conversation::take_line(std::string_view line) {
    ++lines_;
    if (line.empty()) {
        if (lines_ > offered_ + wanted_lines_ + blank_lines_max) {
            fail({errc::protocol, "Unexpected response: endless blank lines"});
        }
        return;
    }
    switch (phase_) {
        case Phase::wanted_start:
            if (line != missing_check_start) return unexpected(line);
            phase_ = Phase::wanted_lines;
            return;
        case Phase::wanted_lines:
            return take_wanted_line(line);
        case Phase::result_start:
            if (line != updates_start_line) return unexpected(line);
            phase_ = Phase::result_lines;
            return;
        case Phase::result_lines:
            if (line != updates_end_line) return unexpected(line);
            phase_ = Phase::done;
            judged_ = true;
            return;
        default:
            return unexpected(line);
    }
}

void Conversation::take_wanted_line(std::string_view line) {
    if (line == missing_check_end) {
        phase_ = Phase::updating;
        return;
    }
    auto wanted = decode_wanted(line);
    if (wanted.has_error()) return fail(wanted.error());
    if (++wanted_lines_ > offered_)
        return fail({errc::protocol, "More objects wanted than offered"});
    wanted_.push_back(*wanted);
}

std::vector<Wanted> Conversation::take_wanted() {
    return once_each(std::exchange(wanted_, {}));
}

const Error& Conversation::error() const {
    FRAGMEND_ASSERT(failed());
    return error_;
}

void Conversation::unexpected(std::string_view line) {
    const bool busy = is_busy(line);
    judged_ = !busy && (phase_ == Phase::result_start || phase_ == Phase::result_lines);
    fail({busy ? errc::lock_timeout : errc::protocol,
          "Unexpected response: " + python_repr(line.substr(0, quoted_bytes_max))});
}

void Conversation::fail(Error error) {
    phase_ = Phase::failed;
    error_ = std::move(error);
}

}  // namespace fragmend::transport::ssync
