// The headers of a request as Swift's servers see them: one value a name, names in one spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fragmend::server {

/// Names are compared without case and with `_` for `-`, and come out title-cased, as through a
/// WSGI environment: what is stored of a request has these names. Values are wire bytes; those of a
/// name that comes twice are joined by a comma. Keeps the order of first appearance.
/// Source: eventlet.wsgi.HttpProtocol.get_environ, swift.common.swob.HeaderEnvironProxy.
class HeaderMap {
  public:
    using Item = std::pair<std::string, std::string>;

    /// As a server meets it: a second value joins the first, except Content-Type and
    /// Content-Length, whose first one stays.
    void add(std::string_view name, std::string_view value);
    void set(std::string_view name, std::string_view value);
    void erase(std::string_view name);

    std::optional<std::string_view> find(std::string_view name) const;
    bool contains(std::string_view name) const { return find(name).has_value(); }
    /// The value, or an empty one.
    std::string_view get(std::string_view name) const { return find(name).value_or(""); }
    /// Swift's rule for boolean values; absent is false.
    bool is_true(std::string_view name) const;

    const std::vector<Item>& items() const { return items_; }

  private:
    Item* item(std::string_view spelled);
    std::vector<Item> items_;
};

/// True for `X-Object-Meta-<something>`, and for `X-Object-Sysmeta-<something>`.
/// Source: swift.common.request_helpers.is_sys_or_user_meta.
bool is_user_or_system_meta(std::string_view name);
bool is_user_meta(std::string_view name);
/// True for `X-Object-Transient-Sysmeta-<something>`.
bool is_transient_system_meta(std::string_view name);

/// ASCII only, case ignored.
bool equals_ignoring_case(std::string_view left, std::string_view right);

}  // namespace fragmend::server
