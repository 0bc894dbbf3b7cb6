// The steps of finish_configuration, each with the whole configuration in view. False after a
// message.
#pragma once

#include "ngx.h"

#include "conf.h"
#include "idp_block.h"
#include "owners_memory.h"

namespace sallyport::ngx {

// conf_checks.cpp: which locations ask for a login, which servers and whether any; and mistakes
// between the directives of one location.
void find_active(MainConf& conf);
bool check_locations(ngx_conf_t* cf, const MainConf& conf, const LocConf* http_level);

// conf_requirements.cpp: names in saml_require that no policy knows.
void warn_of_unknown_names(ngx_conf_t* cf, const MainConf& conf);

// conf_shared_acs.cpp: which servers have their logins carried out by that of their saml_base_url, and mistakes between
// the two.
void find_shared_acs(ngx_conf_t* cf, MainConf& conf);
bool check_shared_acs(ngx_conf_t* cf, const MainConf& conf);

// conf_server.cpp: entity ID, base URL, endpoints' prefix and cookie of an active server.
bool resolve_server(ngx_conf_t* cf, SrvConf& server);
// Of active servers, all resolved: those whose logins would undo each other.
void warn_of_shared_cookies(ngx_conf_t* cf, const MainConf& conf);
// conf_base_url.cpp: saml_base_url, or what it must be by the server's names and ports.
bool resolve_base_url(ngx_conf_t* cf, SrvConf& server);
// Whether the server listens on that TCP port.
bool listens_on(ngx_conf_t* cf, const SrvConf& server, unsigned port);

// conf_keys.cpp: the keys of all active servers, each pair of files read once.
bool load_keys(ngx_conf_t* cf, MainConf& conf);

// conf_templates.cpp: pages of the operator's own.
bool load_templates(ngx_conf_t* cf, MainConf& conf);

// conf_redis.cpp: where sessions are kept, and the secrets of all active servers.
bool resolve_store(ngx_conf_t* cf, MainConf& conf);
bool load_secrets(ngx_conf_t* cf, MainConf& conf);

// conf_metadata.cpp: the folder of copies, and what they say.
bool resolve_metadata(ngx_conf_t* cf, MainConf& conf);
// Of one saml_idp, wherever its lines are read.
bool read_metadata_copy(ngx_conf_t* cf, IdpConf& idp, const MetadataCopies& copies);
MetadataCopies metadata_copies(const MainConf& conf);
std::string generation_file(const MainConf& conf);
// What a start remembers of who had what in saml_idp_directory; empty without saml_cache_path.
std::string owners_file(const MainConf& conf);

// conf_policies.cpp: each saml_idp gets its policy, with users, e-mail domains and time zones.
bool resolve_policies(ngx_conf_t* cf, MainConf& conf);
// Of a saml_idp that comes later.
bool link_policy(ngx_conf_t* cf, const MainConf& conf, IdpConf& idp);
void warn_of_unused_policies(ngx_conf_t* cf, const MainConf& conf);

// conf_claims.cpp: what only one saml_idp may have: e-mail domains, and an entity ID with allow_unsolicited. False after a message:
// then nothing is claimed.
Claims claims_of(const IdpConf& idp);
bool claim(ngx_conf_t* cf, MainConf& conf, const IdpConf& idp);
void release(MainConf& conf, const std::string& name, const Claims& claims);
// Who has what several files want while none may have it.
inline const std::string kNobody;

// conf_directory.cpp: the files of saml_idp_directory.
bool load_idp_directory(ngx_conf_t* cf, MainConf& conf);

// conf_trusts.cpp: what each active server and its locations need to log in with their IdPs.
bool make_trusts(ngx_conf_t* cf, const MainConf& conf, SrvConf& server);
// One IdP at one server: mistakes, and its trust, made or put in the place of what it was; in workers too.
bool check_idp_at(ngx_conf_t* cf, const SrvConf& server, const IdpConf& idp);
void put_trust(SrvConf& server, const IdpConf& idp);
void vacate_trust(SrvConf& server, const std::string& idp_name);
// What metadata says of the IdP; in workers too.
void apply_metadata(login::Trust& trust, const SrvConf& server, const IdpConf& idp, const saml::IdpMetadata& metadata);
bool link_trusts(ngx_conf_t* cf, const MainConf& conf);

// conf_variable.cpp: which variables may say "off" in auth_saml.
void resolve_auth_variables(ngx_conf_t* cf, const MainConf& conf);
// What the lines of auth_saml, saml_space and saml_require compute (map, geo...), and all other variables of that
// kind, which those may lean on, as `volatile` has it: nginx keeps a value through internal redirects and subrequests, and
// one location's answer is none for another's.
void compute_anew(ngx_conf_t* cf, const MainConf& conf);

// conf_variable.cpp: whether lookups copy whole records at once.
void find_wanted_parts(ngx_conf_t* cf, MainConf& conf);

// conf_headers.cpp: standard names per prefix, and what is stripped from every request.
bool resolve_headers(ngx_conf_t* cf, MainConf& conf, const LocConf* http_level);

}  // namespace sallyport::ngx
