// What only one saml_idp may have, so that nobody's users or answers can be taken for another's.
#include "bridge.h"
#include "conf_finish.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

// Several files want it, and none is known to have had it.
bool refuse_undecided(ngx_conf_t* cf, const Origin& origin, const IdpConf& idp, const std::string& what) {
  conf_error(cf, origin,
             what + " of saml_idp " + quoted(idp.name) +
                 " is wanted by other files too, and nobody knows whose it was: remove it from all files but one");
  return false;
}

// A domain belongs to one organisation.
bool claim_domain(ngx_conf_t* cf, MainConf& conf, const IdpConf& idp, const std::string& pattern) {
  const auto other = conf.email_domains.add(pattern, idp.name);
  if (!other) return true;
  if (other->owner == kNobody) return refuse_undecided(cf, idp.origin, idp, "\"email_domains " + pattern + "\"");
  conf_error(cf, idp.origin,
             "saml_idp " + quoted(idp.name) + ": \"email_domains " + pattern + "\" and \"email_domains " + other->pattern +
                 "\" of saml_idp " + quoted(other->owner) +
                 " have addresses in common: a domain belongs to one IdP, remove one of the two");
  return false;
}

// An unsolicited answer's Issuer tells whose it is.
bool claim_entity(ngx_conf_t* cf, MainConf& conf, const IdpConf& idp, const std::string& entity_id) {
  if (entity_id.empty()) return true;
  const auto [place, is_new] = conf.unsolicited.try_emplace(entity_id, idp.name);
  if (is_new) return true;
  const Origin& origin = idp.allow_unsolicited.origin;
  if (place->second == kNobody) {
    return refuse_undecided(cf, origin, idp, "the entity ID " + quoted(entity_id) + " with \"allow_unsolicited on\"");
  }
  conf_error(cf, origin,
             "\"allow_unsolicited on\" of saml_idp " + quoted(idp.name) + " and of saml_idp " + quoted(place->second) +
                 ": both have the entity ID " + quoted(entity_id) +
                 ", so nobody could tell whose an answer is; write it in one of them");
  return false;
}

}  // namespace

Claims claims_of(const IdpConf& idp) {
  const std::vector<std::string>& domains = idp.rules->email_domains.patterns();
  const bool claims_entity = idp.allow_unsolicited.or_default(false);
  return {{domains.begin(), domains.end()}, claims_entity ? idp.metadata.entity_id : std::string()};
}

bool claim(ngx_conf_t* cf, MainConf& conf, const IdpConf& idp) {
  const Claims claims = claims_of(idp);
  bool is_free = claim_entity(cf, conf, idp, claims.entity_id);
  for (const std::string& pattern : claims.domains) is_free = is_free && claim_domain(cf, conf, idp, pattern);
  if (!is_free) release(conf, idp.name, claims);
  return is_free;
}

void release(MainConf& conf, const std::string& name, const Claims& claims) {
  for (const std::string& pattern : claims.domains) conf.email_domains.remove(pattern, name);
  const auto entity = conf.unsolicited.find(claims.entity_id);
  if (entity != conf.unsolicited.end() && entity->second == name) conf.unsolicited.erase(entity);
}

}  // namespace sallyport::ngx
