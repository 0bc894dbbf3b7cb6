#include "login/resolve_again.h"

#include <gtest/gtest.h>

#include "login/resolve_login.h"
#include "login_fixture.h"
#include "policy_fixture.h"

namespace sallyport::login {
namespace {

using login_test::kNow;
using session::Field;
using session::RecordView;

// A session of the company's user, made with the rules of `trust`.
std::string session_of(const Trust& trust, const session::UserMemory* previous = nullptr) {
  login_test::ResponseText text = login_test::company_response();
  const std::string message = base64_encode(login_test::response_xml(text, login_test::Signed::kBoth));
  FinishLogin input;
  input.trust = &trust;
  input.request_id = login_test::kRequestId;
  input.now = kNow;
  input.host = "acme.example.com";
  input.saml_response = message;
  const auto accepted = accept_login(input);
  EXPECT_TRUE(accepted.ok());
  auto login = resolve_login(input, *accepted, previous, nullptr);
  EXPECT_TRUE(login.ok());
  return login->record;
}

Trust trust_with(std::shared_ptr<policy::Policy> policy) {
  Trust trust = login_test::make_trust();
  policy::IdentityRules rules = policy_test::rules_with(policy);
  if (policy != nullptr) policy->digest = policy::digest_of(*policy);
  trust.rules_digest = policy::digest_of(rules);
  trust.rules = std::make_shared<policy::IdentityRules>(std::move(rules));
  return trust;
}

ResolvedAgain resolved_again(const std::string& record, const Trust& trust,
                             const policy::Profile* first = nullptr) {
  auto resolved = resolve_again(*RecordView::open(record), trust, first, 7);
  EXPECT_TRUE(resolved.ok()) << (resolved.ok() ? "" : resolved.error().detail);
  return resolved.ok() ? *resolved : ResolvedAgain();
}

TEST(ResolveAgainTest, EqualsALoginByTheNewRules) {
  const std::string before = session_of(trust_with(nullptr));
  const Trust changed = trust_with(policy_test::example_policy());
  const ResolvedAgain resolved = resolved_again(before, changed);
  const auto view = RecordView::open(resolved.record);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->resolution().rules, changed.rules_digest);
  EXPECT_EQ(view->resolution().generation, 7u);
  const std::string fresh = session_of(changed);
  const auto expected = RecordView::open(fresh);
  for (std::size_t i = 0; i < session::kFieldCount; ++i) {
    EXPECT_EQ(view->field(static_cast<Field>(i)), expected->field(static_cast<Field>(i))) << i;
  }
  ASSERT_EQ(view->attribute_count(), expected->attribute_count());
  for (std::size_t i = 0; i < view->attribute_count(); ++i) {
    EXPECT_EQ(view->attribute(i), expected->attribute(i));
  }
  EXPECT_EQ(view->binding(), expected->binding());
  EXPECT_EQ(view->created(), expected->created());
  EXPECT_EQ(view->authn_instant(), expected->authn_instant());
  EXPECT_EQ(view->expires(), expected->expires());
}

TEST(ResolveAgainTest, SaysWhatChanged) {
  const std::string before = session_of(trust_with(policy_test::example_policy()));
  auto policy = policy_test::example_policy();
  policy->spaces = {};
  policy->spaces.add("Trial", "x");
  policy->roles = {};
  policy->roles.add("Boss", "x");
  policy->roles.set_fallback("Boss");
  EXPECT_EQ(resolved_again(before, trust_with(policy)).changes, "+Trial=Boss -Trial=Member -DevOps=Member");
  EXPECT_EQ(resolved_again(before, trust_with(policy_test::example_policy())).changes, "");
}

TEST(ResolveAgainTest, WhoWouldBeRefusedIsRefused) {
  const std::string before = session_of(trust_with(nullptr));
  auto policy = policy_test::example_policy();
  policy->users = std::make_shared<policy::UserList>(policy_test::list_of("user alice disabled;"));
  const auto resolved = resolve_again(*RecordView::open(before), trust_with(policy), nullptr, 1);
  ASSERT_FALSE(resolved.ok());
  EXPECT_EQ(resolved.error().reason, Reason::kUserDisabled);
}

TEST(ResolveAgainTest, AnotherUserIsAnEnd) {
  const std::string before = session_of(trust_with(nullptr));
  Trust changed = trust_with(nullptr);
  policy::IdentityRules rules = *changed.rules;
  rules.user_source = "email";
  changed.rules = std::make_shared<policy::IdentityRules>(rules);
  const auto resolved = resolve_again(*RecordView::open(before), changed, nullptr, 1);
  ASSERT_FALSE(resolved.ok());
  EXPECT_EQ(resolved.error().reason, Reason::kNoUser);
}

TEST(ResolveAgainTest, TheFirstProfileCounts) {
  auto policy = policy_test::example_policy();
  policy->keeps_first_profile = true;
  const Trust trust = trust_with(policy);
  session::UserMemory previous;
  previous.profile = policy::Profile{"First", "", "", "", "", {{"Trial", "Admin"}}};
  const std::string before = session_of(trust, &previous);
  EXPECT_EQ(RecordView::open(before)->field(Field::kFirstName), "First");
  const ResolvedAgain resolved = resolved_again(before, trust, &*previous.profile);
  EXPECT_EQ(RecordView::open(resolved.record)->field(Field::kFirstName), "First");
  EXPECT_EQ(RecordView::open(resolved.record)->field(Field::kSpaces), "Trial=Admin");
  EXPECT_EQ(resolved.changes, "");
}

}  // namespace
}  // namespace sallyport::login
