// What a running process may be asked, as one line of JSON.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "host/app/work_choice.hpp"
#include "host/base/error.hpp"

namespace fragmend::app {

enum class ControlOperation { status, pause, resume, cancel, drain, limit };

/// Whether it may be about a part of the work only.
bool takes_choice(ControlOperation operation);
/// `status` and so on; nothing for other words.
std::optional<ControlOperation> control_operation(std::string_view name);
std::string_view to_string(ControlOperation operation);

/// What a caller wants.
struct ControlRequest {
    ControlOperation operation = ControlOperation::status;
    /// Of `limit`: first back to what the configuration says.
    bool configured = false;
    /// Of `limit`: values by option (see swift::set_throttle_option).
    std::map<std::string, std::string> limits;
    /// Of `pause`, `resume`, `cancel` and `drain`: what is meant. Nothing at all: everything.
    WorkChoice choice;
    bool operator==(const ControlRequest&) const = default;
};

/// `{"device": "d1", "partition": "3"}`: what is not empty, and back; nothing for members that are
/// not known, or no texts, or empty.
boost::json::object choice_json(const WorkChoice& choice);
std::optional<WorkChoice> choice_of(const boost::json::value& value);

/// One line of a request: `{"op": "limit", "limits": {"read_limit": "50M"}, "configured": true}`,
/// `{"op": "cancel", "device": "d1", "partition": "3"}`, `{"op": "status"}`. Members that nobody
/// knows are ignored, but not those of an operation that takes a choice. Errors: bad_config.
Result<ControlRequest> parse_control_request(std::string_view line);
/// The line for a request, without its end.
std::string control_request_line(const ControlRequest& request);

/// The line for an answer that is an error.
std::string control_error_line(const Error& error);

}  // namespace fragmend::app
