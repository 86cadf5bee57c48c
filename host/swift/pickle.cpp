// A pickle machine over an arena of nodes; the result is copied out of it as a tree.
#include "host/swift/pickle.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "host/swift/pickle_globals.hpp"
#include "host/swift/pickle_input.hpp"
#include "host/swift/pickle_nodes.hpp"
#include "host/swift/pickle_scalars.hpp"

namespace fragmend::swift {
namespace {

class Machine {
  public:
    Machine(std::string_view bytes, const PickleLimits& limits, PickleSubject subject)
        : input_(bytes), limits_(limits), subject_(subject) {}

    Result<PickleValue> run();

  private:
    enum class Step : std::uint8_t { more, stop, refuse };

    Step step(std::uint8_t opcode);
    Step step_scalar(std::uint8_t opcode);
    Step step_memo(std::uint8_t opcode);
    Step step_container(std::uint8_t opcode);
    Step step_object(std::uint8_t opcode);

    Step push(PickleNode node);
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
    std::vector<PickleNode> nodes_;
    std::vector<PickleNodeIndex> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint64_t, PickleNodeIndex> memo_;
    std::size_t text_bytes_ = 0;
    std::size_t links_ = 0;
};

Machine::Step Machine::push(PickleNode node) {
    if (nodes_.size() >= limits_.items) return Step::refuse;
    stack_.push_back(static_cast<PickleNodeIndex>(nodes_.size()));
    nodes_.push_back(std::move(node));
    return Step::more;
}

std::optional<std::size_t> Machine::pop_mark() {
    if (marks_.empty()) return std::nullopt;
    const std::size_t first = marks_.back();
    marks_.pop_back();
    return first <= stack_.size() ? std::optional(first) : std::nullopt;
}

Machine::Step Machine::push_sequence(std::size_t first) {
    SequenceNode sequence;
    sequence.nodes.assign(stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
    links_ += sequence.nodes.size();
    stack_.resize(first);
    return push(std::move(sequence));
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
    children->nodes.insert(children->nodes.end(),
                           stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
    stack_.resize(first);
    return Step::more;
}

Machine::Step Machine::put(std::optional<std::uint64_t> slot) {
    if (!slot || reachable() == 0 || memo_.size() >= limits_.items) return Step::refuse;
    memo_[*slot] = stack_.back();
    return Step::more;
}

Machine::Step Machine::get(std::optional<std::uint64_t> slot) {
    if (!slot || stack_.size() >= limits_.items) return Step::refuse;
    const auto found = memo_.find(*slot);
    if (found == memo_.end()) return Step::refuse;
    stack_.push_back(found->second);
    return Step::more;
}

Machine::Step Machine::push_global(std::string_view module, std::string_view name) {
    const auto global = pickle_global(module, name, subject_);
    return global ? push(*global) : Step::refuse;
}

Machine::Step Machine::global_from_stack() {
    const auto* name = top_as<PickleText>(0);
    const auto* module = top_as<PickleText>(1);
    if (name == nullptr || module == nullptr) return Step::refuse;
    const std::string name_text = name->utf8;
    const std::string module_text = module->utf8;
    stack_.resize(stack_.size() - 2);
    return push_global(module_text, name_text);
}

/// REDUCE: the callable and its arguments give way to what the call would have made.
Machine::Step Machine::call() {
    const auto* arguments = top_as<SequenceNode>(0);
    const auto* global = top_as<PickleGlobal>(1);
    if (arguments == nullptr || global == nullptr) return Step::refuse;
    if (*global == PickleGlobal::reconstructor && arguments->nodes.size() == 3) {
        // copy_reg._reconstructor(HeaderKeyDict, dict, {...}) of protocols 0 and 1.
        const PickleNodeIndex state = arguments->nodes[2];
        const auto* type = std::get_if<PickleGlobal>(&nodes_[arguments->nodes[0]]);
        if (type != nullptr && *type == PickleGlobal::header_key_dict) {
            if (!std::holds_alternative<DictNode>(nodes_[state])) return Step::refuse;
            replace_top(2, state);
            return Step::more;
        }
    }
    auto made = call_pickle_global(*global, arguments->nodes, nodes_, limits_);
    if (!made) return Step::refuse;
    // One string can be the argument of many calls: what they make counts, too.
    text_bytes_ += owned_bytes(*made);
    if (text_bytes_ > limits_.text_bytes) return Step::refuse;
    stack_.resize(stack_.size() - 2);
    return push(std::move(*made));
}

/// NEWOBJ: an empty HeaderKeyDict or dict, which SETITEMS then fills, or RingData before BUILD.
Machine::Step Machine::new_object() {
    const auto* arguments = top_as<SequenceNode>(0);
    const auto* type = top_as<PickleGlobal>(1);
    if (arguments == nullptr || type == nullptr || !arguments->nodes.empty()) return Step::refuse;
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
        links_ += state->nodes.size();
        DictNode attributes = *state;
        nodes_[stack_[stack_.size() - 2]] = std::move(attributes);
        stack_.pop_back();
        return Step::more;
    }
    const bool empty =
        top_as<PickleNone>(0) != nullptr || (state != nullptr && state->nodes.empty());
    if (!empty || top_as<DictNode>(1) == nullptr) return Step::refuse;
    stack_.pop_back();
    return Step::more;
}

std::optional<std::uint64_t> memo_slot(std::optional<std::string_view> text) {
    const auto value = pickle_decimal(text);
    if (!value || *value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}

Machine::Step Machine::step_scalar(std::uint8_t opcode) {
    auto scalar = read_pickle_scalar(opcode, input_);
    if (!scalar) return Step::refuse;
    PickleNode node =
        std::visit([](auto&& value) -> PickleNode { return std::move(value); }, std::move(*scalar));
    text_bytes_ += owned_bytes(node);
    return text_bytes_ > limits_.text_bytes ? Step::refuse : push(std::move(node));
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

Machine::Step Machine::step(std::uint8_t opcode) {
    switch (opcode) {
        case 0x80: {
            const auto protocol = input_.byte();
            return protocol && *protocol <= 4 ? Step::more : Step::refuse;
        }
        case 0x95:
            return input_.little_endian(8) ? Step::more : Step::refuse;
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
            break;
    }
    const auto is_one_of = [&](std::string_view opcodes) {
        return opcodes.find(static_cast<char>(opcode)) != std::string_view::npos;
    };
    if (is_pickle_scalar(opcode)) return step_scalar(opcode);
    if (is_one_of("pqr\x94ghj")) return step_memo(opcode);
    if (is_one_of("c\x93R\x81\x62")) return step_object(opcode);
    return step_container(opcode);
}

Result<PickleValue> Machine::run() {
    for (;;) {
        const auto opcode = input_.byte();
        if (!opcode) return refused("pickle ends early");
        const Step outcome = step(*opcode);
        if (links_ > limits_.items) return refused("pickle is too large");
        if (outcome == Step::more) continue;
        if (outcome == Step::refuse) return refused("pickle opcode refused");
        if (reachable() == 0) return refused("pickle has no value");
        auto value = plain_value(nodes_, stack_.back(), limits_);
        if (!value) return refused("pickle is not plain data");
        return std::move(*value);
    }
}

}  // namespace

const std::string* PickleValue::characters() const {
    if (const auto* text = as<PickleText>()) return &text->utf8;
    if (const auto* bytes = as<PickleBytes>()) return &bytes->bytes;
    return nullptr;
}

Result<PickleValue> read_pickle(std::string_view bytes, const PickleLimits& limits,
                                PickleSubject subject) {
    if (bytes.size() > limits.input_bytes) {
        return Error{errc::bad_pickle, "pickle of " + std::to_string(bytes.size()) + " bytes"};
    }
    return Machine(bytes, limits, subject).run();
}

}  // namespace fragmend::swift
