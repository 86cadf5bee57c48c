// A memory file with two places: the older orders stay whole while newer ones are written.
#include "host/app/order_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "host/app/control_request.hpp"

namespace fragmend::app {
namespace {

namespace json = boost::json;

constexpr const char* file_name = "fragmend-orders";
/// More than all requests that a process takes note of.
constexpr std::size_t place_bytes = 2 << 20;
constexpr off_t first_place = 4096;
/// Others hold the lock while they read and write a few KiB.
constexpr std::chrono::milliseconds lock_limit{500}, lock_look{1};

Error system_error(const char* call) {
    return error_from_errno(errno, std::string("memory of orders: ") + call);
}

/// Those below are the daemon's to replace.
UniqueFd above_standard_streams(UniqueFd fd) {
    if (!fd.valid() || fd.get() > STDERR_FILENO) return fd;
    return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

/// A record lock belongs to a process, and goes with it: workers share the descriptor.
class Lock {
  public:
    explicit Lock(int fd) : fd_(fd) {}
    ~Lock() { static_cast<void>(set(F_UNLCK)); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    Result<void> take() {
        const auto until = std::chrono::steady_clock::now() + lock_limit;
        while (!set(F_WRLCK)) {
            if (errno != EAGAIN && errno != EACCES && errno != EINTR) return system_error("fcntl");
            if (std::chrono::steady_clock::now() > until)
                return Error{errc::timeout, "memory of orders: another process keeps it"};
            std::this_thread::sleep_for(lock_look);
        }
        return {};
    }

  private:
    bool set(short type) {
        struct flock whole {};
        whole.l_type = type;
        whole.l_whence = SEEK_SET;
        return ::fcntl(fd_, F_SETLK, &whole) == 0;
    }

    int fd_;
};

off_t offset_of(char place) {
    return first_place + (place == '1' ? static_cast<off_t>(place_bytes) : 0);
}

bool is_ours(int fd) {
    char target[64] = {};
    const auto link = "/proc/self/fd/" + std::to_string(fd);
    const auto count = ::readlink(link.c_str(), target, sizeof target);
    return count > 0 && std::string_view(target, static_cast<std::size_t>(count)) ==
                            "/memfd:" + std::string(file_name) + " (deleted)";
}

/// The descriptor that the variable names; -1 if it names none of ours.
int handed_on() {
    const char* const text = std::getenv(OrderMemory::variable);
    if (text == nullptr) return -1;
    const char* const end = text + std::strlen(text);
    int fd = -1;
    const auto read = std::from_chars(text, end, fd);
    return read.ec == std::errc() && read.ptr == end && fd > STDERR_FILENO && is_ours(fd) ? fd : -1;
}

}  // namespace

std::string orders_line(const Orders& orders) {
    json::array paused;
    for (const WorkChoice& choice : orders.paused)
        paused.push_back(choice_json(choice));
    json::object limits;
    for (const auto& [option, text] : orders.limits)
        limits[option] = text;
    return json::serialize(json::object{{"everything_paused", orders.everything_paused},
                                        {"paused", std::move(paused)},
                                        {"limits", std::move(limits)}});
}

Result<Orders> parse_orders(std::string_view line) {
    const Error nonsense{errc::protocol, "memory of orders: not understood"};
    boost::system::error_code error;
    const auto value = json::parse({line.data(), line.size()}, error);
    const auto* const object = error ? nullptr : value.if_object();
    if (object == nullptr) return nonsense;
    const auto* const everything = object->if_contains("everything_paused");
    const auto* const paused = object->if_contains("paused");
    const auto* const limits = object->if_contains("limits");
    if (everything == nullptr || !everything->is_bool() || paused == nullptr ||
        !paused->is_array() || limits == nullptr || !limits->is_object())
        return nonsense;
    Orders orders;
    orders.everything_paused = everything->get_bool();
    for (const auto& part : paused->get_array()) {
        auto choice = choice_of(part);
        if (!choice) return nonsense;
        orders.paused.push_back(std::move(*choice));
    }
    for (const auto& [option, text] : limits->get_object()) {
        if (!text.is_string()) return nonsense;
        orders.limits.emplace(option, text.get_string());
    }
    return orders;
}

OrderMemory OrderMemory::take_over() {
    OrderMemory memory;
    memory.fd_.reset(handed_on());
    static_cast<void>(::unsetenv(variable));
    if (memory.fd_.valid())
        static_cast<void>(::fcntl(memory.fd_.get(), F_SETFD, FD_CLOEXEC));
    else
        memory.fd_ = above_standard_streams(UniqueFd(::memfd_create(file_name, MFD_CLOEXEC)));
    return memory;
}

void OrderMemory::hand_on() const {
    if (!fd_.valid()) return;
    static_cast<void>(::fcntl(fd_.get(), F_SETFD, 0));
    static_cast<void>(::setenv(variable, std::to_string(fd_.get()).c_str(), 1));
}

Result<Orders> OrderMemory::load() const {
    if (!fd_.valid()) return Orders();
    Lock lock(fd_.get());
    if (const auto taken = lock.take(); taken.has_error()) return taken.error();
    return read();
}

Result<void> OrderMemory::edit(const std::function<void(Orders&)>& change) {
    if (!fd_.valid()) return Error{errc::io, "memory of orders: there is none"};
    Lock lock(fd_.get());
    if (const auto taken = lock.take(); taken.has_error()) return taken.error();
    const auto known = read();
    Orders orders = known.has_value() ? *known : Orders{true, {}, {}};
    change(orders);
    return write(orders);
}

Result<Orders> OrderMemory::read() const {
    char place = 0;
    const auto got = ::pread(fd_.get(), &place, 1, 0);
    if (got < 0) return system_error("pread");
    if (got == 0) return Orders();
    std::string text;
    char piece[4096];
    while (text.size() < place_bytes) {
        const auto at = offset_of(place) + static_cast<off_t>(text.size());
        const auto count = ::pread(fd_.get(), piece, sizeof piece, at);
        if (count < 0) return system_error("pread");
        text.append(piece, static_cast<std::size_t>(count));
        const auto end = text.find('\n', text.size() - static_cast<std::size_t>(count));
        if (end != text.npos) return parse_orders(std::string_view(text).substr(0, end));
        if (count == 0) break;
    }
    return Error{errc::protocol, "memory of orders: no end"};
}

Result<void> OrderMemory::write(const Orders& orders) {
    const auto text = orders_line(orders) + "\n";
    if (text.size() > place_bytes) return Error{errc::limit, "memory of orders: full"};
    char place = 0;
    static_cast<void>(::pread(fd_.get(), &place, 1, 0));
    place = place == '1' ? '0' : '1';
    const auto count = ::pwrite(fd_.get(), text.data(), text.size(), offset_of(place));
    if (count < 0) return system_error("pwrite");
    if (count != static_cast<ssize_t>(text.size()))
        return Error{errc::io, "memory of orders: no room"};
    if (::pwrite(fd_.get(), &place, 1, 0) != 1) return system_error("pwrite");
    return {};
}

}  // namespace fragmend::app
