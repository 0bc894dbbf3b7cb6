#include "policy/statements.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::policy {
namespace {

using Statements = std::vector<std::vector<std::string>>;

// What a text says; its problem's line and message as the last statement, behind "!".
Statements read(std::string_view text) {
  Statements all;
  StatementReader reader(text);
  for (;;) {
    if (const Problem problem = reader.next()) {
      all.push_back({"!" + std::to_string(problem->line), problem->message});
      return all;
    }
    if (reader.words().empty()) return all;
    all.emplace_back();
    for (const Word& word : reader.words()) all.back().emplace_back(word.text);
  }
}

struct WordsCase {
  const char* name;
  std::string text;
  Statements expected;
};

class StatementsTest : public ::testing::TestWithParam<WordsCase> {};

TEST_P(StatementsTest, AreTakenApartAsNginxDoes) { EXPECT_EQ(read(GetParam().text), GetParam().expected); }

const WordsCase kWords[] = {
    {"Nothing", "", {}},
    {"BlanksAndComments", " \t\r\n # user a;\n#", {}},
    {"One", "user ada;", {{"user", "ada"}}},
    {"TwoInALine", "user ada;user bob ;", {{"user", "ada"}, {"user", "bob"}}},
    {"OverLines", "user\n\tada # of sales\r\n  disabled\n;", {{"user", "ada", "disabled"}}},
    {"HashInAWord", "user a#b c;", {{"user", "a#b", "c"}}},
    {"HashInQuotes", "user '#' \"a # b\";", {{"user", "#", "a # b"}}},
    {"CommentBehindASemicolon", "user ada;# the first;\nuser bob;", {{"user", "ada"}, {"user", "bob"}}},
    {"DoubleQuotes", "user \"Ada L\";", {{"user", "Ada L"}}},
    {"SingleQuotes", "user 'Ada L';", {{"user", "Ada L"}}},
    {"QuotesInOtherQuotes", "user \"Ada's\" 'a \"b\"';", {{"user", "Ada's", "a \"b\""}}},
    {"SemicolonInQuotes", "user \"a;b\";", {{"user", "a;b"}}},
    {"BracesInQuotes", "user \"{a}\";", {{"user", "{a}"}}},
    {"ClosingBraceInAWord", "user a}b;", {{"user", "a}b"}}},
    {"EmptyQuotes", "user \"\" '';", {{"user", "", ""}}},
    {"QuoteInAWordIsItself", "user O'Brien a\"b;", {{"user", "O'Brien", "a\"b"}}},
    {"EscapedQuote", R"(user "a\"b" 'c\'d' \"e;)", {{"user", "a\"b", "c'd", "\"e"}}},
    {"EscapedBackslash", R"(user "a\\" b\\c;)", {{"user", "a\\", "b\\c"}}},
    {"EscapedBackslashBeforeAQuote", R"(user "a\\\"b";)", {{"user", "a\\\"b"}}},
    {"OtherEscapesStay", R"(user a\.b "c\d" e\ f g\;h;)", {{"user", "a\\.b", "c\\d", "e\\ f", "g\\;h"}}},
    {"EscapedBrace", R"(user a\{b;)", {{"user", "a\\{b"}}},
    {"DollarIsItself", "user $a \"${b}\";", {{"user", "$a", "${b}"}}},
    {"QuotedPair", "user a \"space=T:S M\";", {{"user", "a", "space=T:S M"}}},
    {"QuotedValue", "user a space=\"T:S M\" group='R\\'D' idp=\"o k\";",
     {{"user", "a", "space=T:S M", "group=R'D", "idp=o k"}}},
    {"EmptyQuotedValue", "user a group=\"\";", {{"user", "a", "group="}}},
    {"QuotedValueOfAnotherName", "user a team=\"x\";", {{"user", "a", "team=\"x\""}}},
    {"QuoteLaterInAValue", "user a group=O'Brien;", {{"user", "a", "group=O'Brien"}}},
    {"QuotedValueHasASemicolon", "user a group=\"x;y\";", {{"user", "a", "group=x;y"}}},
    {"Utf8", "user andr\xC3\xA9 \"\xE6\x97\xA5\xE6\x9C\xAC\";",
     {{"user", "andr\xC3\xA9", "\xE6\x97\xA5\xE6\x9C\xAC"}}},
    {"NoBreakSpaceInQuotes", "user \"a\xC2\xA0" "b\";", {{"user", "a\xC2\xA0" "b"}}},
};

