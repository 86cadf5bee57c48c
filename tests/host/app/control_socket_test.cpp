// The control socket: who may, what is answered, and what hostile callers get.
#include "host/app/control_socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <fstream>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "host/app/status_view.hpp"
#include "host/app/throttle_choice.hpp"
#include "host/base/unique_fd.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::app {
namespace {

ControlRequest parsed(const std::string& line) {
    const auto request = parse_control_request(line);
    EXPECT_TRUE(request.has_value()) << line;
    return request.has_value() ? *request : ControlRequest();
}

TEST(ControlRequest, OperationsAndNothingElse) {
    EXPECT_EQ(parsed("{\"op\": \"status\"}").operation, ControlOperation::status);
    EXPECT_EQ(parsed("{\"op\":\"limit\",\"x\":[1]}").operation, ControlOperation::limit);
    EXPECT_EQ(parsed("{\"op\":\"pause\"}").operation, ControlOperation::pause);
    EXPECT_EQ(parsed("{\"op\":\"drain\"}").operation, ControlOperation::drain);
    EXPECT_EQ(parsed("{\"op\":\"resume\"}").operation, ControlOperation::resume);
    EXPECT_EQ(parsed("{\"op\":\"cancel\"}").operation, ControlOperation::cancel);
    EXPECT_TRUE(parsed("{\"op\":\"cancel\"}").choice.is_everything());
    for (const std::string& line :
         {std::string(), std::string("{}"), std::string("[]"), std::string("{\"op\":1}"),
          std::string("{\"op\":\"stop\"}"), std::string("{\"op\":\"status\"} x"),
          std::string("{\"op\":\"limit\",\"limits\":[]}"),
          std::string("{\"op\":\"limit\",\"limits\":{\"read_limit\":5}}"),
          std::string("{\"op\":\"limit\",\"configured\":1}"), std::string(1000, '['),
          std::string("\0\xff{", 3)}) {
        EXPECT_TRUE(parse_control_request(line).has_error()) << line;
    }
}

TEST(ControlRequest, ACancelNeverMeansMoreThanItSays) {
    for (const char* line :
         {R"({"op": "cancel", "devise": "d1"})", R"({"op": "cancel", "device": ""})",
          R"({"op": "cancel", "partition": 3})", R"({"op": "cancel", "device": null})",
          R"({"op": "pause", "devise": "d1"})", R"({"op": "drain", "object": "/a/c/o"})"}) {
        EXPECT_TRUE(parse_control_request(line).has_error()) << line;
    }
    const auto request = parsed(R"({"op": "cancel", "device": "d1", "partition": "3"})");
    EXPECT_TRUE(request.choice.fits("d1", "3"));
    EXPECT_FALSE(request.choice.fits("d1", "4"));
    EXPECT_FALSE(request.choice.fits("d2", "3"));
    EXPECT_EQ(parsed(R"({"op": "pause", "device": "d1"})").choice, (WorkChoice{"d1", "", ""}));
    EXPECT_EQ(to_string(request.choice), "device d1, partition 3");
    EXPECT_FALSE(parsed(R"({"op": "cancel", "object": "/a/c/o"})").choice.fits("d1", "3"));
}

TEST(ControlRequest, ComesBackFromItsLine) {
    const ControlRequest limit{
        ControlOperation::limit, true, {{"profile", "polite"}, {"read_limit", "50M"}}, {}};
    const ControlRequest cancel{ControlOperation::cancel, false, {}, {"d\"1", "3", ""}};
    const ControlRequest object{ControlOperation::cancel, false, {}, {"", "", "/a/c/\xc3\xb6"}};
    for (const ControlRequest& request : {limit, cancel, object, ControlRequest()})
        EXPECT_EQ(parsed(control_request_line(request)), request);
}

class ControlSocketTest : public ::testing::Test {
  protected:
    ControlSocketTest() {
        // A path longer than a unix address: the socket is reached through its folder.
        directory_ = folder_.path() + "/" + std::string(120, 'x');
        EXPECT_EQ(::mkdir(directory_.c_str(), 0755), 0);
        path_ = directory_ + "/" + control_socket_name(::getpid());
        socket_.emplace(io_.get_executor(), log_.logger(), [this](const ControlRequest& request) {
            ++asked_;
            if (request.operation == ControlOperation::limit) return limit(request);
            return "{\"answer\": " + std::to_string(static_cast<int>(request.operation)) + "}";
        });
        const auto listening = socket_->listen(directory_);
        EXPECT_TRUE(listening.has_value()) << listening.error().detail;
        server_.emplace(io_.get_executor());
        server_->spawn(socket_->serve());
        thread_ = std::thread([this] { io_.run(); });
    }
    ~ControlSocketTest() override {
        asio::post(io_, [this] { socket_->stop(); });
        thread_.join();
        socket_.reset();
        EXPECT_NE(::access(path_.c_str(), F_OK), 0) << "the socket stays behind";
    }

    /// As the reconstructor does it.
    std::string limit(const ControlRequest& request) {
        const auto limits = changed_limits(request, {}, {});
        if (limits.has_error()) return control_error_line(limits.error());
        throttle_.change(throttle_settings(*limits, {}));
        return "{\"limits\": \"" + throttle_text(throttle_.settings()) + "\"}";
    }

    UniqueFd connect() const {
        UniqueFd folder(::open(directory_.c_str(), O_PATH | O_DIRECTORY));
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto path =
            "/proc/self/fd/" + std::to_string(folder.get()) + "/" + control_socket_name(::getpid());
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        return fd;
    }
    /// Everything up to the end.
    static std::string rest(const UniqueFd& fd) {
        std::string text;
        char piece[512];
        ssize_t count = 0;
        while ((count = ::recv(fd.get(), piece, sizeof piece, 0)) > 0)
            text.append(piece, static_cast<std::size_t>(count));
        return text;
    }
    static void say(const UniqueFd& fd, std::string_view text) {
        static_cast<void>(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL));
    }

