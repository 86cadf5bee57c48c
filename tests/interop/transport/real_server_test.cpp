// SSYNC, REPLICATE and fragment GETs against Swift's own object server.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/src.hpp>
#include <cstdio>
#include <string>

#include "host/base/md5.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/run_coroutine.hpp"
#include "transport/fragments/gather.hpp"
#include "transport/replicate/replicate.hpp"
#include "transport/ssync/sender.hpp"

namespace fragmend::transport {
namespace {

namespace json = boost::json;

/// The Python process; talks in lines.
class RealServer {
  public:
    RealServer() {
        int in[2], out[2];
        if (::pipe(in) != 0 || ::pipe(out) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(in[0], 0);
            ::dup2(out[1], 1);
            for (int fd : {in[0], in[1], out[0], out[1]})
                ::close(fd);
            ::execl("/usr/bin/python3", "python3",
                    FRAGMEND_SOURCE_DIR "/tests/interop/transport/receiver.py", nullptr);
            ::_exit(77);
        }
        ::close(in[0]);
        ::close(out[1]);
        to_ = ::fdopen(in[1], "w");
        from_ = ::fdopen(out[0], "r");
        const auto first = line();
        is_there_ = !first.empty();
        if (!is_there_) return;
        const auto hello = json::parse(first);
        port = static_cast<std::uint16_t>(hello.at("port").as_int64());
        fragment = from_hex(hello.at("fragment").as_string().c_str());
    }
    ~RealServer() {
        std::fclose(to_);
        std::fclose(from_);
        ::waitpid(pid_, nullptr, 0);
    }
    bool is_there() const { return is_there_; }
    json::object disk() {
        std::fputs("look\n", to_);
        std::fflush(to_);
        return json::parse(line()).as_object();
    }
    static std::string from_hex(std::string_view text) {
        std::string bytes;
        for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
            bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
        }
        return bytes;
    }

    std::uint16_t port = 0;
    std::string fragment;

  private:
    std::string line() {
        std::string text;
        for (int c = std::fgetc(from_); c != EOF && c != '\n'; c = std::fgetc(from_)) {
            text += static_cast<char>(c);
        }
        return text;
    }
    pid_t pid_ = -1;
    FILE* to_ = nullptr;
    FILE* from_ = nullptr;
    bool is_there_ = false;
};

class OneBody final : public ssync::BodyStream {
  public:
    explicit OneBody(std::string bytes) : bytes_(std::move(bytes)) {}
    Awaitable<Result<ByteView>> next() override {
        const std::size_t from = at_;
        at_ = std::min(bytes_.size(), at_ + 3000);
        co_return as_bytes_view(bytes_).subspan(from, at_ - from);
    }

  private:
    std::string bytes_;
    std::size_t at_ = 0;
};

class Objects final : public ssync::SessionObjects {
  public:
    Awaitable<Result<void>> begin(bool accepts) override {
        accepts_non_durable = accepts;
        co_return Result<void>();
    }
    Awaitable<Result<std::optional<ssync::Offer>>> next_offer() override {
        if (offered == offers.size()) co_return std::optional<ssync::Offer>();
        co_return std::optional<ssync::Offer>(offers[offered++]);
    }
    Awaitable<Result<void>> wanted(std::vector<ssync::Wanted> objects) override {
        asked_for = std::move(objects);
        co_return Result<void>();
    }
    Awaitable<Result<std::vector<ssync::SubRequest>>> next_sub_requests() override {
        if (served == requests.size()) co_return std::vector<ssync::SubRequest>();
        co_return std::move(requests[served++]);
    }

