// What `fragmend pause` and `fragmend limit` ordered, in memory that outlives the process.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/work_choice.hpp"
#include "host/base/error.hpp"
#include "host/base/unique_fd.hpp"

namespace fragmend::app {

/// What holds until somebody takes it back.
struct Orders {
    bool everything_paused = false;
    std::vector<WorkChoice> paused;             ///< Each once.
    std::map<std::string, std::string> limits;  ///< Beside the configured ones, by option.

    bool operator==(const Orders&) const = default;
};

/// One line of JSON without its end, and back. Errors: protocol.
std::string orders_line(const Orders& orders);
Result<Orders> parse_orders(std::string_view line);

/// A file without a name that all processes of a service share: made by the first, inherited by
/// workers, handed on when the program starts anew, gone with the last of them. Held by Setup; one
/// thread a process. Whoever is killed while it writes leaves what was there before.
class OrderMemory {
  public:
    /// Names the descriptor that was handed on, for the program that starts anew.
    static constexpr const char* variable = "FRAGMEND_ORDERS_FD";

    /// Holds nothing: remembers nothing.
    OrderMemory() = default;
    /// The one that was handed on, or else an empty one; holds nothing if there is no memory.
    /// Forgets the variable.
    static OrderMemory take_over();
    /// To the program that this process becomes next.
    void hand_on() const;

    /// Errors: protocol, timeout, io.
    Result<Orders> load() const;
    /// Changes what is there in one piece, whatever other processes change meanwhile. What cannot
    /// be read counts as a pause of everything. Errors: io, limit, timeout.
    Result<void> edit(const std::function<void(Orders&)>& change);

  private:
    Result<Orders> read() const;
    Result<void> write(const Orders& orders);

    UniqueFd fd_;
};

}  // namespace fragmend::app
