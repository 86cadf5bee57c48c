// Names and conversions of errors.
#include "host/base/error.hpp"

#include <syslog.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace fragmend {

std::string_view to_string(errc code) {
    switch (code) {
        case errc::bad_config:
            return "bad_config";
        case errc::bad_ring:
            return "bad_ring";
        case errc::bad_pickle:
            return "bad_pickle";
        case errc::bad_metadata:
            return "bad_metadata";
        case errc::bad_name:
            return "bad_name";
        case errc::bad_fragment:
            return "bad_fragment";
        case errc::not_found:
            return "not_found";
        case errc::deleted:
            return "deleted";
        case errc::expired:
            return "expired";
        case errc::name_collision:
            return "name_collision";
        case errc::quarantined:
            return "quarantined";
        case errc::io:
            return "io";
        case errc::no_space:
            return "no_space";
        case errc::not_mounted:
            return "not_mounted";
        case errc::lock_timeout:
            return "lock_timeout";
        case errc::timeout:
            return "timeout";
        case errc::connect_failed:
            return "connect_failed";
        case errc::disconnected:
            return "disconnected";
        case errc::protocol:
            return "protocol";
        case errc::bad_status:
            return "bad_status";
        case errc::too_few_fragments:
            return "too_few_fragments";
        case errc::singular:
            return "singular";
        case errc::unsupported_scheme:
            return "unsupported_scheme";
        case errc::wrong_bytes:
            return "wrong_bytes";
        case errc::cancelled:
            return "cancelled";
        case errc::limit:
            return "limit";
        case errc::internal:
            return "internal";
    }
    return "unknown";
}

std::string to_string(const Error& error) {
    std::string text(to_string(error.code));
    if (!error.detail.empty()) {
        text += ": ";
        text += error.detail;
    }
    return text;
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw std::runtime_error(to_string(error));
}

Error error_from_errno(int number, std::string_view what) {
    errc code = errc::io;
    if (number == ENOENT) code = errc::not_found;
    if (number == ENOSPC || number == EDQUOT) code = errc::no_space;
    return {code, std::string(what) + ": " + std::generic_category().message(number)};
}

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "CRITICAL fragmend: assertion failed: %s (%s:%d)\n", condition, file,
                 line);
    // A daemon's standard error is nowhere: its last words go to the system's log.
    ::syslog(LOG_LOCAL0 | LOG_CRIT, "fragmend: assertion failed: %s (%s:%d)", condition, file,
             line);
    std::abort();
}

}  // namespace fragmend
