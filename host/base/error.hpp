// The project's error type: what went wrong, how far it reaches, and the words for a person.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fragmend {

/// Why something failed. Each is documented by its cause; callers act on `blast_radius`, not on
/// text.
enum class errc : std::uint8_t {
    bad_config,    ///< A configuration value is not what Swift would accept; fix the file.
    bad_ring,      ///< A ring file is malformed or does not fit its policy; distribute a good one.
    bad_pickle,    ///< Foreign pickle bytes that are not plain data; the source is left alone.
    bad_metadata,  ///< An object's xattrs are missing or unreadable.
    bad_name,      ///< A file, suffix, hash or index that does not follow Swift's naming.
    bad_fragment,  ///< A fragment header or payload that contradicts its checks; names a culprit.
    not_found,     ///< No such file, object or partition.
    deleted,       ///< The object has a tombstone.
    expired,       ///< The object's X-Delete-At has passed.
    name_collision,      ///< The stored name is not the name that was asked for.
    quarantined,         ///< The object was moved to quarantine because it is damaged.
    io,                  ///< The operating system refused a file operation; see the detail.
    no_space,            ///< The device is full or its reserve is reached.
    not_mounted,         ///< The device is not mounted, here or at the peer (507).
    lock_timeout,        ///< Somebody else holds the lock for longer than we wait.
    timeout,             ///< A stage of a conversation took longer than its limit.
    connect_failed,      ///< No connection to the peer.
    disconnected,        ///< The peer closed in the middle.
    protocol,            ///< The peer sent something that the protocol does not allow.
    bad_status,          ///< An HTTP status that ends this request.
    too_few_fragments,   ///< Fewer good fragments than the code needs.
    singular,            ///< These survivors do not determine the wanted fragment; try others.
    unsupported_scheme,  ///< The erasure code is not available in this build or library.
    wrong_bytes,         ///< A verification found a difference; nothing may commit.
    cancelled,           ///< Somebody asked to stop.
    limit,               ///< A bound of ours was reached.
    internal,            ///< A fact that must hold does not; a defect of Fragmend.
};

/// How much of the work an error ends.
enum class BlastRadius : std::uint8_t { item, session, job, pass, device, process };

/// The widest unit that must not go on after `code`.
constexpr BlastRadius blast_radius(errc code) {
    switch (code) {
        case errc::bad_config:
        case errc::internal:
            return BlastRadius::process;
        case errc::bad_ring:
            return BlastRadius::pass;
        case errc::not_mounted:
            return BlastRadius::device;
        case errc::lock_timeout:
            return BlastRadius::job;
        case errc::timeout:
        case errc::connect_failed:
        case errc::disconnected:
        case errc::protocol:
        case errc::bad_status:
        case errc::wrong_bytes:
        case errc::cancelled:
            return BlastRadius::session;
        default:
            return BlastRadius::item;
    }
}

/// The identifier of `code`, as used in summaries and JSON.
std::string_view to_string(errc code);

struct Error {
    errc code = errc::internal;
    std::string detail;  ///< One line for a person; values included, no trailing punctuation.

    bool operator==(errc other) const { return code == other; }
};

/// `<identifier>: <detail>`.
std::string to_string(const Error& error);

template <typename T>
using Result = boost::system::result<T, Error>;

/// Lets `Result<T>::value()` throw what it holds (start-up code and tests).
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

/// errno as an Error: `<what>: <system text>`, with `no_space` and `not_found` told apart from
/// `io`.
Error error_from_errno(int number, std::string_view what);

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace fragmend

/// Stays on in release builds: wrong bytes to a peer are worse than a restart.
#define FRAGMEND_ASSERT(condition) \
    ((condition) ? void(0) : ::fragmend::assertion_failed(#condition, __FILE__, __LINE__))
