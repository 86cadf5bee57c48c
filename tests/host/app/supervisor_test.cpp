// Real child processes under the supervisor: ends, restarts, signals.
#include "host/app/supervisor.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/support/recorded_log.hpp"

namespace fragmend::app {
namespace {

using namespace std::chrono_literals;

class SupervisorTest : public ::testing::Test {
  protected:
    SupervisorTest() {
        ports_.deal_out = [] { return app::deal_out(2, {"d1", "d2"}, {}, {}); };
        ports_.devices_changed = [] { return false; };
        ports_.may_start_anew = [] { return true; };
        ports_.took_new_limits = [] { return false; };
        ports_.aggregate = [this] { ++aggregated_; };
        limits_.health_interval = 20ms;
        limits_.stop_limit = 400ms;
    }
    bool has_line(const std::string& part) const {
        for (const auto& line : log_.lines)
            if (line.find(part) != std::string::npos) return true;
        return false;
    }

    SupervisorPorts ports_;
    SupervisorLimits limits_;
    test::RecordedLog log_;
    int aggregated_ = 0;
};

TEST_F(SupervisorTest, OnceEndsWithTheGravestCodeAndAllSummaries) {
    ports_.work = [](const Share& share, int summary) {
        const std::string text = "{\"worker\":" + std::to_string(share.worker_index) + "}";
        static_cast<void>(!::write(summary, text.data(), text.size()));
        return share.worker_index == 0 ? 5 : 3;
    };
    Supervisor supervisor(ports_, limits_, true, log_.logger());
    const auto end = supervisor.run();
    EXPECT_EQ(end.exit_code, 3);
    EXPECT_FALSE(end.start_anew);
    EXPECT_EQ(supervisor.summaries().size(), 2u);
    EXPECT_EQ(aggregated_, 1);
    EXPECT_TRUE(has_line("NOTICE Finished "));
    EXPECT_TRUE(
        has_line("with {'override_partitions': [], 'override_devices': ['d1'], "
                 "'multiprocess_worker_index': 0}"));
}

TEST_F(SupervisorTest, CrashOfAWorkerIsAnInternalErrorOfTheWhole) {
    ports_.work = [](const Share& share, int) {
        if (share.worker_index == 1) ::raise(SIGKILL);
        return 3;
    };
    Supervisor supervisor(ports_, limits_, true, log_.logger());
    EXPECT_EQ(supervisor.run().exit_code, 1);
    EXPECT_TRUE(has_line("died (signal 9)"));
}

TEST_F(SupervisorTest, ForeverStartsDeadWorkersAgainUntilTermWhichIsPassedOn) {
    int counters[2];
    ASSERT_EQ(::pipe2(counters, O_CLOEXEC | O_NONBLOCK), 0);
    ports_.work = [&counters](const Share& share, int) {
        static_cast<void>(!::write(counters[1], share.worker_index == 0 ? "0" : "1", 1));
        if (share.worker_index == 0) ::raise(SIGKILL);
        ::pause();  // SIGTERM ends it.
        return 0;
    };
    int starts[2] = {0, 0};
    ports_.devices_changed = [&] {
        char which = 0;
        while (::read(counters[0], &which, 1) == 1)
            ++starts[which - '0'];
        if (starts[0] == 3) ::kill(::getpid(), SIGTERM);
        return false;
    };
    Supervisor supervisor(ports_, limits_, false, log_.logger());
    EXPECT_EQ(supervisor.run().exit_code, 0);
    EXPECT_GE(starts[0], 3);
    EXPECT_EQ(starts[1], 1);
    EXPECT_TRUE(has_line("it will be started again"));
    EXPECT_TRUE(has_line("NOTICE SIGTERM received ("));
    EXPECT_TRUE(has_line("DEBUG Cleaned up worker "));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    ::close(counters[0]);
    ::close(counters[1]);
}

TEST_F(SupervisorTest, WorkerThatIgnoresTermIsKilled) {
    ports_.work = [](const Share&, int) -> int {
        static_cast<void>(std::signal(SIGTERM, SIG_IGN));
        while (true)
            ::pause();
    };
    int looks = 0;
    ports_.devices_changed = [&looks] {
        if (++looks == 5) ::kill(::getpid(), SIGTERM);
        return false;
    };
    Supervisor supervisor(ports_, limits_, false, log_.logger());
    supervisor.run();
    EXPECT_TRUE(has_line("does not end and is killed"));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST_F(SupervisorTest, HupStartsAnewOnlyWithAGoodConfiguration) {
    ports_.work = [](const Share&, int) {
        ::pause();
        return 0;
    };
    int asked = 0;
    ports_.may_start_anew = [&asked] { return ++asked == 2; };
    ports_.devices_changed = [] {
        ::kill(::getpid(), SIGHUP);
        return false;
    };
    Supervisor supervisor(ports_, limits_, false, log_.logger());
    EXPECT_TRUE(supervisor.run().start_anew);
    EXPECT_EQ(asked, 2);
}

TEST_F(SupervisorTest, ChangedDevicesAreDealtOutAgain) {
    ports_.work = [](const Share&, int) {
        ::pause();
        return 0;
    };
    int dealt = 0;
    ports_.deal_out = [&dealt] {
        ++dealt;
        return app::deal_out(
            2, dealt == 1 ? std::set<std::string>{"d1"} : std::set<std::string>{"d1", "d9"}, {},
            {});
    };
    int looks = 0;
    ports_.devices_changed = [&looks] {
        if (++looks == 3) ::kill(::getpid(), SIGTERM);
        return looks == 1;
    };
    Supervisor supervisor(ports_, limits_, false, log_.logger());
    supervisor.run();
    EXPECT_EQ(dealt, 2);
    EXPECT_TRUE(has_line("DEBUG Daemon needs to change options, aborting workers"));
    EXPECT_TRUE(has_line("'override_devices': ['d9']"));
}

TEST(ExitCodes, GraverOnes) {
    EXPECT_EQ(graver(0, 5), 5);
    EXPECT_EQ(graver(3, 5), 3);
    EXPECT_EQ(graver(5, 1), 1);
    EXPECT_EQ(graver(1, 3), 1);
    EXPECT_EQ(graver(0, 0), 0);
}

}  // namespace
}  // namespace fragmend::app
