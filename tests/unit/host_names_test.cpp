#include "base/host_names.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

HostNames names(std::initializer_list<std::string_view> all) {
  HostNames out;
  for (const std::string_view each : all) out.add(each);
  return out;
}

TEST(HostNames, BelowADomain) {
  for (const std::string_view host : {"example.com", "a.example.com", "a.b.example.com"}) {
    EXPECT_TRUE(is_in_domain(host, "example.com")) << host;
  }
  for (const std::string_view host : {"", "com", "xample.com", "aexample.com", "example.com.", "example.org", "a.example.com.test"}) {
    EXPECT_FALSE(is_in_domain(host, "example.com")) << host;
  }
}

TEST(HostNames, ExactOnes) {
  const HostNames own = names({"app.example.com", "www.example.com"});
  EXPECT_TRUE(own.has("app.example.com"));
  EXPECT_TRUE(own.covers("www.example.com"));
  for (const std::string_view other : {"example.com", "x.app.example.com", "app.example.co", "app.example.comx", ""}) {
    EXPECT_FALSE(own.covers(other)) << other;
  }
}

// As nginx takes them (server_name).
TEST(HostNames, Wildcards) {
  const HostNames star = names({"*.example.com"});
  EXPECT_TRUE(star.covers("a.example.com"));
  EXPECT_TRUE(star.covers("a.b.example.com"));
  for (const std::string_view other : {"example.com", ".example.com", "aexample.com", "a.example.com.evil.test"}) {
    EXPECT_FALSE(star.covers(other)) << other;
  }
  EXPECT_FALSE(star.has("a.example.com"));
  const HostNames both = names({".example.com"});
  EXPECT_TRUE(both.covers("a.example.com"));
  EXPECT_TRUE(both.covers("example.com"));
  EXPECT_TRUE(both.has("example.com"));
  const HostNames prefix = names({"www.example.*"});
  EXPECT_TRUE(prefix.covers("www.example.com"));
  EXPECT_TRUE(prefix.covers("www.example.co.uk"));
  for (const std::string_view other : {"www.example.", "www.example", "xwww.example.com", "www.examples.com"}) {
    EXPECT_FALSE(prefix.covers(other)) << other;
  }
}

TEST(HostNames, NobodysNames) {
  const HostNames none = names({"", "_"});
  EXPECT_FALSE(none.covers(""));
  EXPECT_FALSE(none.covers("_"));
}

TEST(HostNames, WhetherThereIsOneHost) {
  EXPECT_TRUE(names({}).is_single());
  EXPECT_TRUE(names({"a.example.com", "_", "a.example.com"}).is_single());
  EXPECT_FALSE(names({"a.example.com", "b.example.com"}).is_single());
  EXPECT_FALSE(names({"*.example.com"}).is_single());
  EXPECT_FALSE(names({".example.com"}).is_single());
  EXPECT_FALSE(names({"www.*"}).is_single());
}

TEST(HostNames, WhatMayStandInAnAddress) {
  for (const std::string_view good : {"a", "a-b.example.com", "127.0.0.1", "a_b.example"}) EXPECT_TRUE(is_plain_host(good)) << good;
  for (const std::string_view bad : {"", "a b", "a\"b", "a:1", "a/b", "a@b", "A", "a<b", "[::1]", "m\xC3\xBCnchen"}) {
    EXPECT_FALSE(is_plain_host(bad)) << bad;
  }
  EXPECT_FALSE(is_plain_host(std::string(254, 'a')));
}

}  // namespace
}  // namespace sallyport
