#include "base/url.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace sallyport {
namespace {

using namespace std::string_view_literals;

struct UrlCase {
  const char* name;
  std::string_view text;
  std::string_view origin;
  int port;
  std::string_view path;
};

constexpr UrlCase kUrlCases[] = {
    {"bare", "https://app.example.com", "https://app.example.com", 443, ""},
    {"slash", "https://app.example.com/", "https://app.example.com", 443, "/"},
    {"http", "http://app.example.com/a/b?c=d", "http://app.example.com", 80, "/a/b?c=d"},
    {"port", "https://app.example.com:8443/x", "https://app.example.com:8443", 8443, "/x"},
    {"own_port", "https://app.example.com:443/x", "https://app.example.com", 443, "/x"},
    {"other_scheme_port", "http://app:443", "http://app:443", 443, ""},
    {"upper", "HTTPS://App.EXAMPLE.com/Path", "https://app.example.com", 443, "/Path"},
    {"query_only", "https://idp.example.com?a=b", "https://idp.example.com", 443, "/?a=b"},
    {"at_in_path", "https://host/a@b", "https://host", 443, "/a@b"},
    {"slashes_in_query", "https://host/?u=http://x/", "https://host", 443, "/?u=http://x/"},
    {"ipv4", "http://127.0.0.1:8080/", "http://127.0.0.1:8080", 8080, "/"},
    {"ipv6", "http://[2001:DB8::1]:81/", "http://[2001:db8::1]:81", 81, "/"},
    {"ipv6_no_port", "https://[::1]", "https://[::1]", 443, ""},
    {"underscore", "http://idp_host/", "http://idp_host", 80, "/"},
    {"digits_in_front", "https://3com.example/", "https://3com.example", 443, "/"},
    {"last_port", "https://h:65535", "https://h:65535", 65535, ""},
};

TEST(Url, Parses) {
  for (const auto& test : kUrlCases) {
    SCOPED_TRACE(test.name);
    const auto url = parse_url(test.text);
    ASSERT_TRUE(url);
    EXPECT_EQ(url->origin(), test.origin);
    EXPECT_EQ(url->port, test.port);
    EXPECT_EQ(url->path, test.path);
  }
}

TEST(Url, RefusesOtherUrls) {
  constexpr std::string_view kBad[] = {
      "", "https", "https:", "https://", "https:///path", "https:host", "https:/host",
      "//host/path", "/path", "host", "ftp://host/", "javascript:alert(1)", "data:text/html,x",
      "javascript://host/%0aalert(1)", " https://host", "https://host ", "https://ho st/",
      "https://host/a b", "https://host/\n", "https://host/\r\nX: y", "https://host/\0"sv,
      "https://host/\x7f", "https://host/\xc3\xa9", "https://h\xc3\xb6st/", "https://host/#frag",
      "https://host#frag", "https://user@host/", "https://user:pass@host/", "https://@host/",
      "https://ours@evil/", "https://host\\@evil/", "https:\\\\host", "https://host/\\x",
      "https://host/\"", "https://host/'", "https://host/<x>", "https://host:", "https://host:/",
      "https://host:0/", "https://host:65536/", "https://host:99999999999/", "https://host:+1/",
      "https://host:-1/", "https://host:8x/", "https://host:1:2/", "https://:443/", "https://.host",
      "https://host./", "https://a..b/", "https://h%6fst/", "https://host,other/", "https://*.x/",
      "https://[::1/", "https://::1/", "https://[::1]x/", "https://[]/", "https://[x]/",
      "https://[fe80::1%25eth0]/", "https://[127.0.0.1]/", "https://127.1/", "https://2130706433/",
      "https://0x7f.0.0.1/", "https://0x7f000001/", "https://1.2.3.4.5/", "https://256.1.1.1/",
      "https://x.0x/", "https://a]b/", "https://]/",
  };
  for (const std::string_view text : kBad) EXPECT_FALSE(parse_url(text)) << text;
  EXPECT_FALSE(parse_url("https://" + std::string(64, 'a') + ".example/"));
  EXPECT_TRUE(parse_url("https://" + std::string(63, 'a') + ".example/"));
  std::string long_host;
  while (long_host.size() < 254) long_host += "abcdefghi.";
  EXPECT_FALSE(parse_url("https://" + long_host + "example/"));
}

TEST(LocalPath, OrdinaryPathsStay) {
  constexpr std::string_view kGood[] = {
      "/", "/a", "/a/b/", "/index.html?x=1&y=2", "/?", "/?next=https://elsewhere/",
      "/?next=//elsewhere", "/a//b", "/a/../b", "/%E4%BD%A0", "/a%2fb", "/a%5Cb", "/a?q=%0d%0a",
      "/a%0d%0aX-Y:z", "/.", "/..", "/.well-known/x", "/..a", "/...//x", "/~user", "/@user",
      "/:80/", "/%", "/%zz", "/%2", "/a%09", "/%20", "/#/route", "/a#b", "/;x", "/%25", "/%2525",
      "/%2e", "/%2e%2ex", "/javascript:alert(1)", "/http://elsewhere", "/*", "/'", "/.?//x",
      "/.#//x",
  };
  for (const std::string_view path : kGood) EXPECT_TRUE(is_local_path(path)) << path;
}

TEST(LocalPath, WhatLeadsAwayIsRefused) {
  constexpr std::string_view kBad[] = {
      // not a path
      "", "a", ".", "..", "./a", "../a", "?a", "#a", "*", "%2f", "%2f%2fevil", " /a", "\t/a",
      "http://evil", "https://evil/", "http:evil", "http:/evil", "https:evil", "https:%5c%5cevil",
      "HTTPS://evil", "javascript:alert(1)", "javascript://x/%0aalert(1)", "data:text/html,x",
      "vbscript:x", "https://ours@evil", "https://ours.evil", "evil.example", "\xef\xbb\xbf/a",
      // another authority
      "//", "//evil", "///evil", "////evil", "//evil@ours/", "//ours@evil", "//evil/%2f..",
      // a browser's other slash
      "/\\evil", "/\\/evil", "\\evil", "\\\\evil", "\\/evil", "/\\\\evil", "//\\evil", "/a\\b",
      "/a?x=\\",
      // what browsers drop from the middle
      "/\tevil", "/\t/evil", "/\n/evil", "/\r/evil", "/\r\n/evil", "\n//evil", "/a\n", "/a\tb",
      "/ /evil", "/a b", "/a ", "/\v/evil", "/\f/evil", "/\x01/evil", "/\x1f/evil", "/\x7f/evil",
      "/\0/evil"sv, "/a\0"sv, "/\0"sv,
      // header and body injection
      "/a\r\nSet-Cookie: x=y", "/a\nX: y", "/a\rX: y", "/\xe2\x80\xa8", "/a\x80", "/a\xff",
      "/\xc2\x85", "/\xe5\x98\x8a\xe5\x98\x8d",
      // encoded slashes and controls in front
      "/%2f", "/%2F", "/%2fevil", "/%2f%2fevil", "/%2F/evil", "/%5c", "/%5Cevil", "/%5c%5cevil",
      "/%5c/evil", "/%09/evil", "/%09//evil", "/%0a/evil", "/%0d%0a/evil", "/%00/evil", "/%00",
      "/%1f/evil", "/%7f/evil", "/%0d%0aLocation:evil",
      // behind dot segments, which are resolved away
      "/.//evil", "/..//evil", "/.///evil", "/././/evil", "/../..//evil", "/%2e//evil",
      "/%2E%2e//evil", "/.%2e//evil", "/.%2f/evil", "/..%2f%2fevil", "/./%2fevil", "/.%5c/evil",
      "/./%5cevil", "/.%09/evil", "/..%00//evil", "/./%09/evil",
      // dots of other scripts are not ASCII
      "/\xe3\x80\x82/evil", "//evil\xe3\x80\x82" "com", "/\xef\xbc\x8f" "evil",
  };
  for (const std::string_view path : kBad) EXPECT_FALSE(is_local_path(path)) << log_escape(path);
}

// Every single byte, plain and encoded, between the first slash and a would-be authority.
TEST(LocalPath, EveryByteInFrontOfASlash) {
  for (int c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    const bool refused_encoded = c < 0x20 || c == 0x7F || c == '/' || c == '\\' || c == '.';
    const bool refused_plain = refused_encoded || c == ' ' || c > 0x7E;
    std::string plain = "/";
    plain += byte;
    EXPECT_EQ(is_local_path(plain + "//evil"), !refused_plain) << c;
    const std::string encoded = "/%" + hex_encode({&byte, 1});
    EXPECT_EQ(is_local_path(encoded + "//evil"), !refused_encoded) << c;
  }
}

struct ReturnCase {
  const char* name;
  std::string_view request_uri;
  std::size_t max;
  std::string_view path;
};

constexpr ReturnCase kReturnCases[] = {
    {"itself", "/a/b?c=d&e=%20f", 1500, "/a/b?c=d&e=%20f"},
    {"root", "/", 1500, "/"},
    {"empty", "", 1500, "/"},
    {"exactly_max", "/a?bcdef", 8, "/a?bcdef"},
    {"query_cut", "/a?bcdef", 7, "/a"},
    {"path_too_long", "/abcdef?x", 6, "/"},
    {"zero", "/a", 0, "/"},
    {"utf8", "/caf\xc3\xa9?q=\xe2\x82\xac", 1500, "/caf%C3%A9?q=%E2%82%AC"},
    {"not_utf8", "/\xff", 1500, "/%FF"},
    {"quotes", "/O'Brien?q=\"x\"", 1500, "/O'Brien?q=%22x%22"},
    {"raw_query", R"(/a?re=\d<3>)", 1500, "/a?re=%5Cd%3C3%3E"},
    {"delete", "/a\x7f", 1500, "/a%7F"},
    {"encoded_too_long", "/a?\xc3\xa9", 8, "/a"},
    {"encoded_stays_encoded", "/a%0d%0ab", 1500, "/a%0d%0ab"},
    {"other_authority", "//evil/a?b", 1500, "/"},
    {"three_slashes", "///evil", 1500, "/"},
    {"backslash", "/\\evil", 1500, "/"},
    {"backslash_slash", "/\\/evil", 1500, "/"},
    {"absolute", "http://evil/", 1500, "/"},
    {"star", "*", 1500, "/"},
    {"control_in_path", "/a\rb", 1500, "/"},
    {"control_in_query", "/a?x\ny", 1500, "/a"},
    {"blank_in_query", "/a?x y", 1500, "/a"},
    {"nul_in_query", "/a?\0"sv, 1500, "/a"},
    {"next_line", "/a\xc2\x85", 1500, "/a%C2%85"},
    {"line_separator", "/a?\xe2\x80\xa8", 1500, "/a?%E2%80%A8"},
    {"evil_query_is_only_text", "/a?next=//evil", 1500, "/a?next=//evil"},
};

TEST(ReturnPath, Cases) {
  for (const auto& test : kReturnCases) {
    SCOPED_TRACE(test.name);
    const std::string path = return_path(test.request_uri, test.max);
    EXPECT_EQ(path, test.path);
    EXPECT_TRUE(is_local_path(path));
  }
}

TEST(ReturnPath, OfAReturnPathIsItself) {
  for (const auto& test : kReturnCases) {
    const std::string once = return_path(test.request_uri, 1500);
    EXPECT_EQ(return_path(once, 1500), once) << test.name;
  }
  EXPECT_EQ(return_path("/" + std::string(1499, 'a'), 1500).size(), 1500u);
  EXPECT_EQ(return_path("/" + std::string(1500, 'a'), 1500), "/");
}

TEST(AppendQuery, ChoosesTheSeparator) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"https://h/sso", "https://h/sso?SAMLRequest=x%2B"},
      {"https://h/sso?a=b", "https://h/sso?a=b&SAMLRequest=x%2B"},
      {"https://h/sso?", "https://h/sso?SAMLRequest=x%2B"},
      {"https://h/sso?a=b&", "https://h/sso?a=b&SAMLRequest=x%2B"},
  };
  for (auto [url, expected] : cases) {
    append_query(url, "SAMLRequest", "x%2B");
    EXPECT_EQ(url, expected);
  }
}

}  // namespace
}  // namespace sallyport
