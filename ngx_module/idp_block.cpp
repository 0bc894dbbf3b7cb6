// `saml_idp NAME { }`.
#include "idp_block.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "aggregates.h"
#include "conf_file.h"
#include "conf_finish.h"
#include "conf_value.h"
#include "directives.h"
#include "saml/metadata_update.h"
#include "saml/names.h"

namespace sallyport::ngx {

namespace {

constexpr Millis kEndIsNear = 7 * 24 * kHour;

// Whether the line says by hand what every metadata document says.
bool is_by_hand(std::string_view line) {
  return line == "entity_id" || line == "sso_url" || line == "certificate";
}

// Of one entity out of a federation's file.
Result<saml::IdpMetadata> read_aggregate(IdpBlock& block) {
  IdpConf& idp = block.idp;
  const auto document = block.aggregates->document_of(idp.metadata_file, idp.metadata_signers, idp.metadata_entity);
  if (!document.ok()) return document.error();
  saml::MetadataExpectation expected;
  expected.entity_id = idp.metadata_entity;
  expected.now = now();
  expected.max_bytes = document->size();
  return saml::check_metadata(*document, expected);
}

Result<saml::IdpMetadata> read_document(const IdpConf& idp, std::string_view document) {
  saml::MetadataExpectation expected;
  expected.signers = idp.metadata_signers.empty() ? nullptr : &idp.metadata_signers;
  expected.entity_id = idp.metadata_entity;
  expected.now = now();
  expected.max_bytes = kMaxMetadataFile;
  return saml::check_metadata(document, expected);
}

bool is_aggregate(const IdpConf& idp) {
  return !idp.metadata_entity.empty() && state_of(idp.metadata_file).size > Aggregates::kSmallest;
}

// From then on nginx neither starts nor reloads with it.
void warn_of_its_end(ngx_conf_t* cf, const Origin& origin, const std::string& subject, const IdpConf& idp) {
  const std::optional<Millis> end = idp.metadata.valid_until;
  if (!end || *end > now() + kEndIsNear) return;
  conf_warning(cf, origin, subject + " " + quoted(idp.metadata_file) + " expires at " + format_instant(*end) +
                               " (validUntil): put the IdP's present document in its place before, an expired one is refused");
}

bool read_metadata(ngx_conf_t* cf, IdpBlock& block) {
  IdpConf& idp = block.idp;
  const Origin& origin = block.seen.find("metadata")->second;
  const std::string subject = block.subject() + "metadata";
  std::optional<Result<saml::IdpMetadata>> read;
  if (is_aggregate(idp)) {
    read = read_aggregate(block);
  } else {
    const auto document = read_conf_file(cf, origin, subject, idp.metadata_file, kMaxMetadataFile,
                                         {}, "; out of a federation's file \"metadata_entity\" chooses one");
    if (!document) return false;
    read = read_document(idp, *document);
  }
  Result<saml::IdpMetadata>& metadata = *read;
  if (!metadata) {
    conf_error(cf, origin, subject + " " + quoted(idp.metadata_file) + ": " +
                               metadata.error().detail);
    return false;
  }
  std::vector<saml::Endpoint> by_hand = std::move(idp.metadata.single_logout);
  idp.metadata = std::move(metadata).value();
  warn_of_its_end(cf, origin, subject, idp);
  if (by_hand.empty()) return true;
  if (!idp.metadata.single_logout.empty()) {
    conf_error(cf, block.seen.find("slo_url")->second,
               block.subject() + "\"slo_url\" stands beside metadata that names a logout URL "
                                 "itself: remove the line");
    return false;
  }
  idp.metadata.single_logout = std::move(by_hand);
  return true;
}

bool check_by_hand(ngx_conf_t* cf, const IdpBlock& block) {
  const saml::IdpMetadata& metadata = block.idp.metadata;
  std::string missing;
  if (metadata.entity_id.empty()) missing += " \"entity_id ID;\"";
  if (metadata.single_sign_on.empty()) missing += " \"sso_url URL;\"";
  if (metadata.signing.empty()) missing += " \"certificate FILE;\"";
  if (missing.empty()) return true;
  const bool nothing = metadata.entity_id.empty() && metadata.single_sign_on.empty() &&
                       metadata.signing.empty();
  conf_error(cf, block.idp.origin,
             block.subject() + (nothing ? "write \"metadata FILE;\", or by hand"
                                        : "without metadata it also needs") + missing);
  return false;
}

// Lines that say more of metadata, where there is none of the kind.
bool check_metadata_lines(ngx_conf_t* cf, const IdpBlock& block) {
  const auto refuse_line = [&](std::string_view line, const std::string& what) {
    conf_error(cf, block.seen.find(line)->second, block.subject() + quoted(line) + " " + what);
    return false;
  };
  if (block.has("metadata_refresh") && !block.idp.source) {
    return refuse_line("metadata_refresh", "is for metadata by URL: a file is read when nginx is reloaded");
  }
  if (block.has("metadata")) return true;
  if (block.has("metadata_entity")) return refuse_line("metadata_entity", "without metadata: write \"entity_id\"");
  if (block.has("metadata_certificate")) {
    return refuse_line("metadata_certificate", "without metadata: what the IdP signs with is \"certificate\"");
  }
  return true;
}

bool check_block(ngx_conf_t* cf, IdpBlock& block) {
  if (!check_metadata_lines(cf, block)) return false;
  if (block.idp.source) {
    block.idp.source->refresh = block.metadata_refresh.value_or(kHour);
  } else if (!(block.has("metadata") ? read_metadata(cf, block) : check_by_hand(cf, block))) {
    return false;
  }
  if (block.idp.name_id_format == saml::kFormatTransient &&
      block.idp.rules->user_source.empty()) {
    conf_error(cf, block.seen.find("name_id_format")->second,
               block.subject() + "a transient NameID is another one at each login and cannot be "
                                 "the user: name an attribute with \"user ATTRIBUTE;\", or ask for "
                                 "\"persistent\" or \"email\"");
    return false;
  }
  block.idp.has_metadata = true;
  return true;
}

IdpBlock begin_block(const std::string& name, const Origin& origin) {
  IdpBlock block;
  block.directive = "saml_idp";
  block.name = name;
  block.idp.name = name;
  block.idp.display_name = name;
  block.idp.origin = origin;
  block.idp.rules->idp_name = name;
  return block;
}

}  // namespace

bool IdpBlock::check_line(ngx_conf_t* cf, std::string_view line) const {
  for (const auto& [other, origin] : seen) {
    if (!(line == "metadata" && is_by_hand(other)) && !(other == "metadata" && is_by_hand(line))) {
      continue;
    }
    return refuse(cf, *this,
                  quoted(line) + " stands beside " + quoted(other) + " of " + place(origin) +
                      ", and the metadata says the same: remove one of the two" +
                      (line == "entity_id" || other == "entity_id"
                           ? " (metadata_entity chooses one IdP of a document with several)"
                           : ""));
  }
  return true;
}

bool read_idp_block(ngx_conf_t* cf, MainConf& conf) {
  const std::string name(words(cf)[1]);
  const IdpConf* other = conf.idps.find(name);
  if (!check_block_name(cf, "saml_idp", name, other == nullptr ? nullptr : &other->origin)) return false;
  IdpBlock block = begin_block(name, here(cf));
  if (conf.aggregates == nullptr) conf.aggregates = std::make_shared<Aggregates>();
  block.aggregates = conf.aggregates.get();
  if (!read_inside(cf, block) || !check_block(cf, block)) return false;
  conf.idps.add(std::make_unique<IdpConf>(std::move(block.idp)));
  return true;
}

std::unique_ptr<IdpConf> read_idp_file(ngx_conf_t* cf, const std::string& name, const std::string& path,
                                       const IdpFileContext& context, std::vector<std::string>& files) {
  IdpBlock block = begin_block(name, {path, 1});
  block.aggregates = context.aggregates.get();
  block.idp.is_of_directory = true;
  ngx_str_t file = copy(cf->pool, path);
  const bool is_good = file.data != nullptr && read_inside(cf, block, &file) && check_block(cf, block) &&
                       read_metadata_copy(cf, block.idp, context.copies);
  files = block.idp.files;
  files.insert(files.end(), block.included.begin(), block.included.end());
  // What the master has checked stays, whatever becomes of the file.
  if (!block.idp.metadata_signers.empty() && is_aggregate(block.idp)) {
    files.erase(std::remove(files.begin(), files.end(), block.idp.metadata_file), files.end());
  }
  return is_good ? std::make_unique<IdpConf>(std::move(block.idp)) : nullptr;
}

}  // namespace sallyport::ngx
