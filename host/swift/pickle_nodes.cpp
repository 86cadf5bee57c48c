// The values of a pickle while it is read: nodes that name each other by their place.
#include "host/swift/pickle_nodes.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::swift {
namespace {

/// Shared nodes are copied at each place they are used, so the budget is what bounds a pickle that
/// names one node many times, and the depth is what ends a cycle.
class TreeCopy {
  public:
    TreeCopy(const PickleNodes& nodes, const PickleLimits& limits)
        : nodes_(nodes), limits_(limits) {}

    bool copy(PickleNodeIndex from, std::size_t depth, PickleValue& to);

  private:
    const PickleNodes& nodes_;
    const PickleLimits& limits_;
    std::size_t items_ = 0;
    std::size_t text_bytes_ = 0;
};

bool TreeCopy::copy(PickleNodeIndex from, std::size_t depth, PickleValue& to) {
    if (depth > limits_.depth || ++items_ > limits_.items) return false;
    const PickleNode& node = nodes_[from];
    if (std::holds_alternative<PickleGlobal>(node) || std::holds_alternative<BareRingNode>(node)) {
        return false;
    }
    if (const auto* sequence = std::get_if<SequenceNode>(&node)) {
        const auto children = nodes_.of(*sequence);
        auto& items = to.value.emplace<PickleSequence>().items;
        items.resize(std::min(children.size(), limits_.items - items_ + 1));
        for (std::size_t i = 0; i < children.size(); ++i) {
            if (!copy(children[i], depth + 1, items[i])) return false;
        }
        return true;
    }
    if (const auto* dict = std::get_if<DictNode>(&node)) {
        const auto children = nodes_.of(*dict);
        auto& items = to.value.emplace<PickleDict>().items;
        items.reserve(std::min(children.size(), limits_.items - items_ + 1) / 2);
        for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
            auto& item = items.emplace_back();
            if (!copy(children[i], depth + 1, item.key) ||
                !copy(children[i + 1], depth + 1, item.value)) {
                return false;
            }
        }
        return true;
    }
    text_bytes_ += copied_bytes(node);
    if (text_bytes_ > limits_.text_bytes) return false;
    if (const auto* text = std::get_if<TextNode>(&node)) {
        to.value.emplace<PickleText>().utf8 = text->utf8;
    } else if (const auto* bytes = std::get_if<BytesNode>(&node)) {
        to.value.emplace<PickleBytes>().bytes = bytes->bytes;
    } else if (const auto* array = std::get_if<PickleArray>(&node)) {
        to.value = *array;
    } else if (const auto* flag = std::get_if<bool>(&node)) {
        to.value = *flag;
    } else if (const auto* integer = std::get_if<std::int64_t>(&node)) {
        to.value = *integer;
    } else if (const auto* number = std::get_if<double>(&node)) {
        to.value = *number;
    }
    return true;
}

}  // namespace

void PickleNodes::append(Children& to, std::span<const PickleNodeIndex> more) {
    const std::size_t count = to.count + more.size();
    if (to.first + std::size_t{to.room} == links.size()) {
        links.resize(to.first + std::max<std::size_t>(count, to.room));
        to.room = static_cast<std::uint32_t>(links.size() - to.first);
    } else if (count > to.room) {
        // Twice the room at the end, so that a list that grows in turns with others moves seldom.
        const std::size_t first = links.size();
        links.resize(first + std::max(count, std::size_t{to.room} * 2));
        std::copy_n(links.begin() + to.first, to.count,
                    links.begin() + static_cast<std::ptrdiff_t>(first));
        to.first = static_cast<std::uint32_t>(first);
        to.room = static_cast<std::uint32_t>(links.size() - first);
    }
    std::copy(more.begin(), more.end(), links.begin() + to.first + to.count);
    to.count = static_cast<std::uint32_t>(count);
}

std::optional<std::span<const PickleNodeIndex>> PickleDocument::entries(
    PickleNodeIndex dict, std::size_t& items_left) const {
    const auto* node = std::get_if<DictNode>(&nodes[dict]);
    if (node == nullptr) return std::nullopt;
    if (node->count > items_left) {
        items_left = 0;
        return std::nullopt;
    }
    items_left -= node->count;
    return nodes.of(*node);
}

std::optional<std::string_view> characters_of(const PickleNode& node) {
    if (const auto* text = std::get_if<TextNode>(&node)) return text->utf8;
    if (const auto* bytes = std::get_if<BytesNode>(&node)) return bytes->bytes;
    return std::nullopt;
}

std::size_t copied_bytes(const PickleNode& node) {
    if (const auto* array = std::get_if<PickleArray>(&node)) return array->items.size() * 2;
    return characters_of(node).value_or(std::string_view()).size();
}

std::optional<PickleValue> plain_value(const PickleNodes& nodes, PickleNodeIndex from,
                                       const PickleLimits& limits) {
    PickleValue value;
    if (!TreeCopy(nodes, limits).copy(from, 0, value)) return std::nullopt;
    return value;
}

}  // namespace fragmend::swift
