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
#include "session/table_layout.h"

namespace sallyport::session {

// Text fields; the first ones are the standard headers, in the form of policy/identity_headers. Those up to
// kHost lie in the front of the record, the others and the attributes behind it.
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
  kHost,             // whose login was handed over (handover.h); empty: the one of the ACS
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

// By which rules the record's identity was resolved: a digest of them, and which configuration of this nginx
// had them (each one that is loaded has a higher number).
struct Resolution {
  std::uint64_t rules = 0;
  std::uint32_t generation = 0;
};

// What a session counts for (decision 6): SP entity ID, saml_idp name and IdP entity ID, hashed
// once per configuration and compared at every request.
Digest session_binding(std::string_view sp_entity_id, std::string_view idp_name,
                       std::string_view idp_entity_id);

class RecordBuilder {
 public:
  void set_binding(const Digest& binding) { binding_ = binding; }
  void set_times(Millis created, Millis authn_instant, Millis expires);
  void set_resolution(const Resolution& resolution) { resolution_ = resolution; }
  // How many of the spaces, at their end, the operator's list gives.
  void set_listed_spaces(std::size_t count) { listed_spaces_ = static_cast<std::uint16_t>(count); }
  void set(Field field, std::string_view encoded);
  // `name` as the IdP sent it; the values as an encoded list.
  void add_attribute(std::string_view name, std::string_view encoded_list);
  // Equal texts are stored once. nullopt when the record would exceed 65,535 bytes.
  std::optional<std::string> build() const;

 private:
  std::string head(std::size_t front_size) const;

  Digest binding_{};
  Millis created_ = 0;
  Millis authn_instant_ = 0;
  Millis expires_ = 0;
  Resolution resolution_;
  std::uint16_t listed_spaces_ = 0;
  std::string fields_[kFieldCount];
  std::vector<std::pair<std::string, std::string>> attributes_;
};

// A view of a record, or of the front of one; valid as long as the bytes. Every offset is checked by open(), so
// that reading never leaves them, whatever the store held.
class RecordView {
 public:
  static std::optional<RecordView> open(std::string_view bytes);
  // The same of at least the front: what is behind it (fields after kHost, attributes) looks as if it was empty.
  static std::optional<RecordView> open_front(std::string_view bytes);

  std::string_view binding() const;  // the bytes of a Digest
  bool is_bound_to(const Digest& binding) const;
  Millis created() const;
  Millis authn_instant() const;
  Millis expires() const;
  Resolution resolution() const;
  std::size_t listed_spaces() const;
  // Whether open() made it, so that nothing is missing.
  bool is_whole() const { return is_whole_; }
  // How many bytes the front has.
  std::size_t front_size() const;
  std::string_view field(Field field) const;

  std::size_t attribute_count() const;
  std::pair<std::string_view, std::string_view> attribute(std::size_t index) const;
  // The encoded list of the attribute with that exact Name; nullopt when there is none.
  std::optional<std::string_view> find_attribute(std::string_view name) const;
  // By the name of a variable: `$saml_attr_NAME` compares in lower case with every byte other than a letter or
  // digit as '_'; the first that fits.
  std::optional<std::string_view> find_attribute_folded(std::string_view folded) const;

 private:
  explicit RecordView(std::string_view bytes, bool is_whole = false)
      : bytes_(bytes), is_whole_(is_whole) {}
  bool refers_inside(std::size_t begin, std::size_t end, std::size_t limit) const;

  std::string_view bytes_;
  bool is_whole_;
};

// The bytes of a record as the table of sessions wants them: with its front. All of them where they are none.
Record with_front(std::string_view bytes);

}  // namespace sallyport::session
