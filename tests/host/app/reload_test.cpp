// Becoming another program: what its signals are, and what happens if there is none.
#include "host/app/reload.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/recorded_log.hpp"

namespace fragmend::app {
namespace {

CommandLine line_of(const std::string& program, std::vector<std::string> arguments) {
    CommandLine line;
    line.program_path = program;
    line.arguments = std::move(arguments);
    line.start_directory = "/";
    return line;
}

/// The wait status of a child that starts anew with a SIGHUP pending; `exit_code` tells that it
/// came back, with the right line in its log.
int status_of_start(const CommandLine& line, const std::string& last_line, int exit_code) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        test::RecordedLog log;
        sigset_t hup;
        ::sigemptyset(&hup);
        ::sigaddset(&hup, SIGHUP);
        ::sigprocmask(SIG_BLOCK, &hup, nullptr);
        ::kill(::getpid(), SIGHUP);
        start_anew(line, OrderMemory(), log.logger());
        ::_exit(!log.lines.empty() && log.lines.back() == last_line ? exit_code : 1);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
}

TEST(StartAnew, HupWaitsUntilTheNewProgramListens) {
    const auto line = line_of("/bin/sh", {"sh", "-c", "kill -HUP $$; exit 7"});
    const int status = status_of_start(line, "", 1);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(StartAnew, HupThatCameBeforeIsServedByTheStart) {
    const auto line = line_of("/bin/grep", {"grep", "-q", "^ShdPnd:.*0$", "/proc/self/status"});
    const int status = status_of_start(line, "", 2);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StartAnew, HandsTheOrdersOn) {
    const auto line = line_of(
        "/bin/sh", {"sh", "-c", "exec grep -q device.*d7 /proc/self/fd/$FRAGMEND_ORDERS_FD"});
    const pid_t pid = ::fork();
    if (pid == 0) {
        test::RecordedLog log;
        auto orders = OrderMemory::take_over();
        const auto kept = orders.edit([](Orders& there) {
            there.paused.push_back({"d7", "", ""});
        });
        if (kept.has_value()) start_anew(line, orders, log.logger());
        ::_exit(9);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StartAnew, SaysThatThereIsNoProgram) {
    const int status =
        status_of_start(line_of("/no/such", {"such"}),
                        "ERROR Starting again failed: /no/such: No such file or directory", 9);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 9);
}

TEST(ReadToEnd, EndsAtTheLimitBesideAChildThatHangs) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "loading", 7), 7);
    std::string said;
    EXPECT_FALSE(read_to_end(ends[0], std::chrono::milliseconds(5), said));
    EXPECT_EQ(said, "loading");
    ASSERT_EQ(::write(ends[1], ", done", 6), 6);
    ::close(ends[1]);
    EXPECT_TRUE(read_to_end(ends[0], std::chrono::minutes(1), said));
    EXPECT_EQ(said, "loading, done");
    ::close(ends[0]);
}

TEST(CheckAgain, IsGivenUpWhenAnEndIsAskedFor) {
    test::RecordedLog log;
    const auto line = line_of("/bin/sh", {"sh", "-c", "exec sleep 60"});
    EXPECT_FALSE(check_configuration_again(line, log.logger(), [] { return true; }));
    EXPECT_TRUE(log.lines.empty());
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

}  // namespace
}  // namespace fragmend::app
