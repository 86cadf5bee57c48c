// A pickle machine over an arena of nodes; the result is copied out of it as a tree.
#include "host/swift/pickle.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <unordered_map>

#include "host/swift/pickle_globals.hpp"
#include "host/swift/pickle_input.hpp"
#include "host/swift/pickle_nodes.hpp"
#include "host/swift/pickle_scalars.hpp"

namespace fragmend::swift {
namespace {

enum class OpcodeKind : std::uint8_t { number, string, memo, object, frame, stack, container };

constexpr std::array<OpcodeKind, 256> opcode_kinds() {
    std::array<OpcodeKind, 256> kinds{};
    kinds.fill(OpcodeKind::container);  // Refuses what it does not know.
    const auto mark = [&](std::string_view opcodes, OpcodeKind kind) {
        for (const char opcode : opcodes)
            kinds[static_cast<unsigned char>(opcode)] = kind;
    };
    mark("N\x88\x89KMJ\x8a\x8bILFG", OpcodeKind::number);
    mark("X\x8c\x8dVUCTB\x8eS", OpcodeKind::string);
    mark("pqr\x94ghj", OpcodeKind::memo);
    mark("c\x93R\x81\x62", OpcodeKind::object);
    mark("\x80\x95", OpcodeKind::frame);
    mark(".(02", OpcodeKind::stack);
    return kinds;
}

/// Which node each slot of the memo names. Writers count slots up from zero; slots far out, which
/// only a hostile or a very long pickle has, go to a map.
class Memo {
  public:
    std::size_t size() const { return size_; }
    void put(std::uint64_t slot, PickleNodeIndex node) {
        if (slot >= dense_max) {
            size_ += far_.insert_or_assign(slot, node).second ? 1 : 0;
            return;
        }
        if (slot >= dense_.size()) {
            dense_.resize(std::max<std::size_t>(slot + 1, dense_.size() * 2), none);
        }
        if (dense_[slot] == none) ++size_;
        dense_[slot] = node;
    }
    std::optional<PickleNodeIndex> get(std::uint64_t slot) const {
        if (slot >= dense_max) {
            const auto found = far_.find(slot);
            return found == far_.end() ? std::nullopt : std::optional(found->second);
        }
        if (slot >= dense_.size() || dense_[slot] == none) return std::nullopt;
        return dense_[slot];
    }

  private:
    static constexpr std::uint64_t dense_max = 65536;
    static constexpr PickleNodeIndex none = std::numeric_limits<PickleNodeIndex>::max();
    std::vector<PickleNodeIndex> dense_;
    std::unordered_map<std::uint64_t, PickleNodeIndex> far_;
    std::size_t size_ = 0;
};

/// Bytes of a pickle a node, roughly, in what Swift writes; and nodes to make room for at once.
constexpr std::size_t bytes_a_node = 12;
constexpr std::size_t nodes_at_once_max = 4096;

class Machine {
  public:
    Machine(std::string_view bytes, const PickleLimits& limits, PickleSubject subject)
        : input_(bytes), limits_(limits), subject_(subject) {
        nodes_.nodes.reserve(std::min(bytes.size() / bytes_a_node, nodes_at_once_max));
        nodes_.links.reserve(nodes_.nodes.capacity());
    }

    Result<PickleDocument> run();

  private:
    enum class Step : std::uint8_t { more, stop, refuse };

    Step step(std::uint8_t opcode);
    Step step_frame(std::uint8_t opcode);
    Step step_stack(std::uint8_t opcode);
    Step step_memo(std::uint8_t opcode);
    Step step_container(std::uint8_t opcode);
    Step step_object(std::uint8_t opcode);

    Step push(PickleNode node);
    Step push_scalar(std::optional<PickleNode> node);
    Step push_sequence(std::size_t first);
    Step push_global(std::string_view module, std::string_view name);
    Step global_from_stack();
    Step call();
    Step new_object();
    Step build();
    Step add_items(std::size_t first, bool to_dict);
    Step put(std::optional<std::uint64_t> slot);
    Step get(std::optional<std::uint64_t> slot);

