#include "session/sealed_record.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/compress.h"
#include "base/flat.h"
#include "session/cookie.h"
#include "session/table_layout.h"

namespace sallyport::session {

namespace {

// The layout: version (1 byte), absolute end (8 bytes, big-endian milliseconds), what Sealer makes of the packed record: its size
// (4 bytes) and itself, compressed. (Nothing secret lies beside what a user or IdP chooses, so its length tells nothing.)
constexpr char kVersion = 1;
constexpr std::size_t kHead = 1 + sizeof(Millis);

// What stands in most records. Records are opened by the text that they were packed with: another one needs another version.
constexpr std::string_view kUsualTexts =
    "urn:oid:2.5.4.urn:oid:0.9.2342.19200300.100.1.urn:oid:1.3.6.1.4.1.5923.1.1.1."
    "memberOfdisplayNamegivenNamefirst_namelast_namedepartmentEurope/America/Asia/timezoneaccount_rolespace_rolespace_namegroups"
    "emailfirstnamelastname@example.comurn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistenturn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    "http://schemas.microsoft.com/identity/claims/objectidentifierhttp://schemas.microsoft.com/identity/claims/displayname"
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name/saml/metadatahttps://";

std::optional<std::string> pack(std::string_view record) {
  const auto compressed = compress(record, kUsualTexts);
  if (!compressed) return std::nullopt;
  std::string out;
  append_number(out, static_cast<std::uint32_t>(record.size()));
  return out + *compressed;
}

std::optional<std::string> unpack(std::string_view packed) {
  constexpr std::size_t kSize = sizeof(std::uint32_t);
  if (packed.size() < kSize) return std::nullopt;
  const auto size = FlatReader(packed).number<std::uint32_t>();
  if (size > kMaxRecordBytes) return std::nullopt;
  return expand(packed.substr(kSize), kUsualTexts, size);
}

Digest key_of(const Digest& secret, std::string_view cookie) {
  return derive_key(std::string(as_view(secret)) + std::string(cookie), "session record");
}

std::string context_of(std::string_view head, const SessionKey& key, std::string_view sp_entity_id) {
  std::string out(head);
  append_digest(out, key);
  append_text(out, sp_entity_id);
  return out;
}

std::string head_of(Millis ends) {
  std::string out(1, kVersion);
  append_number(out, ends);
  return out;
}

// Quick, a word at a time; who wants to can make two records with one checksum.
std::uint64_t checksum(std::uint64_t sum, std::string_view bytes) {
  sum ^= bytes.size();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), sizeof(sum)))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof(word)));
    sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
    sum ^= sum >> 29;
  }
  return sum;
}

}  // namespace

SessionSealer::SessionSealer(const Secret& secret) : secret_(secret) {
  std::string all(as_view(secret.current));
  if (secret.previous) all += as_view(*secret.previous);
  const Digest tag = derive_key(all, "seal id");
  std::memcpy(&secrets_tag_, tag.data(), sizeof(secrets_tag_));
}

std::optional<SealId> SessionSealer::id_of(std::string_view sealed) const {
  if (sealed.size() < kHead + Sealer::kOverhead) return std::nullopt;
  const std::uint64_t sum = checksum(secrets_tag_, sealed);
  static_assert(std::tuple_size<SealId>::value == Sealer::kOverhead + sizeof(sum));
  SealId id;
  const char* const nonce = sealed.data() + kHead;
  const char* const end = sealed.data() + sealed.size();
  char* const behind = std::copy(end - Sealer::kTagSize, end, std::copy(nonce, nonce + Sealer::kNonceSize, id.data()));
  std::memcpy(behind, &sum, sizeof(sum));
  return id;
}

std::optional<std::string> SessionSealer::seal(std::string_view record, std::string_view cookie,
                                               std::string_view sp_entity_id, Millis ends, Random& random) const {
  const auto key = key_of_cookie(cookie);
  const auto packed = key && record.size() <= kMaxRecordBytes ? pack(record) : std::nullopt;
  if (!packed) return std::nullopt;
  std::string out = head_of(ends);
  const auto sealed = Sealer(key_of(secret_.current, cookie)).seal(*packed, context_of(out, *key, sp_entity_id), random);
  if (!sealed || out.size() + sealed->size() > kMostSealed) return std::nullopt;
  out += *sealed;
  return out;
}

std::optional<OpenedRecord> SessionSealer::open(std::string_view sealed, std::string_view cookie,
                                                std::string_view sp_entity_id, Millis now) const {
  const auto key = key_of_cookie(cookie);
  if (!key || sealed.size() < kHead + Sealer::kOverhead || sealed.size() > kMostSealed) return std::nullopt;
  const std::string_view head = sealed.substr(0, kHead);
  const std::string_view body = sealed.substr(kHead);
  const auto ends = FlatReader(head.substr(1)).number<Millis>();
  if (head.front() != kVersion || ends <= now) return std::nullopt;
  const std::string context = context_of(head, *key, sp_entity_id);
  auto bytes = Sealer(key_of(secret_.current, cookie)).open(body, context);
  if (!bytes && secret_.previous) bytes = Sealer(key_of(*secret_.previous, cookie)).open(body, context);
  auto record = bytes ? unpack(*bytes) : std::nullopt;
  if (!record) return std::nullopt;
  return OpenedRecord{std::move(*record), ends};
}

}  // namespace sallyport::session
