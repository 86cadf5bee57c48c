// Requests to text and back.
#include "host/app/control_request.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "host/swift/json_members.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

/// In the order of ControlOperation.
constexpr std::array<std::string_view, 6> operation_names = {"status", "pause", "resume",
                                                             "cancel", "drain", "limit"};
constexpr std::array<std::pair<std::string_view, std::string WorkChoice::*>, 3> choice_members = {
    {{"device", &WorkChoice::device},
     {"partition", &WorkChoice::partition},
     {"object", &WorkChoice::object}}};

/// What is not understood must not make an operation mean more than it says.
Result<void> read_choice(json::object request, ControlOperation operation, WorkChoice& choice) {
    request.erase("op");
    auto read = choice_of(request);
    if (!read) {
        return Error{errc::bad_config, std::string(to_string(operation)) +
                                           " takes device, partition and object, as texts"};
    }
    choice = std::move(*read);
    if (operation == ControlOperation::drain && !choice.object.empty())
        return Error{errc::bad_config, "an object cannot be drained; cancel it"};
    return {};
}

}  // namespace

bool takes_choice(ControlOperation operation) {
    switch (operation) {
        case ControlOperation::status:
        case ControlOperation::limit:
            return false;
        default:
            return true;
    }
}

std::optional<ControlOperation> control_operation(std::string_view name) {
    const auto known = std::ranges::find(operation_names, name);
    if (known == operation_names.end()) return std::nullopt;
    return static_cast<ControlOperation>(known - operation_names.begin());
}

std::string_view to_string(ControlOperation operation) {
    return operation_names[static_cast<std::size_t>(operation)];
}

Result<ControlRequest> parse_control_request(std::string_view line) {
    boost::system::error_code error;
    const auto value = json::parse({line.data(), line.size()}, error);
    const auto* const object = error ? nullptr : value.if_object();
    const auto* const op = object == nullptr ? nullptr : object->if_contains("op");
    const auto* const name = op == nullptr ? nullptr : op->if_string();
    if (name == nullptr) return Error{errc::bad_config, "not a request: {\"op\": \"status\"}"};
    const auto operation = control_operation(*name);
    if (!operation) {
        return Error{errc::bad_config,
                     "no such operation; there are status, pause, resume, cancel, drain, limit"};
    }
    ControlRequest request;
    request.operation = *operation;
    if (takes_choice(request.operation)) {
        const auto read = read_choice(*object, request.operation, request.choice);
        if (read.has_error()) return read.error();
    }
    if (request.operation != ControlOperation::limit) return request;
    if (const auto* const flag = object->if_contains("configured"); flag != nullptr) {
        if (!flag->is_bool()) return Error{errc::bad_config, "configured must be true or false"};
        request.configured = flag->get_bool();
    }
    const auto* const limits = object->if_contains("limits");
    if (limits == nullptr) return request;
    if (!limits->is_object()) return Error{errc::bad_config, "limits must be an object"};
    for (const auto& [option, text] : limits->get_object()) {
        if (!text.is_string())
            return Error{errc::bad_config, std::string(option) + " must be a text such as \"50M\""};
        request.limits.emplace(option, text.get_string());
    }
    return request;
}

json::object choice_json(const WorkChoice& choice) {
    json::object object;
    for (const auto& [member, text] : choice_members) {
        if (!(choice.*text).empty()) object[member] = choice.*text;
    }
    return object;
}

std::optional<WorkChoice> choice_of(const json::value& value) {
    if (!value.is_object()) return std::nullopt;
    WorkChoice choice;
    for (const auto& [member, text] : value.get_object()) {
        const auto known = std::ranges::find(choice_members, std::string_view(member),
                                             [](const auto& one) { return one.first; });
        if (known == choice_members.end() || !text.is_string() || text.get_string().empty())
            return std::nullopt;
        choice.*known->second = std::string(text.get_string());
    }
    return choice;
}

std::string control_request_line(const ControlRequest& request) {
    json::object object = choice_json(request.choice);
    object["op"] = to_string(request.operation);
    if (request.operation == ControlOperation::limit) {
        json::object limits;
        for (const auto& [option, text] : request.limits)
            limits[option] = text;
        object["configured"] = request.configured;
        object["limits"] = std::move(limits);
    }
    return json::serialize(object);
}

std::string control_error_line(const Error& error) {
    return "{\"error\": " + swift::json_string(error.detail) + "}";
}

}  // namespace fragmend::app
