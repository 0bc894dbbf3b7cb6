// Metadata by URL: where its copies are, and what they say at the start.
#include <sys/stat.h>

#include <algorithm>

#include "bridge.h"
#include "conf_file.h"
#include "conf_finish.h"
#include "conf_message.h"
#include "metadata_copy.h"
#include "saml/metadata_update.h"

namespace sallyport::ngx {

namespace {

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// nginx would take what is there for a folder, and says of one that it cannot make neither where it is named nor what to do.
bool check_folder(ngx_conf_t* cf, const Origin& origin, const std::string& folder) {
  if (is_folder(folder)) return true;
  const std::string around = folder.substr(0, folder.find_last_of('/', folder.size() - 2) + 1);
  if (is_folder(around) && !state_of(folder).exists()) return true;
  const std::string problem = is_folder(around) ? " is not a folder: name one, or a path where nginx can make it"
                                                : " cannot be made, since " + quoted(around) + " is no folder: make that one first";
  conf_error(cf, origin, "\"saml_cache_path\": " + quoted(folder) + problem);
  return false;
}

// nginx makes the folder, for the user that workers run as.
bool add_folder(ngx_conf_t* cf, const std::string& folder) {
  auto* path = static_cast<ngx_path_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_path_t)));
  if (path == nullptr) return false;
  path->name = copy(cf->pool, folder);
  if (path->name.data == nullptr) return false;
  path->conf_file = cf->conf_file->file.name.data;
  path->line = cf->conf_file->line;
  return ngx_add_path(cf, &path) == NGX_OK;
}

void read_copy_of(ngx_conf_t* cf, IdpConf& idp, const std::string& folder, std::size_t max_bytes) {
  MetadataSource& source = *idp.source;
  source.copy_file = copy_file(folder, idp.name, source.url);
  source.copy_state = state_of(source.copy_file);
  if (!source.copy_state.exists()) return;
  const auto document = read_copy(source.copy_file, max_bytes);
  saml::MetadataExpectation expected;
  expected.signers = idp.metadata_signers.empty() ? nullptr : &idp.metadata_signers;
  expected.entity_id = idp.metadata_entity;
  expected.now = now();
  expected.max_bytes = max_bytes;
  auto metadata = document ? saml::check_metadata(*document, expected)
                           : Result<saml::IdpMetadata>(Error{Reason::kConfigInvalid, "it cannot be read, or is too large"});
  if (metadata) {
    idp.metadata = std::move(metadata).value();
    return;
  }
  conf_warning(cf, source.origin, "the copy " + quoted(source.copy_file) + " of the metadata of saml_idp " + quoted(idp.name) +
                                      " is not used: " + metadata.error().detail +
                                      "; until a good document comes nobody can log in there");
}

}  // namespace

std::string generation_file(const MainConf& conf) { return *conf.cache_path.value + "/.generation"; }

std::string owners_file(const MainConf& conf) {
  return conf.cache_path.is_set() ? *conf.cache_path.value + "/.owners" : std::string();
}

bool resolve_metadata(ngx_conf_t* cf, MainConf& conf) {
  std::size_t largest = 0;
  for (const SrvConf* server : conf.servers) largest = std::max(largest, server->max_metadata_size.or_default(0));
  if (largest > 0) conf.max_metadata_size = largest;
  const auto has_source = [](const auto& idp) { return idp->source.has_value(); };
  const bool is_used = conf.idp_directory.is_set() || std::any_of(conf.idps.begin(), conf.idps.end(), has_source);
  if (is_used && conf.cache_path.is_set() &&
      (!check_folder(cf, conf.cache_path.origin, *conf.cache_path.value) || !add_folder(cf, *conf.cache_path.value))) {
    return false;
  }
  const MetadataCopies copies = metadata_copies(conf);
  const auto read = [&](const auto& idp) { return read_metadata_copy(cf, *idp, copies); };
  return std::all_of(conf.idps.begin(), conf.idps.end(), read);
}

MetadataCopies metadata_copies(const MainConf& conf) { return {conf.cache_path.or_default(""), conf.max_metadata_size}; }

bool read_metadata_copy(ngx_conf_t* cf, IdpConf& idp, const MetadataCopies& copies) {
  if (!idp.source) return true;
  if (copies.folder.empty()) {
    conf_error(cf, idp.source->origin,
               "metadata by URL of saml_idp " + quoted(idp.name) + " needs a folder for its copy: write "
               "\"saml_cache_path /var/lib/nginx/saml;\" in http");
    return false;
  }
  read_copy_of(cf, idp, copies.folder, copies.max_bytes);
  return true;
}

}  // namespace sallyport::ngx