    bool accepts_non_durable = false;
    std::vector<ssync::Offer> offers;
    std::size_t offered = 0;
    std::vector<ssync::Wanted> asked_for;
    std::vector<std::vector<ssync::SubRequest>> requests;
    std::size_t served = 0;
};

std::string hash_of(std::string_view path) {
    return md5_hex(std::string(path) + "interop");
}
Timestamp at(const char* text) {
    return Timestamp::parse(text).value();
}

using Headers = std::vector<std::pair<std::string, std::string>>;

ssync::SubRequest put(std::string path, Headers headers, std::string body) {
    ssync::SubRequest request;
    request.method = "PUT";
    request.path = std::move(path);
    request.headers = std::move(headers);
    request.content_length = body.size();
    request.body = std::make_unique<OneBody>(std::move(body));
    return request;
}

ssync::SubRequest bodiless(std::string method, std::string path, Headers headers) {
    ssync::SubRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = std::move(headers);
    return request;
}

Headers archive_headers(const char* timestamp) {
    return {{"X-Timestamp", timestamp},
            {"Content-Type", "text/plain"},
            {"X-Object-Sysmeta-Ec-Frag-Index", "2"},
            {"X-Object-Sysmeta-Ec-Etag", "0123456789abcdef0123456789abcdef"}};
}

class RealServerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!server.is_there()) GTEST_SKIP() << "no Swift on this machine";
        node.replication_ip = "127.0.0.1";
        node.replication_port = server.port;
        node.device = "sdb";
        // A loaded machine may take its time to accept.
        timeouts.conn = TimeLimit::from_float(20);
        timeouts.node = TimeLimit::from_float(60);
    }
    ssync::SessionResult sync(Objects& objects) {
        ssync::SenderRequest request;
        request.node = node;
        request.partition = "1";
        request.policy_index = 1;
        request.frag_index = 2;
        request.timeouts = timeouts;
        ssync::Sender sender(io.get_executor(), request, objects, log.logger());
        return test::run_coroutine(io, sender.run());
    }

    RealServer server;
    asio::io_context io;
    SystemClock clock;
    test::RecordedLog log;
    Node node;
    Timeouts timeouts;
};

const std::string plain = "/a/c/obj\xc3\xa9 1";
const std::string light = "/a/c/light";
const std::string gone = "/a/c/gone";
const std::string empty = "/a/c/empty";
const std::string text = "caf\xc3\xa9 \xe2\x82\xac";

