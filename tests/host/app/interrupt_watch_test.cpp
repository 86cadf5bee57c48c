// Signals as a wish to end, and what is said when there is no time to clean up.
#include "host/app/interrupt_watch.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace fragmend::app {
namespace {

void send_and_see(const InterruptWatch& watch, int number) {
    ::kill(::getpid(), number);
    while (!watch.stop())
        std::this_thread::yield();
}

/// In a process of its own: sends it `number` twice.
[[noreturn]] void interrupted_twice(int number, const std::string& folder) {
    InterruptWatch watch;
    watch.leaves_behind(folder);
    send_and_see(watch, number);
    ::kill(::getpid(), number);
    while (true)
        ::pause();
}

TEST(InterruptWatchDeathTest, ASecondSignalNamesWhatStaysBehind) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        EXPECT_EXIT(interrupted_twice(number, "/usr"), testing::ExitedWithCode(3),
                    "fragmend: /usr stays behind");
        EXPECT_EXIT(interrupted_twice(number, "/no/such/folder"), testing::ExitedWithCode(3), "^$");
    }
}

TEST(InterruptWatchDeathTest, AHangupThatIsIgnoredIsNoWish) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            std::signal(SIGHUP, SIG_IGN);
            InterruptWatch watch;
            ::kill(::getpid(), SIGHUP);
            send_and_see(watch, SIGTERM);
            ::_exit(0);
        },
        testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace fragmend::app
