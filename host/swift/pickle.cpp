// A pickle machine over an arena of nodes; the result is copied out of it as a tree.
#include "host/swift/pickle.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "host/swift/pickle_input.hpp"
#include "host/swift/pickle_scalars.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

using NodeIndex = std::uint32_t;

/// The callables that a pickle may name. What they would do is done here.
enum class Callable : std::uint8_t {
    codecs_encode,
    bytes,
    dict,
    header_key_dict,
    reconstructor,
    object
};

struct KnownCallable {
    std::string_view module;
    std::string_view name;
    Callable callable;
};
constexpr std::array known_callables{
    KnownCallable{"_codecs", "encode", Callable::codecs_encode},
    KnownCallable{"__builtin__", "bytes", Callable::bytes},
    KnownCallable{"builtins", "bytes", Callable::bytes},
    KnownCallable{"__builtin__", "dict", Callable::dict},
    KnownCallable{"builtins", "dict", Callable::dict},
    KnownCallable{"__builtin__", "object", Callable::object},
    KnownCallable{"builtins", "object", Callable::object},
    KnownCallable{"copy_reg", "_reconstructor", Callable::reconstructor},
    KnownCallable{"copyreg", "_reconstructor", Callable::reconstructor},
    KnownCallable{"swift.common.swob", "HeaderKeyDict", Callable::header_key_dict},
    KnownCallable{"swift.common.header_key_dict", "HeaderKeyDict", Callable::header_key_dict},
    KnownCallable{"swift.common.utils", "HeaderKeyDict", Callable::header_key_dict},
};

struct Children {
    std::vector<NodeIndex> nodes;  ///< Of a dict: key, value, key, value...
};
struct SequenceNode : Children {};
struct DictNode : Children {};

using Node = std::variant<PickleNone, bool, std::int64_t, double, PickleText, PickleBytes, Callable,
                          SequenceNode, DictNode>;

class Machine {
  public:
    Machine(std::string_view bytes, const PickleLimits& limits) : input_(bytes), limits_(limits) {}

    Result<PickleValue> run();

  private:
    enum class Step : std::uint8_t { more, stop, refuse };

    Step step(std::uint8_t opcode);
    Step step_scalar(std::uint8_t opcode);
    Step step_memo(std::uint8_t opcode);
    Step step_container(std::uint8_t opcode);
    Step step_object(std::uint8_t opcode);

    Step push(Node node);
    Step push_sequence(std::size_t first);
    Step push_callable(std::string_view module, std::string_view name);
    Step global_from_stack();
    Step call();
    Step new_object();
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
    void replace_top(std::size_t count, NodeIndex by) {
        stack_.resize(stack_.size() - count);
        stack_.push_back(by);
    }

    struct Budget {
        std::size_t items = 0;
        std::size_t text_bytes = 0;
    };
    bool copy_out(NodeIndex from, std::size_t depth, Budget& spent, PickleValue& to) const;

    Error refused(std::string_view why) const {
        return {errc::bad_pickle, std::string(why) + " at byte " + std::to_string(input_.offset())};
    }

    PickleInput input_;
    const PickleLimits& limits_;
    std::vector<Node> nodes_;
    std::vector<NodeIndex> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint64_t, NodeIndex> memo_;
    std::size_t text_bytes_ = 0;
    std::size_t links_ = 0;
};

