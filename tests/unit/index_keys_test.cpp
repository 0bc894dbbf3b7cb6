#include "session/index_keys.h"

#include <gtest/gtest.h>

#include <set>

namespace sallyport::session {
namespace {

Digest secret_of(std::uint8_t byte) {
  Digest secret;
  secret.fill(byte);
  return secret;
}

saml::NameId name_id(std::string value, std::string qualifier = "", std::string sp_qualifier = "") {
  saml::NameId id;
  id.value = std::move(value);
  id.name_qualifier = std::move(qualifier);
  id.sp_name_qualifier = std::move(sp_qualifier);
  return id;
}

TEST(IndexKeysTest, TheSameIsFoundAgain) {
  const IndexKeys one(secret_of(1));
  const IndexKeys same(secret_of(1));
  EXPECT_EQ(one.of_user("okta", "ada"), same.of_user("okta", "ada"));
  EXPECT_EQ(one.of_idp_session("idp", name_id("ada"), "_1"), same.of_idp_session("idp", name_id("ada"), "_1"));
}

TEST(IndexKeysTest, AnythingElseIsAnotherKey) {
  const IndexKeys keys(secret_of(1));
  const IndexKeys other(secret_of(2));
  const std::set<Digest> all = {
      keys.of_user("okta", "ada"),
      keys.of_user("okt", "aada"),
      keys.of_user("oktaada", ""),
      keys.of_user("adfs", "ada"),
      other.of_user("okta", "ada"),
      keys.of_idp_session("okta", name_id("ada"), ""),
      keys.of_idp_session("okta", name_id("ada"), "_1"),
      keys.of_idp_session("okta", name_id("ad"), "a_1"),
      keys.of_idp_session("okta", name_id("ada", "q"), "_1"),
      keys.of_idp_session("okta", name_id("ada", "", "q"), "_1"),
      keys.of_idp_session("other", name_id("ada"), "_1"),
      other.of_idp_session("okta", name_id("ada"), "_1"),
  };
  EXPECT_EQ(12u, all.size());
}

}  // namespace
}  // namespace sallyport::session
