// The configuration as nginx holds it: one object per http block, server and location. Made with the
// cycle, read-only once the workers run, freed with the cycle's pool.
#pragma once

#include "ngx.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/host_names.h"
#include "base/instant.h"
#include "base/named_list.h"
#include "base/seal.h"
#include "login/gate.h"
#include "login/page_template.h"
#include "login/trust.h"
#include "metadata_copy.h"
#include "policy/email_domains.h"
#include "saml/idp_metadata.h"
#include "session/cookie.h"
#include "session/record.h"
#include "session/session_table.h"
#include "xml/decryption.h"

namespace sallyport::ngx {

struct MainConf;
struct RedisConf;
struct SrvConf;
struct LocConf;
class Aggregates;
class DirectoryChanges;
class IdpDirectory;

// Where a directive stands, for messages that can only be given later.
struct Origin {
  std::string file;
  ngx_uint_t line = 0;
};

// A setting that inherits: unset until a level sets it.
template <class T>
struct Setting {
  std::optional<T> value;
  Origin origin;
  bool is_set() const { return value.has_value(); }
  const T& or_default(const T& fallback) const { return value ? *value : fallback; }
  void inherit(const Setting& outer) {
    if (!value) *this = outer;
  }
};

// `metadata URL` of a saml_idp.
struct MetadataSource {
  std::string url;
  Origin origin;
  Millis refresh = kHour;
  std::string copy_file;  // under saml_cache_path
  FileState copy_state;   // when the configuration was read
  std::uint64_t followed_as = 0;  // in a worker: the number of what its thread follows; 0: not yet
};

// `saml_idp NAME { }`.
struct IdpConf {
  std::string name;
  Origin origin;
  std::string display_name;
  saml::IdpMetadata metadata;  // read from the file, or filled from the lines by hand
  std::string metadata_file;   // for messages; empty when written by hand
  bool has_metadata = false;
  std::string sp_entity_id;    // what we are called there; empty: saml_entity_id
  std::optional<MetadataSource> source;     // then `metadata` is the copy's, or empty until it comes
  std::string metadata_entity;
  std::vector<xml::Certificate> metadata_signers;  // metadata_certificate; empty: it need not be signed
  xml::AlgorithmSet algorithms = xml::AlgorithmSet::defaults();
  saml::RequireSigned require_signed = saml::RequireSigned::kAny;
  xml::EncryptionSet encryption = xml::EncryptionSet::defaults();
  Setting<bool> require_encrypted;
  std::string name_id_format;
  std::vector<std::string> authn_contexts;
  saml::AuthnContextComparison comparison = saml::AuthnContextComparison::kExact;
  bool force_authn = false;
  Setting<bool> allow_unsolicited;
  // Complete once the policy is found, then shared with the trusts.
  std::shared_ptr<policy::IdentityRules> rules = std::make_shared<policy::IdentityRules>();
  Setting<std::string> policy_name;
  bool is_of_directory = false;          // a file of saml_idp_directory, not a block
  std::vector<std::string> files;        // that its lines name
  std::uint32_t generation = 0;          // of Trust
};

// `saml_policy NAME { }`.
struct PolicyConf {
  Origin origin;
  std::shared_ptr<policy::Policy> policy;  // complete once all blocks are known
  std::string users_file;                  // empty: none
  Origin profile_origin;
  Origin users_origin;
};

using OwnKey = xml::DecryptionKey;

enum class SignRequests { kOn, kOff, kAuto };
enum class Mode { kRequire, kOptional };
enum class OnUnauthenticated { kAuto, kRedirect, k401 };
enum class HeaderFormat { kList, kJson };
enum class LoginPage { kAuto, kAlways };

// A header name ready for nginx's request headers. The bytes live as long as the configuration.
struct HeaderName {
  ngx_str_t name{};
  u_char* lowcase = nullptr;
  ngx_uint_t hash = 0;
  bool may_be_known = false;  // a saml_header, which may be one that nginx keeps a slot for
};
// False when memory is short.
bool make_header_name(ngx_pool_t* pool, std::string_view name, HeaderName* out);

// The standard header names under one prefix. `fields` follows session::Field up to kIdp.
struct StandardHeaders {
  static constexpr std::size_t kCount = static_cast<std::size_t>(session::Field::kIdp) + 1;
  HeaderName fields[kCount];
  HeaderName space, role, overflow, assertion, login;
};

// Names that no client may send: compared in lower case, every byte but letters and digits alike.
class StripSet {
 public:
  void add(std::string_view name);
  // `lowcase` as nginx keeps it. Nearly every header of a request is told by its length or first byte.
  bool has(std::string_view lowcase) const {
    if (lowcase.empty() || !first_[static_cast<unsigned char>(lowcase[0])]) return false;
    return (lengths_ >> std::min<std::size_t>(lowcase.size(), 63) & 1) != 0 && is_listed(lowcase);
  }
  bool empty() const { return names_.empty(); }
  static std::string fold(std::string_view name);