    test::TemporaryDirectory folder_;
    test::RecordedLog log_;
    asio::io_context io_{1};
    std::string directory_;
    std::string path_;
    std::optional<ControlSocket> socket_;
    std::optional<TaskGroup> server_;
    std::atomic<int> asked_{0};
    SystemClock clock_;
    scheduler::RebuildStats stats_;
    scheduler::Throttle throttle_{io_.get_executor(), clock_, stats_, {}};
    std::thread thread_;
};

TEST_F(ControlSocketTest, OnlyItsOwnerMayConnect) {
    struct stat info {};
    ASSERT_EQ(::stat(path_.c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ControlSocketTest, RemovesTheDeadAndLeavesTheLiving) {
    const std::string dead = directory_ + "/fragmend-1.sock";
    {
        // A socket that was bound and never listened at: as good as dead.
        const UniqueFd folder(::open(directory_.c_str(), O_PATH | O_DIRECTORY));
        const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto path = "/proc/self/fd/" + std::to_string(folder.get()) + "/fragmend-1.sock";
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    std::ofstream(directory_ + "/fragmend-2.sock") << "no socket";
    ASSERT_EQ(::rename(path_.c_str(), (directory_ + "/fragmend-3.sock").c_str()), 0);
    asio::io_context io;
    ControlSocket other(io.get_executor(), log_.logger(), [](const ControlRequest&) { return ""; });
    ASSERT_TRUE(other.listen(directory_));
    EXPECT_NE(::access(dead.c_str(), F_OK), 0);
    EXPECT_EQ(::access((directory_ + "/fragmend-2.sock").c_str(), F_OK), 0);
    EXPECT_EQ(::access((directory_ + "/fragmend-3.sock").c_str(), F_OK), 0);
}

TEST_F(ControlSocketTest, OneLineEachWay) {
    const auto fd = connect();
    say(fd, "{\"op\": \"status\"}\n");
    EXPECT_EQ(rest(fd), "{\"answer\": 0}\n");
}

TEST_F(ControlSocketTest, TheSameBytesOneAtATime) {
    const auto fd = connect();
    for (const char c : std::string("{\"op\": \"cancel\"}\n"))
        say(fd, std::string_view(&c, 1));
    EXPECT_EQ(rest(fd), "{\"answer\": 3}\n");
}

Awaitable<void> read_much(scheduler::Throttle& throttle, std::promise<bool>& done) {
    // A terabyte at a megabyte a second: eleven days for the second piece.
    static constexpr bool never = false;
    bool went = true;
    for (int i = 0; i < 2; ++i) {
        scheduler::Endpoint from{"a", "a/1"};
        const auto passed = co_await throttle.read(std::move(from), std::size_t{1} << 40, never);
        went = went && passed.has_value();
    }
    done.set_value(went);
}

TEST_F(ControlSocketTest, ALimitHoldsAtOnceForThoseWhoWait) {
    const auto slow = connect();
    say(slow, R"({"op": "limit", "limits": {"read_limit": "1M", "profile": "polite"}})"
              "\n");
    EXPECT_EQ(rest(slow), "{\"limits\": \"reading 1.0 MiB/s; sending without limit; polite\"}\n");
    std::promise<bool> done;
    auto went = done.get_future();
    asio::post(io_, [this, &done] { server_->spawn(read_much(throttle_, done)); });
    const auto refused = connect();
    say(refused, R"({"op": "limit", "limits": {"read_limit": "1K"}})"
                 "\n");
    EXPECT_EQ(rest(refused),
              "{\"error\": \"read_limit = 1K: must be 0 for no limit, or at least "
              "1M bytes a second, such as 50M\"}\n");
    EXPECT_EQ(went.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    const auto free = connect();
    say(free, R"({"op": "limit", "limits": {"read_limit": "0"}})"
              "\n");
    EXPECT_EQ(rest(free),
              "{\"limits\": \"reading without limit; sending without limit; urgent\"}\n");
    ASSERT_EQ(went.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    EXPECT_TRUE(went.get());
}

TEST_F(ControlSocketTest, NonsenseIsAnsweredAndChangesNothing) {
    const auto fd = connect();
    say(fd, "GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(rest(fd), "{\"error\": \"not a request: {\\\"op\\\": \\\"status\\\"}\"}\n");
    EXPECT_EQ(asked_, 0);
}

TEST_F(ControlSocketTest, TooLongALineIsDropped) {
    const auto fd = connect();
    say(fd, std::string(control_request_bytes_max + 300, 'x'));
    EXPECT_EQ(rest(fd), "");
    EXPECT_EQ(asked_, 0);
}

TEST_F(ControlSocketTest, CallersBeyondTheLimitAreDroppedAndLaterOnesServed) {
    {
        std::vector<UniqueFd> silent;
        for (std::size_t i = 0; i < control_callers_max; ++i)
            silent.push_back(connect());
        EXPECT_EQ(rest(connect()), "");
    }
    // The silent ones are gone: there is room again, as soon as that has been noticed.
    std::string answer;
    for (int tries = 0; tries < 1000 && answer.empty(); ++tries) {
        const auto fd = connect();
        say(fd, "{\"op\": \"status\"}\n");
        answer = rest(fd);
    }
    EXPECT_EQ(answer, "{\"answer\": 0}\n");
}

TEST_F(ControlSocketTest, EndsWhileCallersAreSilent) {
    const auto one = connect();
    const auto other = connect();
    say(other, "{\"op\"");
}

}  // namespace
}  // namespace fragmend::app