INSTANTIATE_TEST_SUITE_P(Policy, StatementsTest, ::testing::ValuesIn(kWords),
                         [](const auto& test) { return std::string(test.param.name); });

struct RefusedCase {
  const char* name;
  std::string text;
  unsigned line;
  const char* message;  // a part of it
};

class RefusedStatementsTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedStatementsTest, SayWhereAndWhy) {
  const RefusedCase& test = GetParam();
  const Statements all = read(test.text);
  ASSERT_FALSE(all.empty());
  ASSERT_EQ(all.back()[0], "!" + std::to_string(test.line));
  EXPECT_NE(all.back()[1].find(test.message), std::string::npos) << all.back()[1];
}

std::string control(char c) { return std::string("user a;\nuser b") + c + "c;"; }

const RefusedCase kRefused[] = {
    {"NoSemicolon", "user a;\nuser b", 2, "the statement has no \";\": add it at the end"},
    {"NoSemicolonBeforeBlanks", "user a;\nuser b\n\n", 2, "no \";\""},
    {"NoSemicolonBehindQuotes", "\nuser \"b\"", 2, "no \";\""},
    {"EndsInAnEscape", "user a\\", 1, "no \";\""},
    {"SemicolonInAComment", "user a # b;\n", 1, "no \";\""},
    {"SemicolonAlone", "user a;\n ;", 2, "a \";\" stands alone: remove it"},
    {"TwoSemicolons", "user a;;", 1, "stands alone"},
    {"Block", "user a {\n", 1, "\"{\" has no meaning here: write a word that holds it in quotes"},
    {"BraceEndsAWord", "user a{b;", 1, "\"{\" has no meaning"},
    {"Variable", "user ${a};", 1, "\"{\" has no meaning"},
    {"ClosingBrace", "user a;\n}", 2, "\"}\" has no meaning"},
    {"QuoteNotClosed", "user a;\nuser \"b;\nuser \"c\";", 2,
     "the quote in front of \"b;\" is not closed in its line: close it, or write \\\""},
    {"SingleQuoteNotClosed", "user 'b\n';", 1, "or write \\'"},
    {"QuoteNotClosedAtTheEnd", "\n\nuser \"b;", 3, "not closed in its line"},
    {"QuoteNotClosedBehindAnEscape", "user \"b\\", 1, "not closed in its line"},
    {"QuoteNotClosedByAnEscapedOne", "user \"b\\\";", 1, "not closed in its line"},
    {"LineBreakEscapedInQuotes", "user \"b\\\n\";", 1, "not closed in its line"},
    {"QuotedValueNotClosed", "\nuser a space=\"T:S;", 2, "not closed in its line"},
    {"TextBehindAQuote", "user\n \"a\"b;", 2,
     "text stands right behind a closing \": put a space or \";\" between, or write \\\""},
    {"TextBehindASingleQuote", "user 'a'b;", 1, "behind a closing '"},
    {"CommentBehindAQuote", "user 'a'#b\n;", 1, "behind a closing '"},
    {"QuoteBehindAQuote", "user \"a\"\"b\";", 1, "behind a closing \""},
    {"BracketBehindAQuote", "user \"a\");", 1, "behind a closing \""},
    {"TextBehindAQuotedValue", "user a group=\"b\":c;", 1, "behind a closing \""},
    {"Nul", control('\0'), 2, "holds a control character: remove it"},
    {"VerticalTab", control('\v'), 2, "control character"},
    {"Delete", control('\x7F'), 2, "control character"},
    {"C1", "user a\xC2\x85;", 1, "control character"},
    {"TabInQuotes", "user \"a\tb\";", 1, "control character"},
    {"EscapedTab", "user\n\n\"a\\tb\";", 3, "control character"},
    {"EscapedLineFeed", "user a\\nb;", 1, "control character"},
    {"EscapedLineEnd", "user a\\\nb;", 1, "control character"},
    {"ControlInAQuotedValue", "user a group=\"b\x01\";", 1, "control character"},
    {"NoBreakSpace", "user a;\nuser b\xC2\xA0" "disabled;", 2,
     "holds a blank that is not the space character: write a space, or the word in quotes"},
    {"ZeroWidthSpace", "user b\xE2\x80\x8B;", 1, "not the space character"},
    {"IdeographicSpace", "user b\xE3\x80\x80" "c;", 1, "not the space character"},
    {"ByteOrderMarkInside", "user \xEF\xBB\xBF" "b;", 1, "not the space character"},
};

