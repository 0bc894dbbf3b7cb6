#include "session/cookie.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "fixed_random.h"

namespace sallyport::session {
namespace {

using namespace std::string_view_literals;
using sallyport::testing::FixedRandom;

constexpr std::string_view kName = "__Host-saml_session";

TEST(SessionId, IsTheTextOfItsBytesAndTheHashOfThem) {
  const std::string bytes = "0123456789abcdef0123456789ABCDEF";
  FixedRandom random{bytes};
  const auto id = make_session_id(random);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->text, base64url_encode(bytes));
  EXPECT_EQ(id->text.size(), 43u);
  EXPECT_EQ(id->key, sha256(bytes));
  EXPECT_EQ(key_of_cookie(id->text), id->key);
}

TEST(SessionId, NeedsRandomness) {
  FixedRandom random{std::string(31, 'x')};
  EXPECT_FALSE(make_session_id(random));
}

TEST(SessionId, EveryOtherSpellingHasNoKey) {
  const std::string good = base64url_encode(std::string(32, '\xfb'));
  ASSERT_TRUE(key_of_cookie(good));
  std::string bits = good;
  bits.back() = static_cast<char>(bits.back() + 1);  // trailing bits that are not zero
  std::string standard = good;
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const std::string bad[] = {
      "", good.substr(1), good + "A", good + "=", bits, standard, " " + good.substr(1),
      "\"" + good.substr(0, 41) + "\"", good.substr(0, 42) + '\0', good.substr(0, 42) + "%",
      good.substr(0, 42) + "\xff", std::string(65536, 'A'),
  };
  for (const auto& value : bad) EXPECT_FALSE(key_of_cookie(value)) << log_escape(value);
}

TEST(Cookie, FullName) {
  EXPECT_EQ(full_cookie_name("saml_session", true, ""), kName);
  EXPECT_EQ(full_cookie_name("saml_session", false, ""), "saml_session");
  EXPECT_EQ(full_cookie_name("saml_session", true, "example.com"), "saml_session");
  EXPECT_EQ(full_cookie_name(kName, true, ""), kName);
}

struct SetCase {
  const char* name;
  CookieSettings settings;
  long max_age;
  std::string_view header;
};

TEST(Cookie, SetCookieByteForByte) {
  const SetCase cases[] = {
      {"usual", {"n", "", SameSite::kLax, true}, -1, "n=v; Path=/; Secure; HttpOnly; SameSite=Lax"},
      {"http", {"n", "", SameSite::kUnset, false}, -1, "n=v; Path=/; HttpOnly"},
      {"cross_site", {"n", "", SameSite::kNone, true}, 3600,
       "n=v; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=None"},
      {"domain", {"n", "example.com", SameSite::kStrict, true}, 0,
       "n=v; Path=/; Domain=example.com; Max-Age=0; Secure; HttpOnly; SameSite=Strict"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(set_cookie(test.settings, "n", "v", test.max_age), test.header) << test.name;
  }
}

TEST(Cookie, ExpireHasTheSameScope) {
  const CookieSettings settings{"n", "example.com", SameSite::kLax, true};
  EXPECT_EQ(expire_cookie(settings, "n.x"),
            "n.x=; Path=/; Domain=example.com; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
}

struct FindCase {
  const char* name;
  std::string_view header;
  std::size_t count;
  std::string_view value;
};

constexpr FindCase kFindCases[] = {
    {"alone", "s=v", 1, "v"},
    {"first", "s=v; a=b", 1, "v"},
    {"last", "a=b; s=v", 1, "v"},
    {"no_blank", "a=b;s=v;c=d", 1, "v"},
    {"tabs", "a=b;\ts=v\t; c=d", 1, "v"},
    {"equals_in_value", "s=v=w=", 1, "v=w="},
    {"empty_value", "s=", 1, ""},
    {"quoted_as_sent", "s=\"v\"", 1, "\"v\""},
    {"twice", "s=v; s=evil", 2, "v"},
    {"twice_other_order", "s=evil; a=b; s=v", 2, "evil"},
    {"absent", "a=b", 0, ""},
    {"empty", "", 0, ""},
    {"semicolons", ";;;", 0, ""},
    {"other_case", "S=v", 0, ""},
    {"longer_name", "ss=v; s2=v; xs=v", 0, ""},
    {"name_without_value", "s", 0, ""},
    {"blank_in_name", "s =v", 0, ""},
    {"unicode_blank", "\xe2\x80\x80s=v", 0, ""},
    {"no_break_space", "\xc2\xa0s=v", 0, ""},
    {"nameless", "=s=v", 0, ""},
    {"in_value", "a=s=v", 0, ""},
    {"comma_is_no_separator", "a=b, s=v", 0, ""},
    {"version", "$Version=1; s=v", 1, "v"},
    {"inside_quotes_too", "a=\"x; s=v\"", 1, "v\""},
    {"nul", "s\0=v"sv, 0, ""},
};

TEST(Cookie, Finds) {
  for (const auto& test : kFindCases) {
    SCOPED_TRACE(test.name);
    CookieMatch match;
    find_cookie(test.header, "s", match);
    EXPECT_EQ(match.count, test.count);
    EXPECT_EQ(match.value, test.value);
  }
}

TEST(Cookie, CountsOverAllHeaderLines) {
  CookieMatch match;
  find_cookie("a=b", "s", match);
  find_cookie("s=one", "s", match);
  find_cookie("s=two", "s", match);
  EXPECT_EQ(match.count, 2u);
  EXPECT_EQ(match.value, "one");
}

TEST(Cookie, OwnNames) {
  EXPECT_TRUE(is_own_cookie(kName, kName));
  EXPECT_TRUE(is_own_cookie("__Host-saml_session.AAAAAAAAAAAAAAA_", kName));
  for (const std::string_view other :
       {""sv, "saml_session"sv, "__Host-saml_sessio"sv, "__Host-saml_session2"sv,
        "__host-saml_session"sv, "__Host-saml_session."sv, "__Host-saml_session.theme"sv,
        "__Host-saml_session.AAAAAAAAAAAAAAA"sv, "__Host-saml_session.AAAAAAAAAAAAAAAAA"sv,
        "__Host-saml_session.AAAAAAAAAAAAAAA."sv, "__Host-saml_session-AAAAAAAAAAAAAAAA"sv}) {
    EXPECT_FALSE(is_own_cookie(other, kName)) << other;
  }
}

struct StripCase {
  const char* name;
  std::string_view header;
  std::optional<std::string_view> rest;
};

constexpr StripCase kStripCases[] = {
    {"none", "a=b; c=d", std::nullopt},
    {"empty", "", std::nullopt},
    {"alike", "ss=v; s.theme=dark; S=x", std::nullopt},
    {"alone", "s=v", ""},
    {"alone_with_semicolon", "s=v; ", ""},
    {"only_separators_left", "; s=v ;;", ""},
    {"first", "s=v; a=b", "a=b"},
    {"middle", "a=b; s=v; c=d", "a=b; c=d"},
    {"last", "a=b; s=v", "a=b"},
    {"twice", "s=v; a=b; s=w", "a=b"},
    {"attempts", "s.AAAAAAAAAAAAAAAA=x; a=b; s.BBBBBBBBBBBBBBBB=y; s=v", "a=b"},
    {"no_blanks_kept", "a=b;s=v;c=d", "a=b;c=d"},
    {"others_as_sent", "a=\"b c\" ;flag; s=v;  =x; d", "a=\"b c\" ;flag;  =x; d"},
    {"empty_value", "s=", ""},
};

struct Split {
  std::size_t own = 0;
  std::string rest;
};

Split split(std::string_view header) {
  Split out;
  std::string room(header.size(), '\0');
  out.rest = split_cookies(header, "s", room.data(),
                           [&](std::string_view, std::string_view) { ++out.own; });
  return out;
}

TEST(Cookie, StripsOwnOnly) {
  for (const auto& test : kStripCases) {
    SCOPED_TRACE(test.name);
    const Split result = split(test.header);
    EXPECT_EQ(result.own > 0, test.rest.has_value());
    EXPECT_EQ(result.rest, test.rest.value_or(std::string(test.header)));
    EXPECT_EQ(split(result.rest).own, 0u);
  }
}

TEST(Cookie, SplitShowsNamesAndValuesOfOwn) {
  const std::string_view header = "a=b; s=v; s.AAAAAAAAAAAAAAAA=x";
  std::string room(header.size(), '\0');
  std::vector<std::pair<std::string, std::string>> own;
  split_cookies(header, "s", room.data(), [&](std::string_view name, std::string_view value) {
    own.emplace_back(name, value);
  });
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"s", "v"}, {"s.AAAAAAAAAAAAAAAA", "x"}};
  EXPECT_EQ(own, expected);
}

TEST(RecentKeys, AnswersAsTheHashDoes) {
  SystemRandom random;
  RecentKeys recent;
  std::vector<SessionId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(*make_session_id(random));
  for (int round = 0; round < 2; ++round) {
    for (const SessionId& id : ids) {
      EXPECT_EQ(recent.key_of(id.text), id.key);
      EXPECT_EQ(recent.key_of(id.text), id.key);
    }
  }
}

TEST(RecentKeys, NeverTakesOneCookieForAnother) {
  SystemRandom random;
  const SessionId id = *make_session_id(random);
  RecentKeys recent;
  ASSERT_EQ(recent.key_of(id.text), id.key);
  for (std::size_t i = 0; i < id.text.size(); ++i) {
    std::string other = id.text;
    other[i] = other[i] == 'A' ? 'E' : 'A';
    EXPECT_NE(recent.key_of(other), id.key) << i;
    EXPECT_EQ(recent.key_of(other), key_of_cookie(other)) << i;
  }
  EXPECT_EQ(recent.key_of(""), std::nullopt);
  EXPECT_EQ(recent.key_of(id.text + "A"), std::nullopt);
  EXPECT_EQ(recent.key_of(std::string(43, '\0')), std::nullopt);
}

}  // namespace
}  // namespace sallyport::session
