// Orders between real processes: inherited, handed on, changed at once by many, broken off.
#include "host/app/order_memory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "host/app/pass.hpp"

namespace fragmend::app {
namespace {

Orders some_orders() {
    return {true,
            {{"d1", "", ""}, {"", "3", ""}, {"", "", "/a/c/o\n\"x\xc3\xa4"}},
            {{"read_limit", "50M"}, {"profile", "polite"}}};
}

void put(OrderMemory& memory, const Orders& orders) {
    const auto done = memory.edit([&orders](Orders& there) { there = orders; });
    ASSERT_TRUE(done) << done.error().detail;
}

/// Runs `work` in a child; its pid.
template <typename Work>
pid_t spawn(const Work& work) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    work();
    ::_exit(0);
}

int end_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
}

TEST(OrdersLine, ComesBack) {
    for (const Orders& orders : {Orders(), some_orders()})
        EXPECT_EQ(parse_orders(orders_line(orders)).value(), orders);
    EXPECT_EQ(orders_line(some_orders()).find('\n'), std::string::npos);
}

TEST(OrdersLine, RefusesWhatIsNotUnderstood) {
    for (const char* text : {"", "{}", "[]", R"({"everything_paused":1,"paused":[],"limits":{}})",
                             R"({"everything_paused":true,"paused":{},"limits":{}})",
                             R"({"everything_paused":true,"paused":[{"devise":"d1"}],"limits":{}})",
                             R"({"everything_paused":true,"paused":["d1"],"limits":{}})",
                             R"({"everything_paused":true,"paused":[],"limits":{"read_limit":5}})",
                             R"({"everything_paused":true,"paused":[]})"})
        EXPECT_TRUE(parse_orders(text).has_error()) << text;
}

TEST(OrderMemory, IsEmptyAtFirst) {
    const auto memory = OrderMemory::take_over();
    EXPECT_EQ(memory.load().value(), Orders());
}

TEST(OrderMemory, KeepsTheNewestOrders) {
    auto memory = OrderMemory::take_over();
    put(memory, some_orders());
    EXPECT_EQ(memory.load().value(), some_orders());
    put(memory, Orders());
    EXPECT_EQ(memory.load().value(), Orders());
    put(memory, some_orders());
    EXPECT_EQ(memory.load().value(), some_orders());
}

TEST(OrderMemory, HasRoomForAllThatAProcessTakesNoteOf) {
    auto memory = OrderMemory::take_over();
    Orders orders;
    for (std::size_t i = 0; i < Pass::choices_max; ++i)
        orders.paused.push_back({"", "", std::string(1000, 'o') + std::to_string(i)});
    put(memory, orders);
    EXPECT_EQ(memory.load().value(), orders);
    const auto more =
        memory.edit([](Orders& there) { there.limits["x"] = std::string(2 << 20, 'x'); });
    EXPECT_EQ(more.error(), errc::limit);
    EXPECT_EQ(memory.load().value(), orders);
}

TEST(OrderMemory, HoldsNothingByItself) {
    OrderMemory memory;
    EXPECT_EQ(memory.load().value(), Orders());
    EXPECT_EQ(memory.edit([](Orders& orders) { orders.everything_paused = true; }).error(),
              errc::io);
}