INSTANTIATE_TEST_SUITE_P(Policy, RefusedStatementsTest, ::testing::ValuesIn(kRefused),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(StatementReader, TellsLinesAndQuotes) {
  StatementReader reader("user\n'a' \"group=b\"\n\n group=\"b\" c;");
  ASSERT_EQ(reader.next(), std::nullopt);
  ASSERT_EQ(reader.words().size(), 5u);
  const unsigned lines[] = {1, 2, 2, 4, 4};
  const Quotes quotes[] = {Quotes::kNone, Quotes::kWhole, Quotes::kWhole, Quotes::kValue, Quotes::kNone};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(reader.words()[i].line, lines[i]) << i;
    EXPECT_EQ(reader.words()[i].quotes, quotes[i]) << i;
  }
}

// From "user" to its ";".
std::string statement_of(std::size_t size, const std::string& begin, const std::string& end) {
  return begin + std::string(size - begin.size() - end.size(), 'x') + end;
}

TEST(StatementReader, TakesStatementsUpToALimit) {
  constexpr std::size_t kMost = StatementReader::kMaxStatement;
  struct Shape {
    const char* begin;
    const char* end;
  };
  const Shape shapes[] = {{"user ", ";"},
                          {"user '", "';"},
                          {"user group=\"\\\"", "\";"},
                          {"user a # ", "\n;"},
                          {"user \\\\", " \n;"}};
  for (const auto& [begin, end] : shapes) {
    const std::string first = "\nuser a;\n";
    EXPECT_EQ(read(first + statement_of(kMost, begin, end) + "\n# more\nuser b;").size(), 3u) << begin;
    const Statements longer = read(first + statement_of(kMost + 1, begin, end) + "\n# more\nuser b;");
    EXPECT_EQ(longer.back()[0], "!3") << begin;
    EXPECT_EQ(longer.back()[1], "the statement is longer than 65536 bytes: is a \";\" missing?") << begin;
  }
}

TEST(StatementReader, WordsWithEscapesStayWhileTheStatementIsRead) {
  std::string text = "user";
  Statements expected = {{"user"}};
  while (text.size() < StatementReader::kMaxStatement - 20) {
    text += " \"a\\\"b\"";
    expected[0].emplace_back("a\"b");
  }
  EXPECT_EQ(read(text + ";"), expected);
}

// Ten times the text, ten times the time: quotes, comments and blanks that go on for long are read once.
TEST(StatementReader, ReadsMuchTextOnce) {
  std::string text = std::string(4'000'000, ' ') + "#" + std::string(4'000'000, '#') + "\n";
  for (int i = 0; i < 100'000; ++i) text += "user \"a\\\"\" group='b c' # d\n;";
  EXPECT_EQ(read(text).size(), 100'000u);
}

}  // namespace
}  // namespace sallyport::policy
