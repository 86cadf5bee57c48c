// What a receiver makes of a sender's bytes: whole, in pieces, and cut off anywhere.
#include "transport/ssync/reception.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fragmend::transport::ssync {
namespace {

using Kind = Reception::Kind;

const std::string hash(32, 'a');
const std::string script = ":MISSING_CHECK: START\r\n" + hash + " 1795332145.61494\r\n" + hash +
                           " 1795332145.61494 m:f4240,t:7a120,durable:False\r\n"
                           ":MISSING_CHECK: END\r\n:UPDATES: START\r\n"
                           "PUT /a/c/o%201\r\nContent-Length: 5\r\nX-Object-Meta-A:  b c \r\n\r\n"
                           "\r\n:UP"
                           "POST /a/c/o\r\nX-Timestamp: 1\r\n\r\n"
                           "PUT /a/c/empty\r\nContent-Length: 0\r\n\r\n"
                           "DELETE /a/c/o\r\nX-Timestamp: 2\r\n\r\n:UPDATES: END\r\n";

/// Everything that happens, one line an event; bodies joined.
std::string story_of(std::string_view text, std::size_t piece_bytes, bool ends,
                     std::size_t line_max = 65536) {
    Reception reception(line_max, 1000);
    std::string story, body;
    bool over = false;
    const auto tell = [&](const Reception::Event& event) {
        switch (event.kind) {
            case Kind::offer:
                story += "offer " + event.offer.data.internal() +
                         (event.offer.durable.value() ? "" : " pending") +
                         (event.offer.meta ? " " + event.offer.meta->internal() : "") + "\n";
                break;
            case Kind::offers_end:
                story += "offers end\n";
                break;
            case Kind::request:
                story += event.request.method + " " + event.request.path;
                for (const auto& [name, value] : event.request.headers)
                    story += " " + name + "=" + value;
                story += "\n";
                break;
            case Kind::body:
                body += as_text(event.body);
                break;
            case Kind::request_end:
                story += "[" + std::exchange(body, {}) + "]\n";
                break;
            case Kind::updates_end:
                story += "updates end\n";
                over = true;
                break;
            case Kind::hung_up:
                story += "hung up\n";
                over = true;
                break;
            case Kind::failed:
                story += "failed: " + reception.error().detail + "\n";
                over = true;
                break;
            case Kind::more:
                break;
        }
    };
    for (std::size_t at = 0; at < text.size() && !over; at += piece_bytes) {
        ByteView piece = as_bytes_view(text.substr(at, piece_bytes));
        for (;;) {
            const auto event = reception.next(piece);
            tell(event);
            if (over || event.kind == Kind::more) break;
        }
    }
    if (!over && ends) tell(reception.end());
    return story;
}

const std::string whole_story =
    "offer 1795332145.61494\n"
    "offer 1795332145.61494 pending 1795332155.61494\n"
    "offers end\n"
    "PUT /a/c/o%201 content-length=5 x-object-meta-a=b c\n[\r\n:UP]\n"
    "POST /a/c/o x-timestamp=1\n[]\n"
    "PUT /a/c/empty content-length=0\n[]\n"
    "DELETE /a/c/o x-timestamp=2\n[]\n"
    "updates end\n";

TEST(SsyncReception, UnderstandsASession) {
    EXPECT_EQ(story_of(script, script.size(), false), whole_story);
}

TEST(SsyncReception, UnderstandsItOneByteAtATime) {
    for (const std::size_t bytes : {1u, 2u, 3u, 7u, 64u}) {
        EXPECT_EQ(story_of(script, bytes, false), whole_story) << bytes;
    }
}

TEST(SsyncReception, EndsWhereverItIsCutOff) {
    for (std::size_t bytes = 0; bytes < script.size(); ++bytes) {
        const auto story = story_of(script.substr(0, bytes), 5, true);
        EXPECT_TRUE(story.ends_with("hung up\n") ||
                    story.find("failed: Got no headers") != story.npos ||
                    story.find("failed: Early termination for PUT /a/c/o%201") != story.npos)
            << bytes << "\n"
            << story;
        EXPECT_EQ(story.find("updates end"), story.npos) << bytes;
    }
}

TEST(SsyncReception, SaysWhatItWaitsFor) {
    Reception reception(100, 10);
    EXPECT_EQ(reception.stage(), "missing_check start");
    const auto feed = [&](std::string_view text) {
        ByteView input = as_bytes_view(text);
        auto event = reception.next(input);
        while (event.kind != Kind::more && !input.empty())
            event = reception.next(input);
    };
    feed(":MISSING_CHECK: START\r\n");
    EXPECT_EQ(reception.stage(), "missing_check line");
    feed(":MISSING_CHECK: END\r\n");
    EXPECT_EQ(reception.stage(), "updates start");
    feed(":UPDATES: START\r\n");
    EXPECT_EQ(reception.stage(), "updates line");
    feed("PUT /a/c/o\r\n");
    EXPECT_EQ(reception.stage(), "updates line");
    feed("Content-Length: 9\r\n\r\nabc");
    EXPECT_EQ(reception.stage(), "updates content");
}

TEST(SsyncReception, RefusesBadLinesInSwiftsWords) {
    const auto failure = [](const std::string& text) {
        const auto story = story_of(text, 11, true);
        const auto at = story.rfind("failed: ");
        return at == story.npos ? story : story.substr(at + 8);
    };
    const std::string start = ":MISSING_CHECK: START\r\n";
    const std::string sub = start + ":MISSING_CHECK: END\r\n:UPDATES: START\r\n";
    EXPECT_EQ(failure(":NONSENSE\r\n"),
              "Looking for :MISSING_CHECK: START got b':NONSENSE\\r\\n'\n");
    EXPECT_EQ(failure(start + ":MISSING_CHECK: END\r\nx\r\n"),
              "Looking for :UPDATES: START got b'x\\r\\n'\n");
    EXPECT_EQ(failure(sub + "GET /a/c/o\r\nA: b\r\n\r\n"), "Invalid subrequest method GET\n");
    EXPECT_EQ(failure(sub + "PUT /a/c/o\r\nA: b\r\n\r\n"),
              "No content-length sent for PUT /a/c/o\n");
    EXPECT_EQ(failure(sub + "POST /a/c/o\r\nContent-Length: 1\r\n\r\n"),
              "POST subrequest with content-length /a/c/o\n");
    for (const auto* bad : {"\r\n", "PUT\r\n", "PUT /o\r\nno colon\r\n",
                            "PUT /o\r\nContent-Length: -1\r\n", "PUT /o\r\nContent-Length: 1e3\r\n",
                            "PUT /o\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
                            "PUT /o\r\n: x\r\n", "PUT /o\r\nA: b\rc\r\n"}) {
        EXPECT_NE(failure(sub + bad).find("\n"), 0u);
        EXPECT_NE(story_of(sub + bad, 3, false).find("failed: "), std::string::npos) << bad;
    }
    for (const auto& bad :
         {std::string("\r\n"), hash + "\r\n", hash + " soon\r\n", hash.substr(1) + " 1\r\n",
          std::string(32, 'A') + " 1\r\n", std::string("../../../../../../../../etc/pass 1\r\n"),
          hash + " 1 m:zz\r\n", hash + " 1 m:ffffffffffffffff\r\n", hash + " 1 m:-ffffff\r\n",
          hash + " 1 m:1__\r\n", hash + " \xff\r\n", hash + " -5\r\n"}) {
        EXPECT_NE(story_of(start + bad, 3, false).find("failed: "), std::string::npos) << bad;
    }
}

TEST(SsyncReception, IsBounded) {
    const std::string start = ":MISSING_CHECK: START\r\n";
    EXPECT_NE(story_of(start + std::string(200, 'a'), 7, false, 100).find("longer than 100 bytes"),
              std::string::npos);
    std::string offers = start;
    for (int i = 0; i < 1001; ++i)
        offers += hash + " 1\r\n";
    EXPECT_NE(story_of(offers, 4096, false).find("more than 1000 offers"), std::string::npos);
    const std::string sub = start + ":MISSING_CHECK: END\r\n:UPDATES: START\r\nPUT /a/c/o\r\n";
    std::string many = sub, large = sub;
    for (int i = 0; i < 1001; ++i)
        many += "A: b\r\n";
    EXPECT_NE(story_of(many, 4096, false).find("too many headers"), std::string::npos);
    for (int i = 0; i < 10; ++i)
        large += "A: " + std::string(60000, 'b') + "\r\n";
    EXPECT_NE(story_of(large, 4096, false).find("head that is too long"), std::string::npos);
}

TEST(SsyncReception, ReadsOffsetsAsNewSendersWriteThem) {
    const auto offer =
        decode_missing(hash + " 0000000001.00000_000000000000000a m:10__2,t:0").value();
    EXPECT_EQ(offer.data, (Timestamp{100000, 10}));
    EXPECT_EQ(*offer.meta, (Timestamp{100016, 2}));
    EXPECT_EQ(*offer.content_type, (Timestamp{100000, 10}));
    EXPECT_EQ(*decode_missing(hash + " 1 m:10").value().meta, (Timestamp{100016, 0}));
    EXPECT_EQ(*decode_missing(hash + " 1 m:-10").value().meta, (Timestamp{99984, 0}));
    EXPECT_EQ(*decode_missing(hash + " 1 durable:no,x:y,z").value().durable, false);
}

TEST(SsyncWanted, FollowsSwiftsTable) {
    const auto offer = [](std::int64_t data, std::int64_t meta = 0, std::int64_t type = 0,
                          bool durable = true) {
        Offer made{hash, {data, 0}, {}, {}, durable};
        if (meta != 0) made.meta = Timestamp{meta, 0};
        if (type != 0) made.content_type = Timestamp{type, 0};
        return made;
    };
    const auto local = [](std::int64_t data, std::int64_t meta, std::int64_t type) {
        return LocalState{Timestamp{data, 0}, Timestamp{meta, 0}, Timestamp{type, 0},
                          Timestamp{data, 0}, false};
    };
    const auto asks = [](const std::optional<Wanted>& wanted) {
        return wanted ? encode_wanted(*wanted).substr(33) : "";
    };
    const LocalState nothing;
    LocalState tombstone;
    tombstone.data = Timestamp{5, 0};
    EXPECT_EQ(asks(wanted_of(offer(5), nothing)), "dm");
    EXPECT_EQ(asks(wanted_of(offer(5), tombstone)), "");
    EXPECT_EQ(asks(wanted_of(offer(4, 9), tombstone)), "");
    EXPECT_EQ(asks(wanted_of(offer(6, 9), tombstone)), "d");
    EXPECT_EQ(asks(wanted_of(offer(5), local(5, 5, 5))), "");
    EXPECT_EQ(asks(wanted_of(offer(6), local(5, 5, 5))), "dm");
    EXPECT_EQ(asks(wanted_of(offer(6), local(5, 7, 5))), "d");
    EXPECT_EQ(asks(wanted_of(offer(5, 8), local(5, 7, 5))), "m");
    EXPECT_EQ(asks(wanted_of(offer(5, 8, 8), local(5, 9, 7))), "m");
    EXPECT_EQ(asks(wanted_of(offer(5, 8, 7), local(5, 9, 7))), "");
    LocalState pending;
    pending.has_offered_fragment = true;
    EXPECT_TRUE(is_here_not_durable(offer(5), pending));
    EXPECT_EQ(asks(wanted_of(offer(5, 0, 0, false), pending)), "");
    EXPECT_EQ(asks(wanted_of(offer(5), pending)), "dm");
    pending.durable = Timestamp{5, 0};
    EXPECT_FALSE(is_here_not_durable(offer(5), pending));
}

TEST(SsyncErrorLine, IsAsPythonPrintsIt) {
    EXPECT_EQ(error_line(0, "15 seconds: /x", false), ":ERROR: 0 '15 seconds: /x'\n");
    EXPECT_EQ(error_line(0, "it's", false), ":ERROR: 0 \"it's\"\n");
    EXPECT_EQ(error_line(500, "ERROR", true), ":ERROR: 500 b'ERROR'\n");
}

}  // namespace
}  // namespace fragmend::transport::ssync
