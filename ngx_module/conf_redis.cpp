// The store that sessions are kept in, and the secret that several nodes share.
#include "conf_finish.h"

#include <openssl/crypto.h>

#include <map>

#include "base/digest.h"
#include "base/encoding.h"
#include "conf_file.h"
#include "conf_message.h"
#include "redis_conf.h"

namespace sallyport::ngx {

namespace {

constexpr ngx_msec_t kResolverTimeout = 30000;  // nginx's
constexpr std::size_t kMinSecret = 32;
constexpr std::size_t kMaxSecret = 4096;
constexpr char kHowToMake[] = "make one with \"openssl rand -hex 32 >FILE\", the same file on all nodes, readable by root alone";

std::string known_blocks(const MainConf& conf) {
  if (conf.redis_blocks.empty()) return "there is no saml_redis block yet";
  std::vector<std::string> names;
  for (const auto& redis : conf.redis_blocks) names.push_back(redis->name);
  return "known: " + one_of(names);
}

bool choose_store(ngx_conf_t* cf, MainConf& conf) {
  if (conf.store_redis.empty()) return true;
  conf.redis = conf.find_redis(conf.store_redis);
  if (conf.redis != nullptr) return true;
  conf_error(cf, conf.session_store.origin,
             "\"saml_session_store\" names the unknown Redis " + quoted(conf.store_redis) + "; " + known_blocks(conf) +
                 "; write \"saml_redis " + conf.store_redis + " { server HOST:PORT; }\" in http, or correct the name");
  return false;
}

void warn_of_unused(ngx_conf_t* cf, const MainConf& conf) {
  for (const auto& redis : conf.redis_blocks) {
    if (redis.get() == conf.redis) continue;
    conf_warning(cf, redis->origin, "saml_redis " + quoted(redis->name) + " is not used: write \"saml_session_store redis=" +
                                        redis->name + ";\" in http, or remove it");
  }
}

// The one of http, if `resolver` stands there.
void find_resolver(ngx_conf_t* cf, MainConf& conf) {
  auto* http = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if (http->resolver == nullptr || http->resolver->connections.nelts == 0) return;
  for (const auto& redis : conf.redis_blocks) {
    redis->resolver = http->resolver;
    redis->resolver_timeout = http->resolver_timeout == NGX_CONF_UNSET_MSEC ? kResolverTimeout : http->resolver_timeout;
  }
}

std::optional<Digest> read_secret(ngx_conf_t* cf, const Origin& origin, const std::string& path) {
  auto bytes = read_conf_file(cf, origin, "\"saml_secret_file\"", path, kMaxSecret, std::string("; ") + kHowToMake);
  if (!bytes) return std::nullopt;
  const std::string_view secret = trim_blanks(std::string_view(*bytes).substr(0, bytes->find_last_not_of("\r\n\t ") + 1));
  std::optional<Digest> digest;
  if (secret.size() < kMinSecret) {
    conf_error(cf, origin, "\"saml_secret_file\": " + quoted(path) + " holds less than 32 bytes; " + kHowToMake);
  } else {
    warn_if_readable_by_all(cf, origin, "\"saml_secret_file\"", path);
    digest = derive_key(secret, "saml_secret_file");
  }
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return digest;
}

std::shared_ptr<const Secret> read_secrets(ngx_conf_t* cf, const SrvConf& server) {
  const Origin& origin = server.secret_files.origin;
  Secret secret;
  const std::vector<std::string>& files = *server.secret_files.value;
  const auto current = read_secret(cf, origin, files[0]);
  if (!current) return nullptr;
  secret.current = *current;
  if (files.size() == 2) {
    secret.previous = read_secret(cf, origin, files[1]);
    if (!secret.previous) return nullptr;
    if (*secret.previous == secret.current) {
      conf_error(cf, origin, "\"saml_secret_file\": both files hold the same secret: write a new one into the first, or "
                             "name one file");
      return nullptr;
    }
  }
  return std::make_shared<const Secret>(secret);
}

}  // namespace

bool resolve_store(ngx_conf_t* cf, MainConf& conf) {
  if (!choose_store(cf, conf)) return false;
  find_resolver(cf, conf);
  warn_of_unused(cf, conf);
  return true;
}

bool load_secrets(ngx_conf_t* cf, MainConf& conf) {
  std::map<std::vector<std::string>, std::shared_ptr<const Secret>> loaded;
  for (SrvConf* server : conf.servers) {
    if (!server->active) continue;
    if (!server->secret_files.is_set()) {
      if (conf.redis == nullptr) continue;
      conf_error(cf, conf.session_store.origin,
                 "\"saml_session_store redis=\" needs \"saml_secret_file FILE;\" in http or in each server with "
                 "auth_saml: " + std::string(kHowToMake));
      return false;
    }
    std::shared_ptr<const Secret>& secret = loaded[*server->secret_files.value];
    if (secret == nullptr) secret = read_secrets(cf, *server);
    if (secret == nullptr) return false;
    server->secret = secret;
  }
  return true;
}

}  // namespace sallyport::ngx
