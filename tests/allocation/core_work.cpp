#include "core_work.h"

#include <memory>

#include "fixed_random.h"
#include "login/begin_login.h"
#include "login/resolve_again.h"
#include "login/resolve_login.h"
#include "login_fixture.h"
#include "login_work.h"
#include "policy/identity_headers.h"
#include "policy_fixture.h"
#include "saml/claimed_issuer.h"
#include "session/handover.h"
#include "xml/names.h"
#include "xml/signature.h"

namespace sallyport::testing {

using login_test::response_xml;
using login_test::ResponseText;
using login_test::Signed;
using test::replaced;

std::string refused(const Error& error) { return "refused " + std::string(reason_word(error.reason)); }

// ---- answers ----

Work login_work(std::string name, const std::string& message, const Identity& idp,
                const std::function<void(login::Trust&)>& change) {
  const auto trust = std::make_shared<login::Trust>(login_test::make_trust(idp));
  trust->decryption_keys = {{rsa_identity().key, rsa_identity().certificate}};
  if (change) change(*trust);
  return {"login: " + std::move(name), [trust, posted = base64_encode(message)] {
            login::FinishLogin input;
            input.trust = trust.get();
            input.saml_response = posted;
            input.request_id = login_test::kRequestId;
            input.now = login_test::kNow;
            const auto login = login::finish_login(input);
            return login.ok() ? "accepted " + login->record : refused(login.error());
          }};
}

namespace {

std::string with_forged_assertion(const std::string& message) {
  ResponseText forged = login_test::company_response();
  forged.assertion_id = "_forged";
  forged.name_id = "admin";
  return replaced(message, "<saml:Assertion",
                  login_test::assertion_xml(forged) + "<saml:Assertion");
}

std::string for_another_audience(Signed what) {
  ResponseText text = login_test::company_response();
  text.audience = "https://other.example.com";
  return response_xml(text, what);
}

Work unsolicited_login(std::string name, const std::string& message, bool is_allowed) {
  const auto trust = std::make_shared<login::Trust>(login_test::make_trust(rsa_identity()));
  trust->allow_unsolicited = is_allowed;
  return {"login: " + std::move(name), [trust, posted = base64_encode(message)] {
            login::FinishLogin input;
            input.trust = trust.get();
            input.saml_response = posted;
            input.now = login_test::kNow;
            const auto login = login::finish_login(input);
            return login.ok() ? "accepted " + login->record : refused(login.error());
          }};
}

std::string claimed(const std::string& message) {
  const auto issuer = saml::claimed_issuer(message, xml::message_limits(256 * 1024));
  if (!issuer.ok()) return refused(issuer.error());
  return "accepted " + issuer->value_or("nobody");
}

// Answers that nobody asked for: first whom they are from.
void add_unsolicited(std::vector<Work>& all) {
  ResponseText text;
  text.in_response_to.clear();
  const std::string message = response_xml(text, Signed::kAssertion);
  all.push_back({"unsolicited: whom it claims to be from", [message] { return claimed(message); }});
  all.push_back({"unsolicited: a claim of no form",
                 [text = replaced(message, "<saml:Issuer", "<saml:Issuer Format=\"urn:x\"")] { return claimed(text); }});
  all.push_back(unsolicited_login("unsolicited", message, true));
  all.push_back(unsolicited_login("unsolicited, where it may not be", message, false));
}

void add_logins(std::vector<Work>& all) {
  struct Place {
    const char* name;
    Signed what;
  };
  const Place places[] = {{"Assertion signed", Signed::kAssertion},
                          {"Response signed", Signed::kResponse},
                          {"both signed", Signed::kBoth}};
  for (const auto& [place, what] : places) {
    const std::string name = place;
    const std::string good = response_xml(login_test::company_response(), what);
    all.push_back(login_work(name, good, rsa_identity()));
    all.push_back(login_work(name + ", by EC",
                             response_xml(login_test::company_response(), what, ec_identity()),
                             ec_identity()));
    all.push_back(login_work(name + ", changed", replaced(good, ">alice<", ">admin<"),
                             rsa_identity()));
    all.push_back(login_work(name + ", by another key", good, other_rsa_identity()));
    all.push_back(login_work(name + ", forged one beside it", with_forged_assertion(good),
                             rsa_identity()));
    all.push_back(login_work(name + ", for another", for_another_audience(what), rsa_identity()));
  }
  const std::string unsigned_one = response_xml(login_test::company_response(), Signed::kNothing);
  all.push_back(login_work("unsigned", unsigned_one, rsa_identity()));
  all.push_back(login_work("comment", replaced(unsigned_one, ">alice<", ">ali<!---->ce<"),
                           rsa_identity()));
}

// ---- requests ----

// Of a posted request all but its signature, which may be written in several ways.
std::string describe_posted(const std::string& page) {
  constexpr std::string_view kField = "name=\"SAMLRequest\" value=\"";
  if (page.find(kField) == page.npos) return page;
  const std::size_t from = page.find(kField) + kField.size();
  const std::size_t to = page.find('"', from);
  const auto document = xml::Document::parse(
      base64_decode(page.substr(from, to - from)).value_or(""), xml::Limits());
  if (!document.ok()) return "a broken request";
  const xml::Element root = document->root();
  std::string text(root.local_name());
  for (const char* name : {"ID", "IssueInstant", "Destination", "AssertionConsumerServiceURL"}) {
    text += ' ' + std::string(root.attribute(name).value_or(""));
  }
  const auto issuer = root.only_child(xml::kNsSaml, "Issuer");
  text += ' ' + std::string(issuer ? issuer->text().value_or("") : "");
  return page.substr(0, from) + text + (xml::is_signed(root) ? " signed" : "") + page.substr(to);
}

// The value of the signature is left out: OpenSSL 3.0 leaves the blinding of an RSA key out of step where it
// has no memory half-way, and the values are wrong, for the IdP to refuse, until it makes a new one.
std::string describe_redirect(const std::string& location) {
  return location.substr(0, location.find("&Signature="));
}

Work request_work(std::string name, saml::Binding binding, bool is_signed) {
  const auto trust = std::make_shared<login::Trust>(login_test::make_trust());
  trust->request_binding = binding;
  if (is_signed) {
    trust->signing_key = &rsa_identity().key;
    trust->signing_certificate = &rsa_identity().certificate;
  }
  return {"request: " + std::move(name), [trust] {
            session::CookieSettings cookie;
            cookie.name = "__Host-saml_session";
            cookie.secure = true;
            session::LoginStateCodec codec(sha256("secret"));
            CountingRandom random;
            login::BeginLogin request;
            request.trust = trust.get();
            request.site_entity_id = trust->sp_entity_id;
            request.cookie = &cookie;
            request.return_url = "/reports?year=2026";
            request.now = login_test::kNow;
            const auto begun = login::begin_login(request, codec, random);
            if (!begun.ok()) return refused(begun.error());
            return "accepted " + begun->set_cookies.at(0) + begun->page + begun->location;
          },
          binding == saml::Binding::kPost ? describe_posted : describe_redirect,
          is_signed && binding == saml::Binding::kPost};
}

// ---- forms and cookies ----

std::string read_form(const std::string& body) {
  const auto form = login::parse_acs_form(body);
  return form.ok() ? "accepted " + form->saml_response + ' ' + form->relay_state
                   : refused(form.error());
}

constexpr std::string_view kHandle = "AAAAAAAAAAAAAAAA";

std::string sealed_attempt(session::LoginStateCodec& codec) {
  CountingRandom random;
  const session::LoginAttempt attempt{"_q", "okta", "/reports", login_test::kNow};
  return codec.seal_attempt(attempt, login_test::kSpEntityId, kHandle, random).value_or("");
}

std::string open_attempt(const std::string& cookie) {
  session::LoginStateCodec codec(sha256("secret"));
  const auto attempt =
      codec.open_attempt(cookie, login_test::kSpEntityId, kHandle, login_test::kNow);
  if (!attempt) return "refused";
  return "accepted " + attempt->request_id + attempt->idp + attempt->return_url;
}

void add_cookies(std::vector<Work>& all) {
  all.push_back({"cookie: seal", [] {
                   session::LoginStateCodec codec(sha256("secret"));
                   const std::string cookie = sealed_attempt(codec);
                   return cookie.empty() ? "refused" : "accepted " + cookie;
                 }});
  session::LoginStateCodec codec(sha256("secret"));
  const std::string good = sealed_attempt(codec);
  session::LoginStateCodec other_codec(sha256("another secret"));
  const std::string foreign = sealed_attempt(other_codec);
  all.push_back({"cookie: open", [good] { return open_attempt(good); }});
  all.push_back({"cookie: open a foreign one", [foreign] { return open_attempt(foreign); }});
}

std::string sealed_ticket() {
  session::HandoverCodec codec({sha256("secret"), std::nullopt});
  CountingRandom random;
  const session::OriginAttempt origin{"acme.example.com", std::string(kHandle), "_n"};
  const session::LoginTicket ticket{origin, "okta", std::string(43, 'A'), login_test::kNow};
  return codec.seal_ticket(ticket, login_test::kSpEntityId, random).value_or("");
}

void add_tickets(std::vector<Work>& all) {
  all.push_back({"ticket: seal", [] {
                   const std::string ticket = sealed_ticket();
                   return ticket.empty() ? "refused" : "accepted " + ticket;
                 }});
  all.push_back({"ticket: open", [ticket = sealed_ticket()]() -> std::string {
                   session::HandoverCodec codec({sha256("secret"), std::nullopt});
                   const auto opened = codec.open_ticket(ticket, login_test::kSpEntityId, "acme.example.com", login_test::kNow);
                   return opened ? "accepted " + opened->session_id : "refused";
                 }});
}

// ---- policies ----

constexpr char kUsers[] =
    "user alice group=Guests space=DevOps:Developer;\nuser bob disabled;\nuser \"carol x\" idp=okta;\n";

std::shared_ptr<login::Trust> trust_with_policy(bool disables) {
  auto policy = policy_test::example_policy();
  policy->users = std::make_shared<policy::UserList>(
      policy_test::list_of(disables ? "user alice disabled;" : kUsers));
  policy->keeps_first_profile = true;
  policy->digest = policy::digest_of(*policy);
  auto rules = std::make_shared<policy::IdentityRules>(policy_test::rules_with(policy));
  if (!rules->email_domains.add("example.com").ok()) std::abort();
  auto trust = std::make_shared<login::Trust>(login_test::make_trust());
  trust->rules_digest = policy::digest_of(*rules);
  trust->rules = std::move(rules);
  return trust;
}

Work policy_login(std::string name, bool disables) {
  const std::string message =
      base64_encode(response_xml(login_test::company_response(), Signed::kAssertion));
  return {"policy: " + std::move(name), [message, trust = trust_with_policy(disables)] {
            login::FinishLogin input;
            input.trust = trust.get();
            input.saml_response = message;
            input.request_id = login_test::kRequestId;
            input.now = login_test::kNow;
            const auto accepted = login::accept_login(input);
            if (!accepted.ok()) return refused(accepted.error());
            policy::Explanation explanation;
            const auto login = login::resolve_login(input, *accepted, nullptr, &explanation);
            return login.ok() ? "accepted " + login->record : refused(login.error());
          }};
}

Work resolved_again(std::string name, bool disables) {
  const Work login = policy_login("", false);
  const std::string outcome = login.run();
  const std::string record = outcome.substr(outcome.find(' ') + 1);
  return {"policy: " + std::move(name), [record, trust = trust_with_policy(disables)] {
            const auto view = session::RecordView::open(record);
            const auto resolved = login::resolve_again(*view, *trust, nullptr, 1);
            return resolved.ok() ? "accepted " + resolved->record : refused(resolved.error());
          }};
}

std::string read_users(std::string_view text) {
  unsigned line = 0;
  const auto list = policy::UserList::parse(text, line);
  return list.ok() ? "accepted " + std::to_string(list->size()) : refused(list.error());
}

std::string open_memory(session::UserMemoryCodec& codec, const std::string& sealed) {
  const auto memory = codec.open(sealed, codec.key_of(Digest{}, "alice"));
  return memory ? "accepted " + memory->groups : "refused";
}

void add_policies(std::vector<Work>& all) {
  all.push_back(policy_login("login", false));
  all.push_back(policy_login("login of one who is disabled", true));
  all.push_back(resolved_again("session again", false));
  all.push_back(resolved_again("session of one who was disabled", true));
  all.push_back({"policy: users", [] { return read_users(kUsers); }});
  all.push_back({"policy: users, one twice", [] { return read_users("user a;\nuser a;\n"); }});
  const auto codec = std::make_shared<session::UserMemoryCodec>(sha256("secret"));
  session::UserMemory memory;
  memory.groups = "Engineering";
  memory.profile = policy::Profile{"A", "B", "C", "D", "E", {{"Trial", "Admin"}}};
  CountingRandom random;
  const std::string sealed = *codec->seal(memory, codec->key_of(Digest{}, "alice"), random);
  all.push_back({"policy: memory of a user", [codec, sealed] { return open_memory(*codec, sealed); }});
}

}  // namespace

std::vector<Work> core_work() {
  std::vector<Work> all;
  add_logins(all);
  add_unsolicited(all);
  for (const auto& more : {encryption_work(), algorithm_work(), metadata_work()}) all.insert(all.end(), more.begin(), more.end());
  all.push_back(request_work("HTTP-Redirect", saml::Binding::kRedirect, false));
  all.push_back(request_work("HTTP-Redirect, signed", saml::Binding::kRedirect, true));
  all.push_back(request_work("HTTP-POST", saml::Binding::kPost, false));
  all.push_back(request_work("HTTP-POST, signed", saml::Binding::kPost, true));
  all.push_back({"form: read", [] { return read_form("SAMLResponse=YWJj%3D&RelayState=a.b&x=1"); }});
  all.push_back({"form: twice", [] { return read_form("SAMLResponse=YQ&SAMLResponse=Yg"); }});
  add_cookies(all);
  add_tickets(all);
  add_policies(all);
  return all;
}

}  // namespace sallyport::testing
