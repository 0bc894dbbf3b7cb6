#include "login/gate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policy/identity_headers.h"

namespace sallyport::login {
namespace {

RequestTraits with_method(std::string_view method) {
  RequestTraits request;
  request.method = method;
  return request;
}

struct ClientCase {
  const char* name;
  RequestTraits request;
  ClientKind expected;
};

// method, mode, dest, x-requested-with, accept, upgrade, content type
RequestTraits request(std::string_view method, std::string_view mode = {},
                      std::string_view dest = {}, std::string_view requested_with = {},
                      std::string_view accept = {}, std::string_view upgrade = {},
                      std::string_view content_type = {}) {
  RequestTraits traits = with_method(method);
  traits.sec_fetch_mode = mode;
  traits.sec_fetch_dest = dest;
  traits.x_requested_with = requested_with;
  traits.accept = accept;
  traits.upgrade = upgrade;
  traits.content_type = content_type;
  return traits;
}

RequestTraits accepting(std::string_view accept) { return request("GET", {}, {}, {}, accept); }

class ClientTest : public ::testing::TestWithParam<ClientCase> {};

TEST_P(ClientTest, IsTold) {
  EXPECT_EQ(classify_client(GetParam().request), GetParam().expected);
}

constexpr auto kPage = ClientKind::kNavigation;
constexpr auto kForm = ClientKind::kFormPost;
constexpr auto kProgram = ClientKind::kProgram;
constexpr std::string_view kForms = "application/x-www-form-urlencoded";

const ClientCase kClientCases[] = {
    // Fetch Metadata decides.
    {"BrowserPage", request("GET", "navigate", "document", {}, "text/html"), kPage},
    {"BrowserHead", request("HEAD", "navigate", "document"), kPage},
    {"BrowserIframe", request("GET", "navigate", "iframe"), kPage},
    {"BrowserFrame", request("GET", "navigate", "frame"), kPage},
    {"NavigateWithoutDest", request("GET", "navigate"), kPage},
    {"NavigateIgnoresAccept", request("GET", "navigate", "document", {}, "image/png"), kPage},
    {"BrowserForm", request("POST", "navigate", "document", {}, "text/html", {}, kForms), kForm},
    {"NavigateWithOtherMethod", request("PUT", "navigate", "document"), kForm},
    {"Fetch", request("GET", "cors", "empty", {}, "*/*"), kProgram},
    {"FetchSameOrigin", request("GET", "same-origin", "empty", {}, "text/html"), kProgram},
    {"Image", request("GET", "no-cors", "image", {}, "image/avif,*/*"), kProgram},
    {"WebSocketMode", request("GET", "websocket", "empty"), kProgram},
    {"UnknownMode", request("GET", "teleport", "document"), kProgram},
    {"EmbeddedObject", request("GET", "navigate", "object"), kProgram},
    {"DestAloneIsEnough", request("GET", {}, "script", {}, "*/*"), kProgram},
    {"ModeInUpperCase", request("GET", "NAVIGATE", "DOCUMENT"), kPage},
    // Without it.
    {"OldXhr", request("GET", {}, {}, "XMLHttpRequest", "text/html"), kProgram},
    {"OldXhrLowerCase", request("GET", {}, {}, "xmlhttprequest"), kProgram},
    {"OtherRequestedWith", request("GET", {}, {}, "com.example.app", "text/html"), kPage},
    {"NoAccept", accepting(""), kPage},
    {"BlankAccept", accepting(" "), kPage},
    {"AnyAccept", accepting("*/*"), kPage},
    {"Html", accepting("text/html"), kPage},
    {"HtmlInUpperCase", accepting("TEXT/HTML"), kPage},
    {"Xhtml", accepting("application/xhtml+xml"), kPage},
    {"AnyText", accepting("text/*;q=0.1"), kPage},
    {"BrowserList", accepting("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
     kPage},
    {"Json", accepting("application/json"), kProgram},
    {"JsonThenAnything", accepting("application/json, text/plain, */*"), kPage},
    {"EventStream", accepting("text/event-stream"), kProgram},
    {"HtmlRefused", accepting("application/json, text/html;q=0"), kProgram},
    {"HtmlRefusedInFull", accepting("text/html; level=1 ; Q=0.000"), kProgram},
    {"HtmlHardlyWanted", accepting("text/html;q=0.001"), kPage},
    {"NameThatBeginsLikeHtml", accepting("text/html5"), kProgram},
    {"Commas", accepting(",,,"), kProgram},
    {"FormPost", request("POST", {}, {}, {}, "text/html,*/*", {}, kForms), kForm},
    {"PostFromAProgram", request("POST", {}, {}, {}, "application/json"), kProgram},
    {"Put", request("PUT", {}, {}, {}, "*/*"), kProgram},
    {"Delete", request("DELETE"), kProgram},
    {"Patch", request("PATCH"), kProgram},
    {"Options", request("OPTIONS", {}, {}, {}, "*/*"), kProgram},
    {"Propfind", request("PROPFIND"), kProgram},
    {"MethodsHaveCase", request("get"), kProgram},
    // What cannot follow a redirect at all.
    {"WebSocket", request("GET", {}, {}, {}, {}, "websocket"), kProgram},
    {"WebSocketUpperCase", request("GET", {}, {}, {}, {}, "WebSocket"), kProgram},
    {"WebSocketInAList", request("GET", {}, {}, {}, {}, "h2c, websocket/13"), kProgram},
    {"OtherUpgrade", request("GET", {}, {}, {}, "text/html", "h2c"), kPage},
    {"Grpc", request("POST", {}, {}, {}, "*/*", {}, "application/grpc"), kProgram},
    {"GrpcWeb", request("POST", {}, {}, {}, "*/*", {}, "application/grpc-web+proto"), kProgram},
};

INSTANTIATE_TEST_SUITE_P(Gate, ClientTest, ::testing::ValuesIn(kClientCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GateTest, ALoginIsFreshUntilItsAgeIsPast) {
  constexpr Millis kThen = 1'700'000'000'000;
  constexpr Millis kAge = 5 * kMinute;
  constexpr Millis kSkew = 3 * kMinute;
  const auto fresh = [](Millis received, Millis now, Millis age) {
    return is_fresh({kThen, received}, age, kSkew, now);
  };
  for (const Millis received : {kThen - kSkew, kThen, kThen + kSkew}) {
    EXPECT_TRUE(fresh(received, received, kAge));
    EXPECT_TRUE(fresh(received, received - kHour, kAge)) << "the clock was set back";
    EXPECT_TRUE(fresh(received, received + kAge - 1, kAge)) << "the IdP's clock counts for nothing";
    EXPECT_FALSE(fresh(received, received + kAge, kAge));
    EXPECT_TRUE(fresh(received, received + 999, 1000)) << "shorter than the skew";
    EXPECT_FALSE(fresh(received, received + 1000, 1000));
  }
  const Millis late = kThen + kSkew + 1;
  EXPECT_TRUE(fresh(late, late, kAge)) << "the IdP remembered the user";
  EXPECT_FALSE(fresh(late, late, kSkew));
  EXPECT_TRUE(fresh(late, kThen + kAge - 1, kAge));
  EXPECT_FALSE(fresh(late, kThen + kAge, kAge));
  EXPECT_TRUE(fresh(late, late + 1000 * kHour, 0)) << "off";
}

TEST(GateTest, APreflightHasAllThreeMarks) {
  RequestTraits preflight = with_method("OPTIONS");
  preflight.origin = "https://other.example";
  preflight.access_control_request_method = "PUT";
  EXPECT_TRUE(is_preflight(preflight));
  RequestTraits without = preflight;
  without.origin = {};
  EXPECT_FALSE(is_preflight(without));
  without = preflight;
  without.access_control_request_method = {};
  EXPECT_FALSE(is_preflight(without));
  without = preflight;
  without.method = "GET";
  EXPECT_FALSE(is_preflight(without));
}

std::string sample_record() {
  using session::Field;
  session::RecordBuilder record;
  record.set_times(1000, 900, 2000);
  record.set(Field::kUser, policy::encode_value("J\xC3\xBCrgen, the 1st"));
  record.set(Field::kEmail, "Alice@Example.com");
  record.set(Field::kIdp, "okta");
  record.set(Field::kSpaces, policy::encode_spaces({{"Trial", "Space Member"},
                                                    {"Dev", ""},
                                                    {"urn:x:ops", "Admin"}}));
  record.set(Field::kRoles, "Space Member,Admin");
  record.set(Field::kGroups, policy::encode_list({"CN=Ops,OU=IT", "Dev"}));
  record.add_attribute("urn:dept", policy::encode_list({"R&D", "IT"}));
  return record.build().value_or("");
}

struct MeetsCase {
  const char* name;
  RequireKey key;
  const char* attribute;
  const char* value;
  const char* active_space;
  bool expected;
};

class MeetsTest : public ::testing::TestWithParam<MeetsCase> {};

TEST_P(MeetsTest, IsAsTheRecordSays) {
  const std::string bytes = sample_record();
  const auto record = session::RecordView::open(bytes);
  ASSERT_TRUE(record.has_value());
  const MeetsCase& test = GetParam();
  EXPECT_EQ(meets({test.key, test.attribute, test.value, test.active_space}, *record),
            test.expected);
}

const MeetsCase kMeetsCases[] = {
    {"User", RequireKey::kUser, "", "J\xC3\xBCrgen, the 1st", "", true},
    {"UserEncodedIsNotPlain", RequireKey::kUser, "", "J%C3%BCrgen, the 1st", "", false},
    {"UserHasCase", RequireKey::kUser, "", "j\xC3\xBCrgen, the 1st", "", false},
    {"EmptyUser", RequireKey::kUser, "", "", "", false},
    {"Email", RequireKey::kEmail, "", "alice@example.COM", "", true},
    {"OtherEmail", RequireKey::kEmail, "", "alice@example.co", "", false},
    {"Idp", RequireKey::kIdp, "", "okta", "", true},
    {"OtherIdp", RequireKey::kIdp, "", "oktaa", "", false},
    {"Space", RequireKey::kSpace, "", "Trial", "", true},
    {"SpaceWithoutRole", RequireKey::kSpace, "", "Dev", "", true},
    {"OtherSpace", RequireKey::kSpace, "", "Tri", "", false},
    {"SpaceAndRole", RequireKey::kSpace, "", "Trial:Space Member", "", true},
    {"RoleOfAnotherSpace", RequireKey::kSpace, "", "Trial:Admin", "", false},
    {"TheLastColonCounts", RequireKey::kSpace, "", "urn:x:ops:Admin", "", true},
    {"EmptyRoleMatchesNothing", RequireKey::kSpace, "", "Trial:", "", false},
    {"EmptyRoleOfARolelessSpace", RequireKey::kSpace, "", "Dev:", "", false},
    {"EmptySpaceMatchesNothing", RequireKey::kSpace, "", ":Admin", "", false},
    {"Colon", RequireKey::kSpace, "", ":", "", false},
    {"EmptySpace", RequireKey::kSpace, "", "", "", false},
    {"RoleInAnySpace", RequireKey::kRole, "", "Admin", "", true},
    {"RoleInTheActiveSpace", RequireKey::kRole, "", "Space Member", "Trial", true},
    {"RoleInAnotherSpaceOnly", RequireKey::kRole, "", "Admin", "Trial", false},
    {"RoleInAnUnknownSpace", RequireKey::kRole, "", "Admin", "Ops", false},
    {"EmptyRole", RequireKey::kRole, "", "", "Dev", false},
    {"Group", RequireKey::kGroup, "", "CN=Ops,OU=IT", "", true},
    {"PartOfAGroup", RequireKey::kGroup, "", "CN=Ops", "", false},
    {"Attribute", RequireKey::kAttribute, "urn:dept", "R&D", "", true},
    {"AttributeSecondValue", RequireKey::kAttribute, "urn:dept", "IT", "", true},
    {"AttributeOtherValue", RequireKey::kAttribute, "urn:dept", "HR", "", false},
    {"AttributeEmptyValue", RequireKey::kAttribute, "urn:dept", "", "", false},
    {"AttributeNotSent", RequireKey::kAttribute, "dept", "IT", "", false},
};

INSTANTIATE_TEST_SUITE_P(Gate, MeetsTest, ::testing::ValuesIn(kMeetsCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GateTest, DescribesALine) {
  EXPECT_EQ(describe({{RequireKey::kSpace, "", "Trial:Admin"}, {RequireKey::kGroup, "", "Ops"}}),
            "space=Trial:Admin or group=Ops");
  EXPECT_EQ(describe({{RequireKey::kAttribute, "urn:dept", "IT"}}), "attr:urn:dept=IT");
  EXPECT_EQ(describe({{RequireKey::kUser, "", "a\r\nb"}}), "user=a\r\nb") << "the logger escapes";
  EXPECT_EQ(describe({}), "");
}

TEST(GateTest, DescribesALineInWords) {
  const Requirement in_space{RequireKey::kRole, "", "Admin", "Trial"};
  EXPECT_EQ(describe_in_words({{RequireKey::kSpace, "", "Trial:Space Admin"}, {RequireKey::kGroup, "", "Ops"}}),
            "the role \"Space Admin\" in the space \"Trial\", or the group \"Ops\"");
  EXPECT_EQ(describe_in_words({{RequireKey::kSpace, "", "Trial"}}), "the space \"Trial\"");
  EXPECT_EQ(describe_in_words({{RequireKey::kRole, "", "Admin"}, in_space}),
            "the role \"Admin\", or the role \"Admin\" in the space \"Trial\"");
  EXPECT_EQ(describe_in_words({{RequireKey::kUser, "", "ada"}, {RequireKey::kEmail, "", "a@example.com"}}),
            "to be the user \"ada\", or the e-mail address \"a@example.com\"");
  EXPECT_EQ(describe_in_words({{RequireKey::kIdp, "", "okta"}, {RequireKey::kAttribute, "urn:dept", "IT"}}),
            "a login through \"okta\", or the value \"IT\" of the attribute \"urn:dept\"");
  EXPECT_EQ(describe_in_words({{RequireKey::kGroup, "", ""}}), "");
  EXPECT_EQ(describe_in_words({{RequireKey::kSpace, "", ":Admin"}}), "");
}

}  // namespace
}  // namespace sallyport::login
