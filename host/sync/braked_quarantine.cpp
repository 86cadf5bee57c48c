// Asking the brake, then moving the object away.
#include "host/sync/braked_quarantine.hpp"

#include "host/swift/quarantine.hpp"
#include "host/sync/local_check.hpp"

namespace fragmend::sync {

Awaitable<bool> quarantine_braked(Services& services, const PolicyContext& policy,
                                  std::string device, std::string file_path, std::string reason,
                                  std::function<bool()> is_still_due) {
    const auto answer = services.brake.ask(device, services.clock.steady());
    if (answer == QuarantineBrake::Answer::stop_now) {
        services.log.log(LogLevel::critical,
                         "Quarantining stopped on device " + device + ": " +
                             std::to_string(services.brake.objects_max()) +
                             " objects within an hour (fragmend_quarantine_brake). Damage in such "
                             "numbers is a fault elsewhere; restart when it has been found");
    }
    if (answer != QuarantineBrake::Answer::go) co_return false;
    auto move = [disk = policy.disk, device = std::move(device), path = std::move(file_path),
                 reason = std::move(reason), is_still_due = std::move(is_still_due)] {
        if (is_still_due && !is_still_due())
            return Error{errc::not_found, path + " changed meanwhile"};
        return swift::quarantine_object(disk, disk.device_path(device), path, reason);
    };
    const auto moved = co_await on_disk(services, std::move(move));
    if (moved == errc::quarantined) co_return true;
    services.log.log(moved == errc::not_found ? LogLevel::info : LogLevel::error,
                     "Unable to quarantine: " + to_string(moved));
    co_return false;
}

Awaitable<bool> quarantine_if_damaged(Services& services, const PolicyContext& policy,
                                      std::string device, LocalArchive archive) {
    auto look = [archive] { return damage_of(archive); };
    auto damage = co_await on_disk(services, std::move(look));
    if (!damage) co_return false;
    co_return co_await quarantine_braked(services, policy, std::move(device),
                                         std::move(archive.path), std::move(*damage));
}

}  // namespace fragmend::sync
