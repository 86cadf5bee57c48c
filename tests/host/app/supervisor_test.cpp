// Real child processes under the supervisor: ends, restarts, signals.
#include "host/app/supervisor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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
        limits_.leave_limit = 60s;  // Killed workers end at once, but a busy machine is slow.
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

/// Two workers that ignore SIGTERM; as soon as both do, the supervisor gets one.
class StubbornWorkers : public SupervisorTest {
  protected:
    StubbornWorkers() {
        EXPECT_EQ(::pipe2(deaf_, O_CLOEXEC | O_NONBLOCK), 0);
        ports_.work = [this](const Share&, int) -> int {
            static_cast<void>(std::signal(SIGTERM, SIG_IGN));
            ::alarm(60);  // A supervisor that fails to kill it shall not leave it for ever.
            static_cast<void>(!::write(deaf_[1], "", 1));
            while (true)
                ::pause();
        };
        ports_.devices_changed = [this] {
            char byte = 0;
            while (::read(deaf_[0], &byte, 1) == 1)
                if (++deaf_workers_ == 2) ::kill(::getpid(), SIGTERM);
            return false;
        };
    }
    ~StubbornWorkers() override {
        ::close(deaf_[0]);
        ::close(deaf_[1]);
    }
    void run_and_expect_kills() {
        Supervisor supervisor(ports_, limits_, false, log_.logger());
        supervisor.run();
        EXPECT_EQ(std::ranges::count_if(log_.lines,
                                        [](const std::string& line) {
                                            return line.find("does not end and is killed") !=
                                                   std::string::npos;
                                        }),
                  2);
        EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    }

  private:
    int deaf_[2] = {-1, -1};
    int deaf_workers_ = 0;
};

TEST_F(StubbornWorkers, AreKilledAfterTheLimit) {
    limits_.stop_limit = 50ms;
    run_and_expect_kills();
}

TEST_F(StubbornWorkers, AreKilledEvenIfTheLimitIsOverAtTheFirstLook) {
    limits_.stop_limit = 0ms;
    run_and_expect_kills();
}

/// Workers that only wait, and a SIGHUP at each look at the devices.
class HangupTest : public SupervisorTest {
  protected:
    HangupTest() {
        ports_.work = [](const Share&, int) {
            ::pause();
            return 0;
        };
        ports_.devices_changed = [] {
            ::kill(::getpid(), SIGHUP);
            return false;
        };
    }
    bool starts_anew() {
        Supervisor supervisor(ports_, limits_, false, log_.logger());
        return supervisor.run().start_anew;
    }
    int asked_ = 0;
};

TEST_F(HangupTest, StartsAnewOnlyWithAGoodConfiguration) {
    ports_.may_start_anew = [this] { return ++asked_ == 2; };
    EXPECT_TRUE(starts_anew());
    EXPECT_EQ(asked_, 2);
}

TEST_F(HangupTest, DuringTheCheckIsLookedAtAfterIt) {
    ports_.may_start_anew = [this] {
        if (++asked_ == 1) ::kill(::getpid(), SIGHUP);
        return true;
    };
    EXPECT_TRUE(starts_anew());
    EXPECT_EQ(asked_, 2);
}

TEST_F(HangupTest, TermDuringTheCheckWins) {
    ports_.may_start_anew = [] {
        ::kill(::getpid(), SIGTERM);
        return true;
    };
    EXPECT_FALSE(starts_anew());
    EXPECT_TRUE(has_line("NOTICE SIGTERM received ("));
}

TEST_F(HangupTest, TermBesideItWinsWithoutACheck) {
    ports_.may_start_anew = [this] { return ++asked_ > 0; };
    ports_.devices_changed = [] {
        ::kill(::getpid(), SIGHUP);
        ::kill(::getpid(), SIGTERM);
        return false;
    };
    EXPECT_FALSE(starts_anew());
    EXPECT_EQ(asked_, 0);
}

TEST_F(SupervisorTest, TermWhileTheWorkersEndWins) {
    int ready[2];
    ASSERT_EQ(::pipe2(ready, O_CLOEXEC | O_NONBLOCK), 0);
    ports_.work = [&ready](const Share&, int) {
        sigset_t term;
        ::sigemptyset(&term);
        ::sigaddset(&term, SIGTERM);
        ::sigprocmask(SIG_BLOCK, &term, nullptr);
        static_cast<void>(!::write(ready[1], "", 1));
        int number = 0;
        ::sigwait(&term, &number);
        ::kill(::getppid(), SIGTERM);
        return 0;
    };
    int ready_workers = 0;
    ports_.devices_changed = [&] {
        char byte = 0;
        while (::read(ready[0], &byte, 1) == 1)
            if (++ready_workers == 2) ::kill(::getpid(), SIGHUP);
        return false;
    };
    limits_.stop_limit = 60s;
    Supervisor supervisor(ports_, limits_, false, log_.logger());
    EXPECT_FALSE(supervisor.run().start_anew);
    EXPECT_TRUE(has_line("NOTICE SIGTERM received ("));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(SupervisorTest, HupWaitsUntilAWorkerListens) {
    ports_.work = [](const Share&, int) {
        ::raise(SIGHUP);
        sigset_t pending;
        ::sigpending(&pending);
        return ::sigismember(&pending, SIGHUP) == 1 ? 5 : 3;
    };
    Supervisor supervisor(ports_, limits_, true, log_.logger());
    EXPECT_EQ(supervisor.run().exit_code, 5);
}

TEST_F(SupervisorTest, AnIntervalOfCenturiesIsNotOver) {
    limits_.aggregate_interval = std::chrono::duration<double>(9999999999.0);
    ports_.work = [](const Share&, int) {
        ::pause();
        return 0;
    };
    ports_.devices_changed = [] {
        ::kill(::getpid(), SIGTERM);
        return false;
    };
    Supervisor supervisor(ports_, limits_, false, log_.logger());
    supervisor.run();
    EXPECT_EQ(aggregated_, 0);
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
