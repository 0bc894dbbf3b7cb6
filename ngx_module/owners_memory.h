// Who has what only one saml_idp may have, among the files of saml_idp_directory: one worker tells; the others, a reload and the
// next start remember.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "metadata_copy.h"

namespace sallyport::ngx {

// What a saml_idp wants for itself alone.
struct Claims {
  std::set<std::string> domains;  // patterns of email_domains
  std::string entity_id;          // with allow_unsolicited; empty: none

  bool empty() const { return domains.empty() && entity_id.empty(); }
  bool operator==(const Claims& other) const { return domains == other.domains && entity_id == other.entity_id; }
  bool operator!=(const Claims& other) const { return !(*this == other); }
};
using Owners = std::map<std::string, Claims, std::less<>>;  // by name of the saml_idp

// One text, whose digest tells whether it is complete.
std::string encode_owners(const Owners& owners);
std::optional<Owners> decode_owners(std::string_view text);

// A file in memory alone that master and workers share, from the first call in the master on; a restart of nginx forgets it.
void share_owners();
// What it holds; nullopt: nothing yet.
std::optional<Owners> shared_owners();
FileState shared_owners_state();

// What is shared, else what `file` (empty: none) remembers of the time before this start; nullopt: nobody knows anything.
std::optional<Owners> recall_owners(const std::string& file);
// To both. What was wrong with the file; empty: nothing.
std::string remember_owners(const Owners& owners, const std::string& file);

}  // namespace sallyport::ngx
