// The lines of an SSYNC session: its marks, an offer, an answer.
#pragma once

#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "transport/ssync/offer.hpp"

namespace fragmend::transport::ssync {

inline constexpr std::string_view missing_check_start = ":MISSING_CHECK: START";
inline constexpr std::string_view missing_check_end = ":MISSING_CHECK: END";
inline constexpr std::string_view updates_start_line = ":UPDATES: START";
inline constexpr std::string_view updates_end_line = ":UPDATES: END";

/// One line of the missing check, without its end: `<hash> <ts_data>[ <extras>]`.
/// Source: swift.obj.ssync_sender.encode_missing; the `__<offset>` of a delta since 2.32.
std::string encode_missing(const Offer& offer);

/// One line of the answer, already stripped and not blank. A line without a recognisable part wants
/// the data, as from receivers before Swift 2.x. Errors: protocol (no 32 hex digits in front).
/// Source: swift.obj.ssync_sender.decode_wanted.
Result<Wanted> decode_wanted(std::string_view line);

}  // namespace fragmend::transport::ssync
