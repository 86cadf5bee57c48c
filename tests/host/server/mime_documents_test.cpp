// Multipart bodies of proxies: whole, in pieces, and such as are none.
#include "host/server/mime_documents.hpp"

#include <gtest/gtest.h>

namespace fragmend::server {
namespace {

using Kind = MimeDocuments::Kind;

std::string take_apart(std::string_view text, std::size_t piece_bytes) {
    MimeDocuments documents("b0und");
    std::string story;
    for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
        documents.feed(as_bytes_view(text.substr(at, piece_bytes)));
        for (auto event = documents.next(); event.kind != Kind::more; event = documents.next()) {
            if (event.kind == Kind::part) {
                story += "<";
                for (const auto& [name, value] : event.headers.items())
                    story += name + "=" + value + ";";
                story += ">";
            }
            if (event.kind == Kind::body) story += as_text(event.body);
            if (event.kind == Kind::end) story += "|";
            if (event.kind == Kind::over) story += "over";
            if (event.kind == Kind::failed) return story + "failed";
        }
    }
    return story;
}

TEST(MimeDocuments, TakesAProxysBodyApart) {
    const std::string text =
        "--b0und\r\nX-Document: object body\r\n\r\nbytes\r\n--b0un\r\n--b0und\r\n"
        "X-Document: object metadata\r\nContent-MD5: 0\r\n\r\n{}\r\n--b0und--\r\nafter";
    for (std::size_t bytes = 1; bytes <= text.size(); ++bytes) {
        EXPECT_EQ(take_apart(text, bytes),
                  "<X-Document=object body;>bytes\r\n--b0un|"
                  "<X-Document=object metadata;Content-Md5=0;>{}|over")
            << bytes;
    }
}

TEST(MimeDocuments, TakesPartsWithoutHeadersOrBytes) {
    EXPECT_EQ(take_apart("\r\n\r\n--b0und\r\n\r\n\r\n--b0und\r\n\r\nx\r\n--b0und--", 3),
              "<>|<>x|over");
}

std::string lines(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += "A" + std::to_string(i) + ":b\r\n";
    return text;
}

TEST(MimeDocuments, TakesAsManyLinesAsARequestMayHave) {
    const auto story =
        take_apart("--b0und\r\n" + lines(MimeDocuments::head_lines_max) + "\r\nx\r\n--b0und--", 64);
    EXPECT_TRUE(story.ends_with("A999=b;>x|over")) << story.substr(story.size() - 20);
}

// What comes before the first boundary is neither written nor counted by anybody else.
TEST(MimeDocuments, EndsAPreambleThatGoesOnAndOn) {
    MimeDocuments documents("b0und");
    std::string blank;
    for (int i = 0; i < 32 * 1024; ++i)
        blank += "\r\n";
    documents.feed(as_bytes_view(blank));
    EXPECT_EQ(documents.next().kind, Kind::more);
    documents.feed(as_bytes_view(blank));
    EXPECT_EQ(documents.next().kind, Kind::failed);
}

TEST(MimeDocuments, RefusesWhatIsNone) {
    for (const std::string& text :
         {std::string("nonsense"), std::string("--other\r\n\r\n"), std::string("--b0undXY"),
          std::string("--b0und\r\nno colon\r\n\r\n"),
          "--b0und\r\nA: " + std::string(MimeDocuments::head_bytes_max + 10, 'a'),
          "--b0und\r\n" + lines(MimeDocuments::head_lines_max + 1) + "\r\n"}) {
        EXPECT_EQ(take_apart(text, 5), "failed") << text.substr(0, 30);
    }
}

}  // namespace
}  // namespace fragmend::server
