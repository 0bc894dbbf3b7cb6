#include "redis_tls.h"

#include "conf_value.h"

namespace sallyport::ngx {

#if (NGX_SSL)

namespace {

bool refuse_at(ngx_conf_t* cf, const RedisBlock& block, std::string_view line, const std::string& why) {
  conf_error(cf, block.origin_of(line), block.subject() + quoted(line) + ": " + why);
  return false;
}

bool trust(ngx_conf_t* cf, const RedisBlock& block, SSL_CTX* context) {
  if (block.trusted_certificate.empty()) return SSL_CTX_set_default_verify_paths(context) == 1;
  if (SSL_CTX_load_verify_locations(context, block.trusted_certificate.c_str(), nullptr) == 1) return true;
  return refuse_at(cf, block, "ssl_trusted_certificate",
                   "no certificates in PEM can be read from " + quoted(block.trusted_certificate));
}

bool present_certificate(ngx_conf_t* cf, const RedisBlock& block, SSL_CTX* context) {
  if (block.certificate.empty()) return true;
  if (SSL_CTX_use_certificate_chain_file(context, block.certificate.c_str()) != 1) {
    return refuse_at(cf, block, "ssl_certificate", "no certificate in PEM can be read from " + quoted(block.certificate));
  }
  if (SSL_CTX_use_PrivateKey_file(context, block.certificate_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return refuse_at(cf, block, "ssl_certificate_key",
                     "no key in PEM that belongs to \"ssl_certificate\" can be read from " + quoted(block.certificate_key));
  }
  return true;
}

}  // namespace

bool set_up_redis_tls(ngx_conf_t* cf, RedisBlock& block) {
  auto* ssl = static_cast<ngx_ssl_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t)));
  if (ssl == nullptr) return false;
  ssl->log = cf->log;
  if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3, nullptr) != NGX_OK) return false;
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (cleanup == nullptr) {
    ngx_ssl_cleanup_ctx(ssl);
    return false;
  }
  cleanup->handler = ngx_ssl_cleanup_ctx;
  cleanup->data = ssl;
  if (!trust(cf, block, ssl->ctx) || !present_certificate(cf, block, ssl->ctx)) {
    ERR_clear_error();
    return false;
  }
  block.redis.ssl = ssl;
  return true;
}

#else

bool set_up_redis_tls(ngx_conf_t*, RedisBlock&) { return false; }

#endif

}  // namespace sallyport::ngx
