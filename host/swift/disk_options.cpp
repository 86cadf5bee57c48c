// Reading of options about disks.
#include "host/swift/disk_options.hpp"

#include <cmath>
#include <optional>
#include <string_view>

#include "host/swift/python_text.hpp"

namespace fragmend::swift {

FallocateReserve read_fallocate_reserve(OptionReader& options) {
    const IniValue* value = options.find("fallocate_reserve");
    if (value == nullptr) return {};
    std::string_view text = value->text;
    const bool percent = text.ends_with('%');
    if (percent) text.remove_suffix(1);
    std::optional<double> number;
    if (percent)
        number = python_float(text);
    else if (const auto whole = python_int(text))
        number = static_cast<double>(*whole);
    if (!number || !std::isfinite(*number)) {
        options.fail(bad_value("fallocate_reserve", *value,
                               "must be a number of bytes or a percentage such as 1%"));
        return {};
    }
    return {*number, percent};
}

ReplicationLocks read_replication_locks(OptionReader& options, std::vector<std::string>& warnings) {
    ReplicationLocks locks;
    const bool newer = options.has("replication_concurrency_per_device");
    const bool older = options.has("replication_one_per_device");
    if (newer) {
        locks.sessions_per_device =
            options.whole("replication_concurrency_per_device", 1, 0, 65536);
    } else if (older) {
        locks.sessions_per_device = options.flag("replication_one_per_device", true) ? 1 : 0;
    }
    if (older && newer) {
        warnings.emplace_back(
            "Option replication_one_per_device ignored as replication_concurrency_per_device is "
            "defined.");
    } else if (older) {
        warnings.emplace_back(
            "Option replication_one_per_device is deprecated and will be removed in a future "
            "version. Update your configuration to use option replication_concurrency_per_device.");
    }
    locks.timeout_s = options.whole("replication_lock_timeout", locks.timeout_s, 0);
    return locks;
}

}  // namespace fragmend::swift