TEST_F(RealServerTest, TakesWhatWeSync) {
    Objects objects;
    objects.offers = {
        {hash_of(plain), at("1795332145.61494"), at("1795332155.61494"), at("1795332150.61494"),
         true},
        {hash_of(light), at("1795332145.61494"), {}, {}, false},
        {hash_of(gone), at("1795332145.61494"), {}, {}, {}},
        {hash_of(empty), at("1795332145.61494"), {}, {}, true},
    };
    auto headers = archive_headers("1795332145.61494");
    auto with_text = headers;
    with_text.emplace_back("X-Object-Meta-Text", text);
    auto uncommitted = headers;
    uncommitted.emplace_back("X-Backend-No-Commit", "True");
    const auto lists = [&](ssync::SubRequest first) {
        objects.requests.emplace_back();
        objects.requests.back().push_back(std::move(first));
    };
    lists(put(plain, with_text, server.fragment));
    objects.requests.back().push_back(bodiless("POST", plain,
                                               {{"X-Timestamp", "1795332155.61494"},
                                                {"Content-Type", "image/png"},
                                                {"Content-Type-Timestamp", "1795332150.61494"},
                                                {"X-Object-Meta-Text", text + "!"}}));
    lists(put(light, uncommitted, server.fragment));
    lists(bodiless("DELETE", gone, {{"X-Timestamp", "1795332145.61494"}}));
    lists(put(empty, headers, ""));
    const auto result = sync(objects);
    ASSERT_TRUE(result.success) << result.error->detail;
    EXPECT_TRUE(objects.accepts_non_durable);
    ASSERT_EQ(objects.asked_for.size(), 4u);
    EXPECT_TRUE(objects.asked_for[0].data && objects.asked_for[0].meta);
    EXPECT_EQ(result.sub_requests, 5u);
    EXPECT_TRUE(log.lines.empty());

    auto disk = server.disk();
    auto& stored = disk.at(hash_of(plain)).as_object();
    EXPECT_EQ(json::serialize(stored.at("files")),
              R"(["1795332145.61494#2#d.data","1795332155.61494-7a120.meta"])");
    EXPECT_EQ(RealServer::from_hex(stored.at("body").as_string().c_str()), server.fragment);
    const auto& data = stored.at("data_metadata").as_object();
    EXPECT_EQ(data.at("name").as_string(), plain);
    EXPECT_EQ(data.at("ETag").as_string(), md5_hex(server.fragment));
    // Swift keeps header bytes as Latin-1 code points, which JSON shows as UTF-8 of each byte.
    const auto latin1 = [](std::string_view bytes) {
        std::string shown;
        for (char c : bytes) {
            const auto value = static_cast<unsigned char>(c);
            if (value >= 0x80) shown += static_cast<char>(0xc0 | (value >> 6));
            shown += static_cast<char>(value >= 0x80 ? 0x80 | (value & 0x3f) : value);
        }
        return shown;
    };
    EXPECT_EQ(data.at("X-Object-Meta-Text").as_string(), latin1(text));
    EXPECT_EQ(stored.at("metadata").as_object().at("X-Object-Meta-Text").as_string(),
              latin1(text + "!"));
    EXPECT_EQ(json::serialize(disk.at(hash_of(light)).as_object().at("files")),
              R"(["1795332145.61494#2.data"])");
    EXPECT_EQ(json::serialize(disk.at(hash_of(gone)).as_object().at("files")),
              R"(["1795332145.61494.ts"])");
    EXPECT_EQ(disk.at(hash_of(empty)).as_object().at("body").as_string(), "");

    // The second time everything is there already.
    Objects again;
    again.offers = objects.offers;
    const auto second = sync(again);
    EXPECT_TRUE(second.success);
    EXPECT_EQ(second.wanted, 0u);
}

TEST_F(RealServerTest, AnswersOurGetsAndReplicates) {
    Objects objects;
    objects.offers = {{hash_of(plain), at("1795332145.61494"), {}, {}, true}};
    objects.requests.emplace_back();
    objects.requests.back().push_back(
        put(plain, archive_headers("1795332145.61494"), server.fragment));
    ASSERT_TRUE(sync(objects).success);

    http::Client client(io.get_executor(), "obj-reconstructor 1", clock);
    fragments::GatherRequest request;
    request.policy_index = 1;
    request.partition = "1";
    request.object_path = plain;
    request.wanted = 0;
    request.k = 2;
    request.n = 3;
    request.data_timestamp = at("1795332145.61494");
    request.ec_etag = "0123456789abcdef0123456789abcdef";
    request.archive_bytes = server.fragment.size();
    request.local_index = 1;
    request.candidates = {{node, 2}};
    request.choose =
        [](std::span<const std::uint8_t> available) -> std::optional<std::vector<std::uint8_t>> {
        if (available.size() < 2) return std::nullopt;
        return std::vector<std::uint8_t>(available.begin(), available.end());
    };
    fragments::GatherLimits limits;
    limits.timeouts = timeouts;
    for (const std::size_t whole_bodies : {std::size_t{0}, std::size_t{1}}) {
        request.whole_bodies_max = whole_bodies;
        auto sources =
            test::run_coroutine(io, fragments::gather(client, request, limits, log.logger()));
        ASSERT_TRUE(sources.has_value());
        auto& survivor = *(*sources)[1].survivor;
        EXPECT_EQ(survivor.index(), 2);
        std::string body(server.fragment.size() + 10, '\0');
        const auto got =
            test::run_coroutine(io, survivor.read(std::as_writable_bytes(std::span(body))));
        ASSERT_TRUE(got.has_value());
        body.resize(*got);
        EXPECT_TRUE(body == server.fragment);
        EXPECT_EQ(survivor.announced_md5(), md5_hex(body));
        EXPECT_EQ(client.pool().idle(), 1u);
    }

    replicate::ReplicateRequest hashes{node, "1", "", 1, timeouts};
    http::Abort abort;
    auto answer = test::run_coroutine(io, replicate::get_suffix_hashes(client, hashes, abort));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200);
    EXPECT_NE(answer->body.find(hash_of(plain).substr(29)), std::string::npos);
    EXPECT_EQ(client.pool().idle(), 1u);

    // Another version than the announced one must not be used.
    request.data_timestamp = at("1795332145.61495");
    auto none = test::run_coroutine(io, fragments::gather(client, request, limits, log.logger()));
    ASSERT_TRUE(none.has_error());
    EXPECT_EQ(none.error().code, errc::too_few_fragments);
    client.pool().close();
}

TEST_F(RealServerTest, NamesAnUnmountedDevice) {
    node.device = "sdz";
    Objects objects;
    const auto result = sync(objects);
    ASSERT_FALSE(result.success);
    EXPECT_EQ(result.error->code, errc::not_mounted);
}

}  // namespace
}  // namespace fragmend::transport