    /// Where the items above the newest mark begin; the mark is taken off.
    std::optional<std::size_t> pop_mark();
    /// Items above the newest mark: no opcode but those that take the mark may reach below it.
    std::size_t reachable() const {
        const std::size_t fence = marks_.empty() ? 0 : marks_.back();
        return stack_.size() < fence ? 0 : stack_.size() - fence;
    }
    template <typename T>
    T* top_as(std::size_t below = 0) {
        if (reachable() <= below) return nullptr;
        return std::get_if<T>(&nodes_[stack_[stack_.size() - 1 - below]]);
    }
    void replace_top(std::size_t count, PickleNodeIndex by) {
        stack_.resize(stack_.size() - count);
        stack_.push_back(by);
    }

    Error refused(std::string_view why) const {
        return {errc::bad_pickle, std::string(why) + " at byte " + std::to_string(input_.offset())};
    }

    PickleInput input_;
    const PickleLimits& limits_;
    PickleSubject subject_;
    PickleNodes nodes_;
    std::vector<PickleNodeIndex> stack_;
    std::vector<std::size_t> marks_;
    Memo memo_;
    std::size_t text_bytes_ = 0;
    std::size_t links_ = 0;
};

Machine::Step Machine::push(PickleNode node) {
    if (nodes_.nodes.size() >= limits_.items) return Step::refuse;
    stack_.push_back(static_cast<PickleNodeIndex>(nodes_.nodes.size()));
    nodes_.nodes.push_back(std::move(node));
    return Step::more;
}

Machine::Step Machine::push_scalar(std::optional<PickleNode> node) {
    if (!node) return Step::refuse;
    text_bytes_ += copied_bytes(*node);
    return text_bytes_ > limits_.text_bytes ? Step::refuse : push(std::move(*node));
}

std::optional<std::size_t> Machine::pop_mark() {
    if (marks_.empty()) return std::nullopt;
    const std::size_t first = marks_.back();
    marks_.pop_back();
    return first <= stack_.size() ? std::optional(first) : std::nullopt;
}

Machine::Step Machine::push_sequence(std::size_t first) {
    SequenceNode sequence;
    nodes_.append(sequence, std::span(stack_).subspan(first));
    links_ += sequence.count;
    stack_.resize(first);
    return push(sequence);
}

/// Moves the items from `first` up into the container below them.
Machine::Step Machine::add_items(std::size_t first, bool to_dict) {
    const std::size_t fence = marks_.empty() ? 0 : marks_.back();
    if (first <= fence || first > stack_.size()) return Step::refuse;
    PickleNode& target = nodes_[stack_[first - 1]];
    Children* children = nullptr;
    if (to_dict) {
        if ((stack_.size() - first) % 2 != 0) return Step::refuse;
        children = std::get_if<DictNode>(&target);
    } else {
        children = std::get_if<SequenceNode>(&target);
    }
    if (children == nullptr) return Step::refuse;
    links_ += stack_.size() - first;
    nodes_.append(*children, std::span(stack_).subspan(first));
    stack_.resize(first);
    return Step::more;
}

Machine::Step Machine::put(std::optional<std::uint64_t> slot) {
    if (!slot || reachable() == 0 || *slot > limits_.items) return Step::refuse;
    memo_.put(*slot, stack_.back());
    return Step::more;
}

Machine::Step Machine::get(std::optional<std::uint64_t> slot) {
    if (!slot || stack_.size() >= limits_.items) return Step::refuse;
    const auto found = memo_.get(*slot);
    if (!found) return Step::refuse;
    stack_.push_back(*found);
    return Step::more;
}

Machine::Step Machine::push_global(std::string_view module, std::string_view name) {
    const auto global = pickle_global(module, name, subject_);
    return global ? push(*global) : Step::refuse;
}

Machine::Step Machine::global_from_stack() {
    const auto* name = top_as<TextNode>(0);
    const auto* module = top_as<TextNode>(1);
    if (name == nullptr || module == nullptr) return Step::refuse;
    const TextNode name_text = *name;
    const TextNode module_text = *module;
    stack_.resize(stack_.size() - 2);
    return push_global(module_text.utf8, name_text.utf8);
}

/// REDUCE: the callable and its arguments give way to what the call would have made.
Machine::Step Machine::call() {
    const auto* arguments = top_as<SequenceNode>(0);
    const auto* global = top_as<PickleGlobal>(1);
    if (arguments == nullptr || global == nullptr) return Step::refuse;
    const auto given = nodes_.of(*arguments);
    if (*global == PickleGlobal::reconstructor && given.size() == 3) {
        // copy_reg._reconstructor(HeaderKeyDict, dict, {...}) of protocols 0 and 1.
        const PickleNodeIndex state = given[2];
        const auto* type = std::get_if<PickleGlobal>(&nodes_[given[0]]);
        if (type != nullptr && *type == PickleGlobal::header_key_dict) {
            if (!std::holds_alternative<DictNode>(nodes_[state])) return Step::refuse;
            replace_top(2, state);
            return Step::more;
        }
    }
    auto made = call_pickle_global(*global, given, nodes_, limits_);
    stack_.resize(stack_.size() - 2);
    // One string can be the argument of many calls: what they make counts, too.
    return push_scalar(std::move(made));
}

/// NEWOBJ: an empty HeaderKeyDict or dict, which SETITEMS then fills, or RingData before BUILD.
Machine::Step Machine::new_object() {
    const auto* arguments = top_as<SequenceNode>(0);
    const auto* type = top_as<PickleGlobal>(1);
    if (arguments == nullptr || type == nullptr || arguments->count != 0) return Step::refuse;
    const PickleGlobal wanted = *type;
    stack_.resize(stack_.size() - 2);
    if (wanted == PickleGlobal::ring_data) return push(BareRingNode{});
    const bool is_dict = wanted == PickleGlobal::header_key_dict || wanted == PickleGlobal::dict;
    return is_dict ? push(DictNode{}) : Step::refuse;
}

/// BUILD: RingData takes its attributes; a HeaderKeyDict has no state beyond an empty one.
Machine::Step Machine::build() {
    const auto* state = top_as<DictNode>(0);
    if (top_as<BareRingNode>(1) != nullptr) {
        if (state == nullptr) return Step::refuse;
        const DictNode attributes = *state;
        links_ += attributes.count;
        DictNode own;
        const std::vector<PickleNodeIndex> copy(nodes_.of(attributes).begin(),
                                                nodes_.of(attributes).end());
        nodes_.append(own, copy);
        nodes_[stack_[stack_.size() - 2]] = own;
        stack_.pop_back();
        return Step::more;
    }
    const bool empty = top_as<PickleNone>(0) != nullptr || (state != nullptr && state->count == 0);
    if (!empty || top_as<DictNode>(1) == nullptr) return Step::refuse;
    stack_.pop_back();
    return Step::more;
}

std::optional<std::uint64_t> memo_slot(std::optional<std::string_view> text) {
    const auto value = pickle_decimal(text);
    if (!value || *value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}

Machine::Step Machine::step_memo(std::uint8_t opcode) {
    switch (opcode) {
        case 'p':
            return put(memo_slot(input_.line()));
        case 'q':
            return put(input_.little_endian(1));
        case 'r':
            return put(input_.little_endian(4));
        case 0x94:
            return put(memo_.size());
        case 'g':
            return get(memo_slot(input_.line()));
        case 'h':
            return get(input_.little_endian(1));
        case 'j':
            return get(input_.little_endian(4));
        default:
            return Step::refuse;
    }
}

Machine::Step Machine::step_container(std::uint8_t opcode) {
    switch (opcode) {
        case '}':
            return push(DictNode{});
        case ']':
            return push(SequenceNode{});
        case ')':
            return push(SequenceNode{});
        case 0x85:
        case 0x86:
        case 0x87: {
            const std::size_t count = opcode - std::size_t{0x84};
            return reachable() < count ? Step::refuse : push_sequence(stack_.size() - count);
        }
        case 'a':
            return reachable() < 2 ? Step::refuse : add_items(stack_.size() - 1, false);
        case 's':
            return reachable() < 3 ? Step::refuse : add_items(stack_.size() - 2, true);
        default:
            break;
    }
    const auto first = pop_mark();
    if (!first) return Step::refuse;
    switch (opcode) {
        case 't':
        case 'l':
            return push_sequence(*first);
        case 'd': {
            // The dict slides in below its items, then takes them.
            std::vector<PickleNodeIndex> items(stack_.begin() + static_cast<std::ptrdiff_t>(*first),
                                               stack_.end());
            stack_.resize(*first);
            if (push(DictNode{}) != Step::more) return Step::refuse;
            stack_.insert(stack_.end(), items.begin(), items.end());
            return add_items(*first + 1, true);
        }
        case 'e':
            return add_items(*first, false);
        case 'u':
            return add_items(*first, true);
        case '1':
            stack_.resize(*first);
            return Step::more;
        default:
            return Step::refuse;
    }
}

Machine::Step Machine::step_object(std::uint8_t opcode) {
    switch (opcode) {
        case 'c': {
            const auto module = input_.line();
            const auto name = input_.line();
            return module && name ? push_global(*module, *name) : Step::refuse;
        }
        case 0x93:
            return global_from_stack();
        case 'R':
            return call();
        case 0x81:
            return new_object();
        case 'b':
            return build();
        default:
            return Step::refuse;
    }
}

Machine::Step Machine::step_frame(std::uint8_t opcode) {
    if (opcode == 0x95) return input_.little_endian(8) ? Step::more : Step::refuse;
    const auto protocol = input_.byte();
    return protocol && *protocol <= 4 ? Step::more : Step::refuse;
}

Machine::Step Machine::step_stack(std::uint8_t opcode) {
    switch (opcode) {
        case '.':
            return Step::stop;
        case '(':
            if (marks_.size() >= limits_.items) return Step::refuse;
            marks_.push_back(stack_.size());
            return Step::more;
        case '0':
            if (reachable() == 0) return Step::refuse;
            stack_.pop_back();
            return Step::more;
        case '2':
            if (reachable() == 0 || stack_.size() >= limits_.items) return Step::refuse;
            stack_.push_back(stack_.back());
            return Step::more;
        default:
            return Step::refuse;
    }
}

Machine::Step Machine::step(std::uint8_t opcode) {
    static constexpr auto kinds = opcode_kinds();
    switch (kinds[opcode]) {
        case OpcodeKind::number:
            return push_scalar(read_pickle_number(opcode, input_));
        case OpcodeKind::string:
            return push_scalar(read_pickle_string(opcode, input_, nodes_));
        case OpcodeKind::memo:
            return step_memo(opcode);
        case OpcodeKind::object:
            return step_object(opcode);
        case OpcodeKind::frame:
            return step_frame(opcode);
        case OpcodeKind::stack:
            return step_stack(opcode);
        case OpcodeKind::container:
            return step_container(opcode);
    }
    return Step::refuse;
}

Result<PickleDocument> Machine::run() {
    for (;;) {
        const auto opcode = input_.byte();
        if (!opcode) return refused("pickle ends early");
        const Step outcome = step(*opcode);
        if (links_ > limits_.items) return refused("pickle is too large");
        if (outcome == Step::more) continue;
        if (outcome == Step::refuse) return refused("pickle opcode refused");
        if (reachable() == 0) return refused("pickle has no value");
        return PickleDocument{std::move(nodes_), stack_.back()};
    }
}

}  // namespace

const std::string* PickleValue::characters() const {
    if (const auto* text = as<PickleText>()) return &text->utf8;
    if (const auto* bytes = as<PickleBytes>()) return &bytes->bytes;
    return nullptr;
}

Result<PickleDocument> read_pickle_document(std::string_view bytes, const PickleLimits& limits,
                                            PickleSubject subject) {
    if (bytes.size() > limits.input_bytes) {
        return Error{errc::bad_pickle, "pickle of " + std::to_string(bytes.size()) + " bytes"};
    }
    return Machine(bytes, limits, subject).run();
}

Result<PickleValue> read_pickle(std::string_view bytes, const PickleLimits& limits,
                                PickleSubject subject) {
    const auto document = read_pickle_document(bytes, limits, subject);
    if (!document) return document.error();
    auto value = plain_value(document->nodes, document->root, limits);
    if (!value) return Error{errc::bad_pickle, "pickle is not plain data"};
    return std::move(*value);
}

}  // namespace fragmend::swift
