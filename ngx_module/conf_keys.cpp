// The service provider's keys: read once per set of files, as the user who starts nginx.
#include "conf_finish.h"

#include <openssl/crypto.h>

#include "conf_file.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

using Keys = std::shared_ptr<std::vector<OwnKey>>;
using FileAt = std::pair<std::string, Origin>;

std::optional<xml::PrivateKey> load_key(ngx_conf_t* cf, const FileAt& file) {
  auto pem = read_conf_file(cf, file.second, "\"saml_certificate_key\"", file.first, kMaxKeyFile);
  if (!pem) return std::nullopt;
  auto key = xml::PrivateKey::from_pem(*pem);
  OPENSSL_cleanse(pem->data(), pem->size());
  if (!key) {
    conf_error(cf, file.second,
               "\"saml_certificate_key\" " + quoted(file.first) + ": " + key.error().detail);
    return std::nullopt;
  }
  warn_if_readable_by_all(cf, file.second, "\"saml_certificate_key\"", file.first);
  return std::move(key).value();
}

std::optional<xml::Certificate> load_certificate(ngx_conf_t* cf, const FileAt& file) {
  const auto pem = read_conf_file(cf, file.second, "\"saml_certificate\"", file.first, kMaxKeyFile);
  if (!pem) return std::nullopt;
  auto certificate = xml::Certificate::from_pem(*pem);
  if (!certificate) {
    conf_error(cf, file.second,
               "\"saml_certificate\" " + quoted(file.first) + ": " + certificate.error().detail);
    return std::nullopt;
  }
  return std::move(certificate).value();
}

bool load_pair(ngx_conf_t* cf, const FileAt& certificate_file, const FileAt& key_file,
               std::vector<OwnKey>& out) {
  auto certificate = load_certificate(cf, certificate_file);
  if (!certificate) return false;
  auto key = load_key(cf, key_file);
  if (!key) return false;
  if (!key->matches(*certificate)) {
    conf_error(cf, key_file.second,
               "\"saml_certificate_key\" " + quoted(key_file.first) +
                   " is not the key of \"saml_certificate\" " + quoted(certificate_file.first) +
                   " of " + place(certificate_file.second) +
                   ": name the two that belong together, pair by pair in the same order");
    return false;
  }
  out.push_back({std::move(*key), std::move(*certificate)});
  return true;
}

bool check_counts(ngx_conf_t* cf, const SrvConf& server) {
  const std::size_t certificates = server.certificate_files.size();
  const std::size_t keys = server.key_files.size();
  if (certificates == keys) return true;
  const Origin& origin =
      certificates > keys ? server.certificate_files.back().second : server.key_files.back().second;
  conf_error(cf, origin,
             "\"saml_certificate\" stands " + std::to_string(certificates) +
                 " times and \"saml_certificate_key\" " + std::to_string(keys) +
                 " times: each certificate needs its key, at the same level and in the same order");
  return false;
}

// Names the set of files.
std::string key_of(const SrvConf& server) {
  std::string out;
  for (const auto* files : {&server.certificate_files, &server.key_files}) {
    for (const FileAt& file : *files) out += file.first + '\0';
  }
  return out;
}

}  // namespace

bool load_keys(ngx_conf_t* cf, MainConf& conf) {
  std::map<std::string, Keys> loaded;
  for (SrvConf* server : conf.servers) {
    if (!server->active) continue;
    if (!check_counts(cf, *server)) return false;
    Keys& keys = loaded[key_of(*server)];
    if (!keys) {
      keys = std::make_shared<std::vector<OwnKey>>();
      for (std::size_t i = 0; i < server->key_files.size(); ++i) {
        if (!load_pair(cf, server->certificate_files[i], server->key_files[i], *keys)) return false;
      }
    }
    server->keys = keys;
  }
  return true;
}

}  // namespace sallyport::ngx