TEST(OrderMemory, IsOneForAllProcesses) {
    auto memory = OrderMemory::take_over();
    EXPECT_EQ(end_of(spawn([&memory] { put(memory, some_orders()); })), 0);
    EXPECT_EQ(memory.load().value(), some_orders());
    const int status =
        end_of(spawn([&memory] { ::_exit(memory.load().value() == some_orders() ? 7 : 1); }));
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(OrderMemory, LosesNothingWhenManyChangeItAtOnce) {
    auto memory = OrderMemory::take_over();
    constexpr int processes = 4, changes = 50;
    std::vector<pid_t> children;
    for (int child = 0; child < processes; ++child) {
        children.push_back(spawn([&memory, child] {
            for (int i = 0; i < changes; ++i) {
                const auto done = memory.edit([&](Orders& orders) {
                    orders.paused.push_back({std::to_string(child), std::to_string(i), ""});
                });
                if (done.has_error()) ::_exit(1);
            }
        }));
    }
    for (const pid_t child : children)
        EXPECT_EQ(end_of(child), 0);
    const auto paused = memory.load()->paused;
    ASSERT_EQ(paused.size(), processes * changes);
    for (int child = 0; child < processes; ++child) {
        for (int i = 0; i < changes; ++i) {
            const WorkChoice one{std::to_string(child), std::to_string(i), ""};
            EXPECT_EQ(std::ranges::count(paused, one), 1);
        }
    }
}

/// What is written is longer than a page, so that a SIGKILL can come in the midst of it.
TEST(OrderMemory, StaysWholeWhenWhoeverWritesIsKilled) {
    auto memory = OrderMemory::take_over();
    const auto long_orders = [](std::size_t bytes, char letter) {
        return Orders{false, {{"", "", std::string(bytes, letter)}}, {}};
    };
    const Orders one = long_orders(400'000, 'a'), other = long_orders(900'000, 'b');
    put(memory, one);
    for (int round = 0; round < 20; ++round) {
        int began[2];
        ASSERT_EQ(::pipe2(began, O_CLOEXEC), 0);
        const pid_t writer = spawn([&] {
            while (true) {
                put(memory, other);
                static_cast<void>(!::write(began[1], "", 1));
                put(memory, one);
            }
        });
        ::close(began[1]);
        char byte = 0;
        for (int i = 0; i <= round % 3; ++i)
            EXPECT_EQ(::read(began[0], &byte, 1), 1);
        ::kill(writer, SIGKILL);
        EXPECT_EQ(WTERMSIG(end_of(writer)), SIGKILL);
        ::close(began[0]);
        const auto left = memory.load();
        ASSERT_TRUE(left) << left.error().detail;
        EXPECT_TRUE(*left == one || *left == other);
    }
}

class HandedOn : public ::testing::Test {
  protected:
    ~HandedOn() override { ::unsetenv(OrderMemory::variable); }
    static void name_descriptor(const std::string& text) {
        ::setenv(OrderMemory::variable, text.c_str(), 1);
    }
};

TEST_F(HandedOn, IsTakenOverOnce) {
    auto memory = OrderMemory::take_over();
    put(memory, some_orders());
    memory.hand_on();
    const int fd = std::atoi(std::getenv(OrderMemory::variable));
    EXPECT_EQ(::fcntl(fd, F_GETFD), 0) << "an exec would close it";
    // The taker owns it; this one keeps its own.
    const int copy = ::dup(fd);
    name_descriptor(std::to_string(copy));
    const auto taken = OrderMemory::take_over();
    EXPECT_EQ(std::getenv(OrderMemory::variable), nullptr);
    EXPECT_EQ(::fcntl(copy, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(taken.load().value(), some_orders());
    EXPECT_EQ(OrderMemory::take_over().load().value(), Orders());
}

TEST_F(HandedOn, TakesNothingElse) {
    const UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const UniqueFd other(::memfd_create("fragmend-summary", MFD_CLOEXEC));
    const int free_fd = ::dup(file.get());
    ::close(free_fd);
    for (const auto& text :
         {std::to_string(file.get()), std::to_string(other.get()), std::to_string(free_fd),
          std::string("1"), std::string("-1"), std::string("x"), std::string(""),
          std::to_string(other.get()) + "x", std::string("99999999999999999999")}) {
        name_descriptor(text);
        auto memory = OrderMemory::take_over();
        EXPECT_EQ(memory.load().value(), Orders()) << text;
        put(memory, some_orders());
        EXPECT_EQ(memory.load().value(), some_orders()) << text;
        EXPECT_EQ(std::getenv(OrderMemory::variable), nullptr);
    }
    struct stat info {};
    EXPECT_EQ(::fstat(other.get(), &info), 0);
    EXPECT_EQ(info.st_size, 0) << "somebody else's file";
}

/// What a newer program left, or nobody.
TEST_F(HandedOn, ThatCannotBeReadCountsAsAPauseOfEverything) {
    const int fd = ::memfd_create("fragmend-orders", MFD_CLOEXEC);
    const std::string text = std::string("0") + std::string(4095, '\0') + "{\"later\": true}\n";
    ASSERT_EQ(::pwrite(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    name_descriptor(std::to_string(fd));
    auto memory = OrderMemory::take_over();
    EXPECT_EQ(memory.load().error(), errc::protocol);
    ASSERT_TRUE(memory.edit([](Orders& orders) { orders.paused.push_back({"d1", "", ""}); }));
    EXPECT_EQ(memory.load().value(), (Orders{true, {{"d1", "", ""}}, {}}));
}

}  // namespace
}  // namespace fragmend::app