 private:
  bool is_listed(std::string_view lowcase) const;

  std::vector<std::string> names_;   // folded, sorted
  std::uint64_t lengths_ = 0;        // bit n: a name of n bytes (63: or more)
  bool first_[256] = {};             // a first byte, before folding, of some name
};

struct MainConf {
  NamedList<IdpConf, &IdpConf::name> idps;
  std::vector<PolicyConf> policies;
  policy::EmailDomainIndex email_domains;  // whose a domain is, by name of the saml_idp
  std::map<std::string, std::string, std::less<>> unsolicited;  // entity ID to the saml_idp with allow_unsolicited
  std::shared_ptr<Aggregates> aggregates;  // null: there is no saml_idp
  Setting<std::string> idp_directory;      // saml_idp_directory, absolute
  std::shared_ptr<IdpDirectory> directory;        // what was seen of it; the worker's thread takes it over
  std::shared_ptr<DirectoryChanges> directory_changes;
  std::shared_ptr<const policy::Timezones> timezones;
  std::vector<SrvConf*> servers;       // those of real server blocks, filled by merge
  std::vector<LocConf*> locations;     // every merged location, filled by merge
  Setting<std::string> zone_name;
  std::size_t zone_size = 16 * 1024 * 1024;
  Setting<std::string> session_store;
  std::string store_redis;             // NAME of redis=NAME; empty: shm
  std::vector<std::shared_ptr<RedisConf>> redis_blocks;
  Setting<std::string> cache_path;     // saml_cache_path, absolute
  std::size_t max_metadata_size = 16 * 1024 * 1024;  // the largest that a server says
  const RedisConf* redis = nullptr;    // the store behind the zone; null: the zone is the store
  ngx_shm_zone_t* zone = nullptr;      // null while auth_saml is on nowhere
  std::map<std::string, std::unique_ptr<StandardHeaders>, std::less<>> standard_headers;
  StripSet strip;
  std::vector<std::string> cookie_names;  // of all servers with auth_saml, each once
  ngx_uint_t built_in_variables = 0;   // how many variables there were before the configuration's own
  bool active = false;                 // auth_saml is on somewhere: our phases have work to do
  bool wants_whole_records = false;    // a variable or requirement asks for what lies behind the front of records

  const RedisConf* find_redis(std::string_view name) const;
  const PolicyConf* find_policy(std::string_view name) const;
};

struct SrvConf {
  // As written.
  Setting<std::string> entity_id;
  Setting<std::string> base_url;
  Setting<std::string> endpoint;
  std::vector<std::pair<std::string, Origin>> certificate_files;
  std::vector<std::pair<std::string, Origin>> key_files;
  Setting<SignRequests> sign_requests;
  Setting<Millis> clock_skew;
  Setting<Millis> max_assertion_age;
  Setting<std::size_t> max_message_size;
  Setting<std::size_t> max_metadata_size;
  Setting<std::string> login_template;  // absolute paths
  Setting<std::string> error_template;
  Setting<bool> strip;
  Setting<Millis> session_timeout;
  Setting<Millis> idle_timeout;  // 0: off
  struct Cookie {
    std::string name = "saml_session";
    std::string domain;
    session::SameSite same_site = session::SameSite::kLax;
    enum class Secure { kAuto, kOn, kOff } secure = Secure::kAuto;
  };
  Setting<Cookie> cookie;
  Setting<std::vector<std::string>> secret_files;  // one or two: the new one, then the old one

  // Resolved for the workers.
  ngx_http_core_srv_conf_t* core = nullptr;
  LocConf* server_location = nullptr;   // the server level's LocConf
  bool active = false;                  // it answers the endpoints: auth_saml is on somewhere in it, or carries_for
  bool protects = false;                // auth_saml is on somewhere in this server
  bool has_endpoints_location = false;  // a location with saml_endpoints
  std::string base;                     // saml_base_url without trailing slash
  std::string base_origin;              // scheme://host[:port]
  std::string base_host;                // lower case
  std::string prefix = "/saml";         // saml_endpoint
  session::CookieSettings cookie_settings;
  std::shared_ptr<const Secret> secret;  // null: the zone's own
  std::shared_ptr<std::vector<OwnKey>> keys;  // first signs, all RSA keys decrypt
  std::shared_ptr<const login::PageTemplate> login_page;  // null: our own
  std::shared_ptr<const login::PageTemplate> error_page;
  std::vector<const LocConf*> admitting;  // its locations with auth_saml, one for each such line
  std::set<std::string, std::less<>> idp_names;  // that its auth_saml lines, and those it carries out logins for, name
  bool names_any_idp = false;           // by a variable
  // One for each IdP that this server may name. They stay for good: a saml_idp that is gone leaves a vacant one.
  NamedList<login::Trust, &login::Trust::idp_name> trusts;

