// The values of a pickle while it is read: nodes that name each other by their place.
#include "host/swift/pickle_nodes.hpp"

#include <algorithm>
#include <string>

namespace fragmend::swift {
namespace {

/// Shared nodes are copied at each place they are used, so the budget is what bounds a pickle that
/// names one node many times, and the depth is what ends a cycle.
class TreeCopy {
  public:
    TreeCopy(const std::vector<PickleNode>& nodes, const PickleLimits& limits)
        : nodes_(nodes), limits_(limits) {}

    bool copy(PickleNodeIndex from, std::size_t depth, PickleValue& to);

  private:
    const std::vector<PickleNode>& nodes_;
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
        auto& items = to.value.emplace<PickleSequence>().items;
        items.resize(std::min(sequence->nodes.size(), limits_.items - items_ + 1));
        for (std::size_t i = 0; i < sequence->nodes.size(); ++i) {
            if (!copy(sequence->nodes[i], depth + 1, items[i])) return false;
        }
        return true;
    }
    if (const auto* dict = std::get_if<DictNode>(&node)) {
        auto& items = to.value.emplace<PickleDict>().items;
        for (std::size_t i = 0; i + 1 < dict->nodes.size(); i += 2) {
            auto& item = items.emplace_back();
            if (!copy(dict->nodes[i], depth + 1, item.key) ||
                !copy(dict->nodes[i + 1], depth + 1, item.value)) {
                return false;
            }
        }
        return true;
    }
    text_bytes_ += owned_bytes(node);
    if (text_bytes_ > limits_.text_bytes) return false;
    if (const auto* text = std::get_if<PickleText>(&node)) {
        to.value = *text;
    } else if (const auto* bytes = std::get_if<PickleBytes>(&node)) {
        to.value = *bytes;
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

const std::string* characters_of(const PickleNode& node) {
    if (const auto* text = std::get_if<PickleText>(&node)) return &text->utf8;
    if (const auto* bytes = std::get_if<PickleBytes>(&node)) return &bytes->bytes;
    return nullptr;
}

std::size_t owned_bytes(const PickleNode& node) {
    if (const auto* array = std::get_if<PickleArray>(&node)) return array->items.size() * 2;
    const std::string* characters = characters_of(node);
    return characters != nullptr ? characters->size() : 0;
}

std::optional<PickleValue> plain_value(const std::vector<PickleNode>& nodes, PickleNodeIndex from,
                                       const PickleLimits& limits) {
    PickleValue value;
    if (!TreeCopy(nodes, limits).copy(from, 0, value)) return std::nullopt;
    return value;
}

}  // namespace fragmend::swift
