#include "policy/timezones.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace sallyport::policy {
namespace {

using namespace std::string_literals;

struct NameCase {
  const char* name;
  std::string text;
  bool expected;
};

class NameTest : public ::testing::TestWithParam<NameCase> {};

TEST_P(NameTest, LooksLikeATimezone) {
  EXPECT_EQ(looks_like_timezone(GetParam().text), GetParam().expected);
}

const NameCase kNameCases[] = {
    {"City", "Europe/Berlin", true},
    {"ThreeParts", "America/Argentina/Buenos_Aires", true},
    {"Offset", "Etc/GMT+10", true},
    {"Hyphens", "America/Port-au-Prince", true},
    {"Digits", "EST5EDT", true},
    {"Of64", std::string(64, 'a'), true},
    {"Of65", std::string(65, 'a'), false},
    {"Empty", "", false},
    {"Path", "/etc/passwd", false},
    {"PathUpwards", "../etc/passwd", false},
    {"PathUpwardsInside", "Europe/../Berlin", false},
    {"OffsetAlone", "+02:00", false},
    {"Windows", "W. Europe Standard Time", false},
    {"Blank", "Europe/Berlin ", false},
    {"Nul", "Europe/Berlin\0"s, false},
    {"LineBreak", "Europe/Berlin\n", false},
    {"BeyondAscii", "Europe/Zürich", false},
};

INSTANTIATE_TEST_SUITE_P(Timezones, NameTest, ::testing::ValuesIn(kNameCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct LineCase {
  const char* name;
  std::string text;
  const char* zone;
  bool expected;
};

class LineTest : public ::testing::TestWithParam<LineCase> {};

TEST_P(LineTest, NamesOrNot) {
  EXPECT_EQ(Timezones(GetParam().text).has(GetParam().zone), GetParam().expected);
}

const LineCase kLineCases[] = {
    {"Zone", "Z Etc/UTC 0 - UTC\n", "Etc/UTC", true},
    {"Link", "L Etc/UTC UTC\n", "UTC", true},
    {"TargetOfALinkIsNotNamed", "L Etc/UTC UTC\n", "Etc/UTC", false},
    {"SpelledOut", "Zone Etc/UTC 0 - UTC\n", "Etc/UTC", true},
    {"SpelledOutLink", "Link Etc/UTC UTC\n", "UTC", true},
    {"Shortened", "zo Etc/UTC 0 - UTC\n", "Etc/UTC", true},
    {"ShortenedLink", "LIN Etc/UTC UTC\n", "UTC", true},
    {"Tabs", "Zone\tEtc/UTC\t\t0\t-\tUTC\n", "Etc/UTC", true},
    {"BlanksInFront", "  Z Etc/UTC 0 - UTC\n", "Etc/UTC", true},
    {"BlanksBehindALink", "L Etc/UTC UTC \t\n", "UTC", true},
    {"CarriageReturn", "L Etc/UTC UTC\r\n", "UTC", true},
    {"CommentBehind", "L Etc/UTC UTC # the usual one\n", "UTC", true},
    {"CommentTouching", "L Etc/UTC UTC#the usual one\n", "UTC", true},
    {"Until", "Z Europe/Berlin 0:53:28 - LMT 1893 Ap\n1 c CE%sT 1945\n", "Europe/Berlin", true},
    {"Second", "R d 1916 o - Jun 14 23s 1 S\nZ A 0 - UTC\nZ B 0 - UTC\n", "B", true},
    {"Comment", "# Z Etc/UTC 0 - UTC\n", "Etc/UTC", false},
    {"Rule", "R Etc/UTC 1916 o - Jun 14 23s 1 S\n", "Etc/UTC", false},
    {"Continuation", "Z Europe/Berlin 0:53:28 - LMT 1893\n1 Etc/UTC CE%sT 1945\n", "Etc/UTC", false},
    {"OtherKeyword", "Zones Etc/UTC 0 - UTC\n", "Etc/UTC", false},
    {"LeapSecond", "Leap 1972 Jun 30 23:59:60 + S\n", "Jun", false},
    {"CutZone", "Z Etc/UTC 0\n", "Etc/UTC", false},
    {"CutLink", "L UTC\n", "UTC", false},
    {"LinkOfMore", "L Etc/UTC UTC more\n", "UTC", false},
    {"NoEndOfLine", "L Etc/UTC UTC", "UTC", false},
    {"CaseMatters", "L Etc/UTC UTC\n", "utc", false},
    {"PartOfAName", "Z Europe/Berlin 0 - X\n", "Europe", false},
    {"BeginningOfAName", "Z Europe/Berlin 0 - X\n", "Europe/Ber", false},
    {"NameAndMore", "Z Europe/Berlin 0 - X\n", "Europe/Berlin/", false},
    {"PathIsNoName", "Z ../etc/passwd 0 - X\n", "../etc/passwd", false},
    {"AbsolutePathIsNoName", "L Etc/UTC /etc/passwd\n", "/etc/passwd", false},
    {"Quoted", "L Etc/UTC \"UTC\"\n", "\"UTC\"", false},
    {"OverlongName", "L Etc/UTC " + std::string(65, 'a') + "\n", "a", false},
    {"NulInTheName", "L Etc/UTC UTC\0x\n"s, "UTC", false},
    {"NulInAnotherLine", "\0\0\0\nL Etc/UTC UTC\n"s, "UTC", true},
    {"Empty", "", "", false},
    {"EmptyLines", "\n\n \n", "", false},
};

INSTANTIATE_TEST_SUITE_P(Timezones, LineTest, ::testing::ValuesIn(kLineCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Timezones, NoneAtFirst) {
  EXPECT_TRUE(Timezones().empty());
  EXPECT_FALSE(Timezones().has("UTC"));
  EXPECT_TRUE(Timezones("no\nzone\n").empty());
  EXPECT_FALSE(Timezones("Z A 0 - A\nL A A\n").empty());
}

TEST(Timezones, HugeLinesAndTextsAreReadOnce) {
  std::string text = std::string(1 << 20, 'Z') + "\nZ " + std::string(1 << 20, ' ') + "\n";
  for (int i = 0; i < 100000; ++i) text += "L A Zone" + std::to_string(i) + "\n";
  text += std::string(1 << 20, '\n');
  const Timezones zones(text);
  EXPECT_TRUE(zones.has("Zone0") && zones.has("Zone99999"));
  EXPECT_FALSE(zones.has("Zone100000"));
}

std::string database() {
  std::ifstream file("/usr/share/zoneinfo/tzdata.zi", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(TimezonesOfThisMachine, AreKnown) {
  const Timezones zones(database());
  ASSERT_FALSE(zones.empty()) << "install tzdata";
  for (const char* name :
       {"UTC", "Etc/UTC", "GMT", "Etc/GMT+12", "Etc/GMT-14", "Europe/Berlin", "Europe/Kyiv",
        "Europe/Kiev", "America/New_York", "America/Argentina/Buenos_Aires",
        "America/Port-au-Prince", "America/North_Dakota/New_Salem", "Asia/Kolkata", "Asia/Calcutta",
        "Africa/Abidjan", "Antarctica/DumontDUrville", "Pacific/Kiritimati", "EST5EDT", "Japan"}) {
    EXPECT_TRUE(zones.has(name)) << name;
  }
  for (const char* name : {"", "utc", "europe/berlin", "Europe", "Europe/", "Europe/Atlantis",
                           "Europe/Berlin ", "W. Europe Standard Time", "+02:00", "tzdata.zi",
                           "posix/Europe/Berlin", "zone.tab", "d", "-"}) {
    EXPECT_FALSE(zones.has(name)) << name;
  }
}

// What is left of a copy that was cut is known, and nothing else.
TEST(TimezonesOfThisMachine, AreReadWhereverTheyAreCut) {
  const std::string text = database() + "L Etc/UTC Etc/Universal/Longer\n";
  const std::size_t whole = text.size() - std::string("Etc/Universal/Longer\n").size();
  for (std::size_t size = whole - 30; size < text.size(); ++size) {
    const Timezones zones(std::string_view(text).substr(0, size));
    EXPECT_TRUE(zones.has("Europe/Berlin")) << size;
    EXPECT_FALSE(zones.has("Etc/Universal/Longe")) << size;
    EXPECT_FALSE(zones.has("Etc/Universal/")) << size;
  }
}

}  // namespace
}  // namespace sallyport::policy
