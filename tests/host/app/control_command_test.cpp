// Asking processes: whom it could not ask is named, and nobody is taken for absent who is not.
#include "host/app/control_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "host/base/unique_fd.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ControlCommand : public ::testing::Test {
  protected:
    ControlCommand() {
        ::mkdir(folder_.file("cache").c_str(), 0755);
        ::chmod(folder_.path().c_str(), 0755);
        folder_.write("object-server.conf",
                      "[object-reconstructor]\nrecon_cache_path = " + folder_.file("cache") + "\n");
    }
    /// A socket that listens, unless told otherwise, and never answers.
    UniqueFd socket_of(int pid, bool listens = true) const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto path = folder_.file("cache/" + control_socket_name(pid));
        EXPECT_LT(path.size(), sizeof address.sun_path);
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        if (listens) {
            EXPECT_EQ(::listen(fd.get(), 4), 0);
        }
        return fd;
    }
    static std::thread answering(const UniqueFd& listener, std::string answer) {
        return std::thread([fd = listener.get(), answer = std::move(answer)] {
            const UniqueFd caller(::accept(fd, nullptr, nullptr));
            char request[256];
            if (answer.empty()) return;
            (void)::recv(caller.get(), request, sizeof request, 0);
            (void)::send(caller.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        });
    }
    int run(std::chrono::milliseconds limit = control_limit) {
        CommandLine line;
        line.swift_conf = folder_.file("swift.conf");
        line.request.operation = ControlOperation::pause;
        line.conf_paths = confs_;
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int code = run_control_command(line, limit);
        out_ = testing::internal::GetCapturedStdout();
        said_ = testing::internal::GetCapturedStderr();
        return code;
    }

    test::TemporaryDirectory folder_;
    std::vector<std::string> confs_;
    std::string out_;
    std::string said_;
};

TEST_F(ControlCommand, WhatTheDeadLeftIsPassedOverInSilence) {
    const auto dead = socket_of(1, false);
    EXPECT_EQ(run(), 6);
    EXPECT_EQ(said_, "fragmend: no running reconstructor found\n");
}

TEST_F(ControlCommand, AFolderThatIsNotThereIsNamedAndHoldsNobody) {
    std::filesystem::remove(folder_.file("cache"));
    EXPECT_EQ(run(), 6);
    EXPECT_EQ(said_, "fragmend: " + folder_.file("cache") +
                         ": No such file or directory\n"
                         "fragmend: no running reconstructor found\n");
}

TEST_F(ControlCommand, AProcessThatDoesNotAnswerIsNamed) {
    const auto silent = socket_of(17);
    EXPECT_EQ(run(std::chrono::milliseconds(1)), 6);
    EXPECT_THAT(said_, AllOf(HasSubstr("process 17 does not answer"),
                             HasSubstr("no reconstructor answered"),
                             Not(HasSubstr("no running reconstructor"))));
}

TEST_F(ControlCommand, AProcessThatAnswersNothingIsNamedBesideOneThatDoes) {
    const auto rude = socket_of(17);
    const auto kind = socket_of(18);
    auto hangs_up = answering(rude, "");  // Without reading either.
    auto answers = answering(kind, "{\"pid\": 18}\n");
    EXPECT_EQ(run(), 0);
    hangs_up.join();
    answers.join();
    EXPECT_EQ(out_, "pause: 1 processes\n");
    EXPECT_THAT(said_, HasSubstr("process 17 dropped the request"));
    EXPECT_THAT(said_, Not(HasSubstr("no reconstructor answered")));
}

TEST_F(ControlCommand, ASocketOfSomebodyElseIsNamedWithWhy) {
    const auto closed = socket_of(17);
    ::chmod(folder_.file("cache/" + control_socket_name(17)).c_str(), 0);
    const bool is_root = ::geteuid() == 0;
    if (is_root) {
        ASSERT_EQ(::seteuid(65534), 0);
    }
    const int code = run();
    if (is_root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    EXPECT_EQ(code, 6);
    EXPECT_THAT(said_, AllOf(HasSubstr(control_socket_name(17)), HasSubstr("Permission denied"),
                             HasSubstr("no reconstructor answered")));
}

TEST_F(ControlCommand, ABadConfigurationIsNamedAndTheOthersAreAsked) {
    folder_.write("object-server/2.conf", "[object-reconstructor]\ninterval = often\n");
    const auto kind = socket_of(18);
    auto answers = answering(kind, "{\"pid\": 18}\n");
    EXPECT_EQ(run(), 0);
    answers.join();
    EXPECT_THAT(said_, AllOf(HasSubstr("2.conf"), HasSubstr("often")));
    std::filesystem::remove(folder_.file("object-server.conf"));
    EXPECT_EQ(run(), 6);
    EXPECT_THAT(said_, Not(HasSubstr("no running reconstructor")));
    confs_ = {folder_.file("object-server/2.conf")};
    EXPECT_EQ(run(), 2);
}

TEST_F(ControlCommand, ARefusalEndsWithItsOwnCode) {
    const auto listener = socket_of(18);
    auto answers = answering(listener, "{\"pid\": 18, \"error\": \"not now\"}\n");
    EXPECT_EQ(run(), 4);
    answers.join();
    EXPECT_THAT(said_, HasSubstr("not now"));
}

}  // namespace
}  // namespace fragmend::app
