// A session as one flat record: encoded once at login, read without parsing at every request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"

namespace sallyport::session {

// Text fields; the first ones are the standard headers, in the form of policy/identity_headers.
enum class Field : std::uint8_t {
  kUser,
  kEmail,
  kFirstName,
  kLastName,
  kDisplayName,
  kPicture,
  kTimezone,
  kSpaces,
  kRoles,
  kGroups,
  kAccountRole,
  kIdp,              // name of the saml_idp block
  kNameId,           // encoded as a value, like the following
  kNameIdFormat,
  kNameQualifier,
  kSpNameQualifier,
  kSessionIndex,
  kAuthnContext,
  kIdpEntityId,
  kSpEntityId,
  kCount
};
constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kCount);

// What a session counts for (decision 6): SP entity ID, saml_idp name and IdP entity ID, hashed
// once per configuration and compared at every request.
Digest session_binding(std::string_view sp_entity_id, std::string_view idp_name,
                       std::string_view idp_entity_id);

class RecordBuilder {
 public:
  void set_binding(const Digest& binding) { binding_ = binding; }
  void set_times(Millis created, Millis authn_instant, Millis expires);
  void set(Field field, std::string_view encoded);
  // `name` as the IdP sent it; the values as an encoded list.
  void add_attribute(std::string_view name, std::string_view encoded_list);
  // Equal texts are stored once. nullopt when the record would exceed 64 KB.
  std::optional<std::string> build() const;

 private:
  Digest binding_{};
  Millis created_ = 0;
  Millis authn_instant_ = 0;
  Millis expires_ = 0;
  std::string fields_[kFieldCount];
  std::vector<std::pair<std::string, std::string>> attributes_;
};

// A view of a record; valid as long as the bytes. Every offset is checked by open(), so that
// reading never leaves them, whatever the store held.
class RecordView {
 public:
  static std::optional<RecordView> open(std::string_view bytes);

  bool is_bound_to(const Digest& binding) const;
  Millis created() const;
  Millis authn_instant() const;
  Millis expires() const;
  std::string_view field(Field field) const;

  std::size_t attribute_count() const;
  std::pair<std::string_view, std::string_view> attribute(std::size_t index) const;
  // The encoded list of the attribute with that exact Name; nullopt when there is none.
  std::optional<std::string_view> find_attribute(std::string_view name) const;
  // By the name of a variable: `$saml_attr_NAME` compares in lower case with every byte other than a letter or
  // digit as '_'; the first that fits.
  std::optional<std::string_view> find_attribute_folded(std::string_view folded) const;

 private:
  explicit RecordView(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

}  // namespace sallyport::session