Machine::Step Machine::push(Node node) {
    if (nodes_.size() >= limits_.items) return Step::refuse;
    stack_.push_back(static_cast<NodeIndex>(nodes_.size()));
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
    Node& target = nodes_[stack_[first - 1]];
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

Machine::Step Machine::push_callable(std::string_view module, std::string_view name) {
    for (const auto& known : known_callables) {
        if (known.module == module && known.name == name) return push(known.callable);
    }
    return Step::refuse;
}

Machine::Step Machine::global_from_stack() {
    const auto* name = top_as<PickleText>(0);
    const auto* module = top_as<PickleText>(1);
    if (name == nullptr || module == nullptr) return Step::refuse;
    const std::string name_text = name->utf8;
    const std::string module_text = module->utf8;
    stack_.resize(stack_.size() - 2);
    return push_callable(module_text, name_text);
}

/// REDUCE: the callable and its arguments give way to what the call would have made.
Machine::Step Machine::call() {
    const auto* arguments = top_as<SequenceNode>(0);
    const auto* callable = top_as<Callable>(1);
    if (arguments == nullptr || callable == nullptr) return Step::refuse;
    const auto argument = [&](std::size_t i) -> const Node& { return nodes_[arguments->nodes[i]]; };
    Node made;
    switch (*callable) {
        case Callable::codecs_encode: {
            if (arguments->nodes.size() != 2) return Step::refuse;
            const auto* text = std::get_if<PickleText>(&argument(0));
            const auto* codec = std::get_if<PickleText>(&argument(1));
            if (text == nullptr || codec == nullptr) return Step::refuse;
            if (codec->utf8 != "latin1" && codec->utf8 != "latin-1") return Step::refuse;
            auto bytes = to_latin1(text->utf8);
            if (!bytes) return Step::refuse;
            made = PickleBytes{std::move(*bytes)};
            break;
        }
        case Callable::bytes:
            if (!arguments->nodes.empty()) return Step::refuse;
            made = PickleBytes{};
            break;
        case Callable::dict:
        case Callable::header_key_dict:
            if (!arguments->nodes.empty()) return Step::refuse;
            made = DictNode{};
            break;
        case Callable::reconstructor: {
            // copy_reg._reconstructor(HeaderKeyDict, dict, {...}) of protocols 0 and 1.
            if (arguments->nodes.size() != 3) return Step::refuse;
            const auto* type = std::get_if<Callable>(&argument(0));
            const auto* state = std::get_if<DictNode>(&argument(2));
            if (type == nullptr || *type != Callable::header_key_dict || state == nullptr) {
                return Step::refuse;
            }
            replace_top(2, arguments->nodes[2]);
            return Step::more;
        }
        case Callable::object:
            return Step::refuse;
    }
    stack_.resize(stack_.size() - 2);
    return push(std::move(made));
}

/// NEWOBJ: an empty HeaderKeyDict or dict, which SETITEMS then fills.
Machine::Step Machine::new_object() {
    const auto* arguments = top_as<SequenceNode>(0);
    const auto* type = top_as<Callable>(1);
    if (arguments == nullptr || type == nullptr || !arguments->nodes.empty()) return Step::refuse;
    if (*type != Callable::header_key_dict && *type != Callable::dict) return Step::refuse;
    stack_.resize(stack_.size() - 2);
    return push(DictNode{});
}

std::optional<std::uint64_t> memo_slot(std::optional<std::string_view> text) {
    const auto value = pickle_decimal(text);
    if (!value || *value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}

Machine::Step Machine::step_scalar(std::uint8_t opcode) {
    auto scalar = read_pickle_scalar(opcode, input_);
    if (!scalar) return Step::refuse;
    if (const auto* text = std::get_if<PickleText>(&*scalar)) text_bytes_ += text->utf8.size();
    if (const auto* bytes = std::get_if<PickleBytes>(&*scalar)) text_bytes_ += bytes->bytes.size();
    if (text_bytes_ > limits_.text_bytes) return Step::refuse;
    return push(
        std::visit([](auto&& value) -> Node { return std::move(value); }, std::move(*scalar)));
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
            std::vector<NodeIndex> items(stack_.begin() + static_cast<std::ptrdiff_t>(*first),
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
            return module && name ? push_callable(*module, *name) : Step::refuse;
        }
        case 0x93:
            return global_from_stack();
        case 'R':
            return call();
        case 0x81:
            return new_object();
        case 'b': {
            // BUILD: a HeaderKeyDict has no state of its own beyond an empty one.
            const auto* state = top_as<DictNode>(0);
            const bool empty =
                top_as<PickleNone>(0) != nullptr || (state != nullptr && state->nodes.empty());
            if (!empty || top_as<DictNode>(1) == nullptr) return Step::refuse;
            stack_.pop_back();
            return Step::more;
        }
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

/// Shared nodes are copied at each place they are used, so the budget is what bounds a pickle that
/// names one node many times, and the depth is what ends a cycle.
bool Machine::copy_out(NodeIndex from, std::size_t depth, Budget& spent, PickleValue& to) const {
    if (depth > limits_.depth || ++spent.items > limits_.items) return false;
    const Node& node = nodes_[from];
    if (std::holds_alternative<Callable>(node)) return false;
    if (const auto* sequence = std::get_if<SequenceNode>(&node)) {
        auto& items = to.value.emplace<PickleSequence>().items;
        items.resize(std::min(sequence->nodes.size(), limits_.items - spent.items + 1));
        for (std::size_t i = 0; i < sequence->nodes.size(); ++i) {
            if (!copy_out(sequence->nodes[i], depth + 1, spent, items[i])) return false;
        }
        return true;
    }
    if (const auto* dict = std::get_if<DictNode>(&node)) {
        auto& items = to.value.emplace<PickleDict>().items;
        for (std::size_t i = 0; i + 1 < dict->nodes.size(); i += 2) {
            auto& item = items.emplace_back();
            if (!copy_out(dict->nodes[i], depth + 1, spent, item.key) ||
                !copy_out(dict->nodes[i + 1], depth + 1, spent, item.value)) {
                return false;
            }
        }
        return true;
    }
    if (const auto* text = std::get_if<PickleText>(&node)) {
        spent.text_bytes += text->utf8.size();
        to.value = *text;
    } else if (const auto* bytes = std::get_if<PickleBytes>(&node)) {
        spent.text_bytes += bytes->bytes.size();
        to.value = *bytes;
    } else if (const auto* flag = std::get_if<bool>(&node)) {
        to.value = *flag;
    } else if (const auto* integer = std::get_if<std::int64_t>(&node)) {
        to.value = *integer;
    } else if (const auto* number = std::get_if<double>(&node)) {
        to.value = *number;
    }
    return spent.text_bytes <= limits_.text_bytes;
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
        Budget spent;
        PickleValue result;
        if (!copy_out(stack_.back(), 0, spent, result)) return refused("pickle is not plain data");
        return result;
    }
}

}  // namespace

const std::string* PickleValue::characters() const {
    if (const auto* text = as<PickleText>()) return &text->utf8;
    if (const auto* bytes = as<PickleBytes>()) return &bytes->bytes;
    return nullptr;
}

Result<PickleValue> read_pickle(std::string_view bytes, const PickleLimits& limits) {
    if (bytes.size() > limits.input_bytes) {
        return Error{errc::bad_pickle, "pickle of " + std::to_string(bytes.size()) + " bytes"};
    }
    return Machine(bytes, limits).run();
}

}  // namespace fragmend::swift
