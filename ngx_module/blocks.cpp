// Named blocks: `saml_idp NAME { }`.
#include "directives.h"

#include <memory>

#include "bridge.h"
#include "conf_file.h"
#include "conf_message.h"
#include "conf_value.h"
#include "idp_block.h"
#include "saml/names.h"

namespace sallyport::ngx {

namespace {

// Metadata and the same by hand: the second of the two is the mistake that the operator sees.
bool check_two_sources(ngx_conf_t* cf, const IdpBlock& block, std::string_view name) {
  for (const auto& [other, origin] : block.seen) {
    if (!(name == "metadata" && is_by_hand(other)) && !(other == "metadata" && is_by_hand(name))) {
      continue;
    }
    conf_error(cf, block.subject() + quoted(name) + " stands beside " + quoted(other) + " of " +
                       place(origin) + ", and the metadata says the same: remove one of the two" +
                       (name == "entity_id" || other == "entity_id"
                            ? " (metadata_entity chooses one IdP of a document with several)"
                            : ""));
    return false;
  }
  return true;
}

bool check_count(ngx_conf_t* cf, const IdpBlock& block, const IdpLine& line, std::size_t count) {
  if (count >= line.min_values && count <= line.max_values) return true;
  conf_error(cf, block.subject() + "invalid number of values for " + quoted(line.name) + ": " +
                     (line.min_values == line.max_values
                          ? "it takes " + std::to_string(line.min_values)
                          : "it takes at least " + std::to_string(line.min_values)));
  return false;
}

bool read_line(ngx_conf_t* cf, IdpBlock& block) {
  const std::vector<std::string_view> values = words(cf);
  const std::string_view name = values[0];
  const IdpLine* line = find_idp_line(name);
  if (line == nullptr) {
    const std::string_view later = later_idp_line(name);
    conf_error(cf, block.subject() + (later.empty() ? "unknown line " + quoted(name)
                                                    : quoted(name) + " " + std::string(later)));
    return false;
  }
  if (!check_count(cf, block, *line, values.size() - 1)) return false;
  const auto first = block.seen.find(name);
  if (first != block.seen.end() && !line->is_repeatable) {
    conf_error(cf, block.subject() + quoted(name) + " stands twice, the first at " +
                       place(first->second) + ": remove one of them");
    return false;
  }
  if (!check_two_sources(cf, block, name)) return false;
  if (first == block.seen.end()) block.seen.emplace(std::string(name), here(cf));
  return line->read(cf, block, values);
}

char* on_line(ngx_conf_t* cf, ngx_command_t* command, void* conf) {
  const auto* values = static_cast<const ngx_str_t*>(cf->args->elts);
  if (view(values[0]) == "include" && cf->args->nelts == 2) {
    return ngx_conf_include(cf, command, conf);
  }
  return fence<char*>(kConfError, cf->log, [&] {
    return read_line(cf, *static_cast<IdpBlock*>(conf)) ? kConfOk : kConfError;
  });
}

bool read_metadata(ngx_conf_t* cf, IdpBlock& block) {
  IdpConf& idp = block.idp;
  const Origin& origin = block.seen.find("metadata")->second;
  const std::string subject = block.subject() + "metadata";
  const auto document = read_conf_file(cf, origin, subject, idp.metadata_file, kMaxMetadataFile);
  if (!document) return false;
  auto metadata =
      saml::parse_idp_metadata(*document, block.metadata_entity, now(), kMaxMetadataFile);
  if (!metadata) {
    conf_error(cf, origin, subject + " " + quoted(idp.metadata_file) + ": " +
                               metadata.error().detail);
    return false;
  }
  std::vector<saml::Endpoint> by_hand = std::move(idp.metadata.single_logout);
  idp.metadata = std::move(metadata).value();
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

bool check_block(ngx_conf_t* cf, IdpBlock& block) {
  if (block.has("metadata")) {
    if (!read_metadata(cf, block)) return false;
  } else {
    if (block.has("metadata_entity")) {
      conf_error(cf, block.seen.find("metadata_entity")->second,
                 block.subject() + "\"metadata_entity\" without metadata: write \"entity_id\"");
      return false;
    }
    if (!check_by_hand(cf, block)) return false;
  }
  if (block.idp.name_id_format == saml::kFormatTransient &&
      block.idp.identity_rules.user_source.empty()) {
    conf_error(cf, block.seen.find("name_id_format")->second,
               block.subject() + "a transient NameID is another one at each login and cannot be "
                                 "the user: name an attribute with \"user ATTRIBUTE;\", or ask for "
                                 "\"persistent\" or \"email\"");
    return false;
  }
  block.idp.has_metadata = true;
  return true;
}

bool check_name(ngx_conf_t* cf, const MainConf& conf, std::string_view name) {
  if (!is_simple_name(name) || name == "off") {
    conf_error(cf, "\"saml_idp\" wants a name of at most 64 letters, digits, \".\", \"_\", \"-\" "
                   "(and not \"off\"), not " + quoted(name));
    return false;
  }
  if (const IdpConf* other = conf.find_idp(name)) {
    conf_error(cf, "a \"saml_idp\" block named " + quoted(name) + " stands already at " +
                       place(other->origin) + ": choose another name");
    return false;
  }
  return true;
}

// Reads up to the closing brace with our own handler.
bool parse_inside(ngx_conf_t* cf, IdpBlock& block) {
  const ngx_conf_t saved = *cf;
  cf->handler = on_line;
  cf->handler_conf = reinterpret_cast<char*>(&block);
  const char* result = ngx_conf_parse(cf, nullptr);
  *cf = saved;
  return result == kConfOk;
}

}  // namespace

bool read_idp_block(ngx_conf_t* cf, MainConf& conf) {
  const std::string name(words(cf)[1]);
  if (!check_name(cf, conf, name)) return false;
  IdpBlock block;
  block.idp.name = name;
  block.idp.display_name = name;
  block.idp.origin = here(cf);
  if (!parse_inside(cf, block) || !check_block(cf, block)) return false;
  conf.idps.push_back(std::make_unique<IdpConf>(std::move(block.idp)));
  return true;
}

}  // namespace sallyport::ngx