  // One ACS for many hosts (DESIGN 5.2).
  bool hands_over = false;                     // the server of base_host carries out the logins of other hosts
  // server_name: nginx keeps it for the time of the configuration only.
  HostNames host_names;
#if (NGX_PCRE)
  std::vector<const ngx_http_regex_t*> host_expressions{};
#endif
  std::vector<const SrvConf*> carries_for{};   // as the server of their base_host

  bool may_name(std::string_view idp_name) const { return names_any_idp || idp_names.find(idp_name) != idp_names.end(); }
  // Null: no IdP of this server's.
  const login::Trust* find_trust(std::string_view idp_name) const {
    const login::Trust* trust = trusts.find(idp_name);
    return trust == nullptr || trust->is_vacant ? nullptr : trust;
  }
  std::string endpoint_url(std::string_view name) const {
    return base + prefix + "/" + std::string(name);
  }
};

// One key=value of saml_require.
struct RequireConf {
  login::RequireKey key;
  std::string key_text;   // as written, for messages
  std::string attribute;  // for attr:NAME
  ngx_http_complex_value_t value;
};

// One saml_require.
struct RequireLine {
  Origin origin;
  std::vector<RequireConf> pairs;
};

// One saml_header.
struct ExtraHeader {
  HeaderName header;
  ngx_http_complex_value_t value;
};

struct LocConf {
  // auth_saml: unset, off, names, or one variable.
  struct AuthSaml {
    bool off = false;
    std::vector<std::string> names;
    bool is_variable = false;
    std::string variable_name;   // without '$'
    // Whether the value "off" means public: only of a variable that the operator's configuration
    // computes (map, geo, split_clients...), not of one that a client can make say so.
    bool off_counts = false;
    ngx_http_complex_value_t variable{};
  };
  Setting<AuthSaml> auth_saml;
  Setting<Mode> mode;
  Setting<LoginPage> login_page;
  std::vector<RequireLine> require_lines;  // own lines; with inherits, the outer ones come first
  bool require_off = false;
  Setting<std::string> headers_prefix;     // "off" is the empty text
  bool has_own_headers = false;            // saml_header stands at this level
  Origin extra_headers_origin;
  std::shared_ptr<std::vector<ExtraHeader>> extra_headers;  // inherited as a whole
  Setting<HeaderFormat> header_format;
  Setting<std::size_t> header_limit_one;
  Setting<std::size_t> header_limit_total;
  Setting<bool> overflow_cut;              // saml_header_overflow cut
  Setting<bool> allow_preflight;
  Setting<OnUnauthenticated> unauthenticated;
  Setting<bool> cache_shared;
  Setting<bool> end_upgraded;
  Setting<Millis> force_authn;             // 0: off
  struct Space {
    bool off = false;
    ngx_http_complex_value_t value{};
  };
  Setting<Space> space;                    // saml_space
  bool endpoints_here = false;             // saml_endpoints
  Origin endpoints_origin;
  LocConf* outer = nullptr;                // the level around this one; null for http
  ngx_http_core_loc_conf_t* core = nullptr;  // filled by merge
  bool has_own_require = false;            // saml_require key=value stands at this level; the last line is its own

  // Resolved for the workers.
  SrvConf* server = nullptr;
  bool on = false;                         // auth_saml and not off, and no saml_endpoints here
  std::vector<const login::Trust*> trusts; // by names; empty with a variable
  const StandardHeaders* standard = nullptr;  // null: saml_headers off
  bool is_json = false;

  login::HeaderLimits limits() const {
    return {header_limit_one.or_default(4096), header_limit_total.or_default(16384),
            overflow_cut.or_default(false)};
  }
};

inline MainConf* main_conf(ngx_http_request_t* r) {
  return static_cast<MainConf*>(ngx_http_get_module_main_conf(r, ngx_http_saml_module));
}
inline SrvConf* srv_conf(ngx_http_request_t* r) {
  return static_cast<SrvConf*>(ngx_http_get_module_srv_conf(r, ngx_http_saml_module));
}
inline LocConf* loc_conf(ngx_http_request_t* r) {
  return static_cast<LocConf*>(ngx_http_get_module_loc_conf(r, ngx_http_saml_module));
}

// conf.cpp: nginx's callbacks.
void* create_main_conf(ngx_conf_t* cf);
void* create_srv_conf(ngx_conf_t* cf);
void* create_loc_conf(ngx_conf_t* cf);
char* merge_srv_conf(ngx_conf_t* cf, void* parent, void* child);
char* merge_loc_conf(ngx_conf_t* cf, void* parent, void* child);
// Called by the module's preconfiguration, before any variable of the configuration's own.
void note_built_in_variables(ngx_conf_t* cf);
// Everything that needs the whole configuration: checks with file and line, trusts, names, zone.
// Called by the module's postconfiguration.
ngx_int_t finish_configuration(ngx_conf_t* cf);

// directives.cpp: the module's table.
extern ngx_command_t kCommands[];

// session_zone.cpp: adds the zone to the configuration. NGX_ERROR after a message.
ngx_int_t add_session_zone(ngx_conf_t* cf, MainConf* conf);

}  // namespace sallyport::ngx
