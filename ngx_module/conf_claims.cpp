// What only one saml_idp may have, so that nobody's users or answers can be taken for another's.
#include "bridge.h"
#include "conf_finish.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

// A domain belongs to one organisation.
bool claim_domain(ngx_conf_t* cf, MainConf& conf, const IdpConf& idp, const std::string& pattern) {
  const auto other = conf.email_domains.add(pattern, idp.name);
  if (!other) return true;
  conf_error(cf, idp.origin,
             "saml_idp " + quoted(idp.name) + ": \"email_domains " + pattern + "\" and \"email_domains " + other->pattern +
                 "\" of saml_idp " + quoted(other->owner) +
                 " have addresses in common: a domain belongs to one IdP, remove one of the two");
  return false;
}

// An unsolicited answer's Issuer tells whose it is.
bool claim_entity(ngx_conf_t* cf, MainConf& conf, const IdpConf& idp) {
  const std::string& entity_id = idp.metadata.entity_id;
  if (!idp.allow_unsolicited.or_default(false) || entity_id.empty()) return true;
  const auto [place, is_new] = conf.unsolicited.try_emplace(entity_id, idp.name);
  if (is_new) return true;
  conf_error(cf, idp.allow_unsolicited.origin,
             "\"allow_unsolicited on\" of saml_idp " + quoted(idp.name) + " and of saml_idp " + quoted(place->second) +
                 ": both have the entity ID " + quoted(entity_id) +
                 ", so nobody could tell whose an answer is; write it in one of them");
  return false;
}

}  // namespace

bool claim(ngx_conf_t* cf, MainConf& conf, const IdpConf& idp) {
  bool is_free = claim_entity(cf, conf, idp);
  for (const std::string& pattern : idp.rules->email_domains.patterns()) {
    is_free = is_free && claim_domain(cf, conf, idp, pattern);
  }
  if (!is_free) release(conf, idp);
  return is_free;
}

void release(MainConf& conf, const IdpConf& idp) {
  for (const std::string& pattern : idp.rules->email_domains.patterns()) conf.email_domains.remove(pattern, idp.name);
  const auto entity = conf.unsolicited.find(idp.metadata.entity_id);
  if (entity != conf.unsolicited.end() && entity->second == idp.name) conf.unsolicited.erase(entity);
}

}  // namespace sallyport::ngx
