// The JSON parts of ring files.
#include "host/swift/ring_json.hpp"

#include <boost/json/parse.hpp>
#include <limits>
#include <string>
#include <utility>

namespace fragmend::swift {
namespace {

namespace json = boost::json;

Error bad_device(std::size_t id, std::string_view why) {
    std::string detail = "device " + std::to_string(id) + ": ";
    detail += why;
    return {errc::bad_ring, std::move(detail)};
}

// Reads the members of one device; the first failure is kept.
class DeviceReader {
  public:
    DeviceReader(const json::object& object, std::size_t id) : object_(object), id_(id) {}

    std::int64_t whole(std::string_view key, std::optional<std::int64_t> otherwise,
                       std::int64_t least, std::int64_t most) {
        const auto number = whole_from_json(object_, key);
        if (!number) return fail(key, "is not a whole number");
        if (!number->has_value() && !otherwise) return fail(key, "is missing");
        const std::int64_t value = number->has_value() ? **number : *otherwise;
        if (value < least || value > most) return fail(key, "is out of range");
        return value;
    }

    std::string text(std::string_view key, const std::string* otherwise) {
        const json::value* value = object_.if_contains(key);
        if (value == nullptr && otherwise != nullptr) return *otherwise;
        if (value != nullptr && value->is_string()) {
            return {value->get_string().begin(), value->get_string().end()};
        }
        fail(key, "is missing or no text");
        return {};
    }

    double number(std::string_view key, double otherwise) {
        const json::value* value = object_.if_contains(key);
        if (value == nullptr) return otherwise;
        if (value->is_double()) return value->get_double();
        return static_cast<double>(whole(key, 0, std::numeric_limits<std::int64_t>::min(),
                                         std::numeric_limits<std::int64_t>::max()));
    }

    const std::optional<Error>& error() const { return error_; }

  private:
    std::int64_t fail(std::string_view key, std::string_view why) {
        if (!error_) error_ = bad_device(id_, std::string(key) + " " + std::string(why));
        return 0;
    }

    const json::object& object_;
    std::size_t id_;
    std::optional<Error> error_;
};

Result<Node> node_from_json(const json::object& object, std::size_t id) {
    constexpr std::int64_t any_min = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t any_max = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t port_max = 65535;
    DeviceReader device(object, id);
    Node node;
    node.id = static_cast<std::uint32_t>(device.whole("id", {}, 0, 0xffffffff));
    node.region = device.whole("region", 1, any_min, any_max);
    node.zone = device.whole("zone", {}, any_min, any_max);
    node.ip = device.text("ip", nullptr);
    node.port = static_cast<std::uint16_t>(device.whole("port", {}, 0, port_max));
    node.replication_ip = device.text("replication_ip", &node.ip);
    node.replication_port =
        static_cast<std::uint16_t>(device.whole("replication_port", node.port, 0, port_max));
    node.device = device.text("device", nullptr);
    node.weight = device.number("weight", 0);
    if (device.error()) return *device.error();
    return node;
}

}  // namespace

Result<json::value> parse_ring_json(std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) return Error{errc::bad_ring, "the JSON text is too long"};
    boost::system::error_code failed;
    json::value value = json::parse(json::string_view(text.data(), text.size()), failed);
    if (failed) return Error{errc::bad_ring, "not JSON: " + failed.message()};
    return value;
}

Result<std::optional<std::int64_t>> whole_from_json(const json::object& object,
                                                    std::string_view key) {
    const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
    if (value == nullptr || value->is_null()) return std::optional<std::int64_t>();
    if (value->is_int64()) return std::optional(value->get_int64());
    return Error{errc::bad_ring, std::string(key) + " is not a whole number"};
}

Result<std::vector<std::optional<Node>>> devices_from_json(const json::value& list) {
    if (!list.is_array()) return Error{errc::bad_ring, "the devices are no list"};
    std::vector<std::optional<Node>> devices;
    devices.reserve(list.get_array().size());
    for (const json::value& item : list.get_array()) {
        if (item.is_null()) {
            devices.emplace_back();
            continue;
        }
        if (!item.is_object()) return bad_device(devices.size(), "is no object");
        auto node = node_from_json(item.get_object(), devices.size());
        if (!node) return node.error();
        devices.emplace_back(std::move(*node));
    }
    return devices;
}

}  // namespace fragmend::swift
