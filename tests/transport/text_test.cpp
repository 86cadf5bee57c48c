// Python's texts and the words of limits.
#include <gtest/gtest.h>

#include "tests/golden/transport/swift_bytes.hpp"
#include "transport/python_text.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport {
namespace {

using namespace std::string_view_literals;

TEST(PythonText, QuotesBytesAsPython) {
    std::string printed;
    for (const auto bytes : {"plain"sv, "it's"sv, "it's \"both\""sv, "say \"hi\""sv,
                             "tab\tcr\rlf\n\\ \x00\x7f"sv, "\xc3\xa9"sv}) {
        printed += python_repr_bytes(bytes) + "\n";
    }
    EXPECT_EQ(printed, golden::reprs);
}

TEST(PythonText, ShowsAsciiAsTextAndTheRestAsBytes) {
    EXPECT_EQ(python_repr(":ERROR: 0 'x'"), "\":ERROR: 0 'x'\"");
    EXPECT_EQ(python_repr("\xff"), "b'\\xff'");
}

TEST(PythonText, StripsAsciiWhiteSpaceOnly) {
    EXPECT_EQ(python_strip(" \r\n\t\v\fa b\xa0 \n"), "a b\xa0");
    EXPECT_EQ(python_strip("\r\n"), "");
}

TEST(TimeLimit, WordsAreThoseOfPython) {
    EXPECT_EQ(TimeLimit::from_int(60).words(), "60 seconds");
    EXPECT_EQ(TimeLimit::from_int(1).words(), "1 second");
    EXPECT_EQ(TimeLimit::from_float(1).words(), "1.0 second");
    EXPECT_EQ(TimeLimit::from_float(10).words(), "10.0 seconds");
    EXPECT_EQ(TimeLimit::from_float(0.5).words(), "0.5 seconds");
    EXPECT_EQ(TimeLimit::from_float(0.1).words(), "0.1 seconds");
}

TEST(Deadline, NamesTheStageOrTheException) {
    const auto limit = TimeLimit::from_float(0.5);
    EXPECT_EQ(Deadline::stage(limit, "connect send").error().detail, "0.5 seconds: connect send");
    EXPECT_EQ(Deadline::exception(limit, "ConnectionTimeout").error().detail,
              "ConnectionTimeout (0.5s)");
    EXPECT_EQ(Deadline::stage(limit, "x").error().code, errc::timeout);
}

}  // namespace
}  // namespace fragmend::transport
