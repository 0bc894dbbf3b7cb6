// Costly messages whose dearest part is encrypted for us, with as many keys for others as may be tried before ours. Row
// 162 of tests/ATTACKS.md.
#pragma once

#include <string>
#include <vector>

#include "costly_messages.h"
#include "encryption_test_util.h"
#include "xml/decryption.h"

namespace sallyport::testing {

struct OwnKey {
  unsigned bits;
  test::Key key;
};

// Of each length that costs otherwise.
inline const std::vector<OwnKey>& own_keys() {
  static const std::vector<OwnKey> keys = [] {
    std::vector<OwnKey> made;
    for (const unsigned bits : {2048u, 3072u, 4096u}) made.push_back({bits, test::make_rsa(bits)});
    return made;
  }();
  return keys;
}

// An IdP that may encrypt for any of them.
inline login::Trust costly_trust() {
  login::Trust trust = login_test::make_trust();
  for (const OwnKey& own : own_keys()) {
    trust.decryption_keys.push_back({test::private_key_of(own.key.get()), test::certificate_of(own.key.get())});
  }
  return trust;
}

// Four keys: `wrong` that are as long, but were wrapped otherwise than they say, then ours.
inline test::Encryption for_us(const OwnKey& own, std::size_t wrong) {
  test::KeyWrapping right;
  right.recipient = own.key.get();
  test::KeyWrapping spoilt = right;
  spoilt.digest = "SHA256";
  test::Encryption how;
  how.keys.assign(wrong, spoilt);
  how.keys.push_back(right);
  return how;
}

// The Assertion of an unsigned Response encrypted.
inline std::string with_encrypted_assertion(const std::string& message, const test::Encryption& how) {
  constexpr std::string_view kEnd = "</saml:Assertion>";
  const std::size_t begin = message.find("<saml:Assertion");
  const std::size_t end = message.find(kEnd) + kEnd.size();
  return message.substr(0, begin) + test::encrypted(message.substr(begin, end - begin), how) + message.substr(end);
}

// Whether it is within so many eighths of what a message may have.
inline bool is_within(const std::string& message, std::size_t eighths) {
  constexpr std::size_t kAround = 100;  // what stands around what is counted
  xml::Limits limits;
  limits.elements = limits.elements * eighths / 8 - kAround;
  limits.attributes = limits.attributes * eighths / 8 - kAround;
  limits.namespace_lookups = limits.namespace_lookups * eighths / 8 - 10 * kAround;
  return xml::Document::parse(message, limits).ok();
}

// The filling as often as that, and as makes of `around` no more than `size` bytes.
inline std::string most_of(const Filling& filling, std::size_t eighths, std::size_t size) {
  const std::string scope = "<r xmlns:saml='" + std::string(xml::kNsSaml) + "'>";
  const auto repeat = [&](std::size_t units) { return filling.begin + repeated(filling.unit, units) + filling.end; };
  const std::size_t bare = repeat(0).size();
  std::size_t units = size > bare ? (size - bare) / filling.unit.size() : 0;
  units = std::min(units, room_for(filling.unit, 8192));
  while (units > 0 && !is_within(scope + repeat(units) + "</r>", eighths)) units -= units / 32 + 1;
  return repeat(units);
}

// A message of so many bytes: the plaintext filled, and what stands around it too, as far as they may be.
inline std::string encrypted_filling(const Filling& filling, std::size_t size, std::size_t eighths,
                                     const test::Encryption& how) {
  const std::size_t bare = with_encrypted_assertion(changed_after_signing(""), how).size();
  const std::size_t room = size - bare - 256;
  const std::string inside = most_of(filling, eighths, room / 8 * 7 / 4 * 3);
  const std::string outside = most_of(filling, 1, room - (inside.size() + 2) / 3 * 4);
  const std::string message = with_encrypted_assertion(changed_after_signing(inside), how);
  const std::string extensions = "<samlp:Extensions xmlns:saml='" + std::string(xml::kNsSaml) + "'>" + outside + "</samlp:Extensions>";
  return std::string(message).insert(message.find("<samlp:Status>"), extensions);
}

// More keys, and references to them, than are looked at.
inline std::vector<CostlyMessage> crowds_of_keys() {
  const std::string message = with_encrypted_assertion(changed_after_signing(""), for_us(own_keys().front(), 0));
  const auto with = [&](std::size_t keys, std::size_t references) {
    const std::string crowd = repeated("<xenc:EncryptedKey/>", keys) + "<xenc:EncryptedKey Id='k'/>";
    std::string all = test::replaced(message, "</xenc:EncryptedData>", "</xenc:EncryptedData>" + crowd);
    return form_of(test::replaced(all, "<ds:KeyInfo>", "<ds:KeyInfo>" + repeated("<ds:RetrievalMethod URI='#k'/>", references)));
  };
  return {{"162: 1,200 keys and references", with(1200, 1200), "xml_limits"},
          {"162: 2,400 references", with(1, 2400), "structure_invalid"}};
}

inline std::vector<CostlyMessage> costly_encrypted_messages() {
  struct Case {
    unsigned bits;
    std::size_t wrong;
    std::size_t size;
    std::size_t eighths;
  };
  // The most operations that are made with each key, in a message as large as that many are made in.
  constexpr std::size_t kSmall = 96 * 1024;
  const std::vector<Case> cases = {{2048, 3, kLargest, 3}, {3072, 3, kSmall, 1}, {3072, 1, kLargest, 3},
                                   {4096, 1, kSmall, 1},   {4096, 0, kLargest, 3}};
  std::vector<CostlyMessage> all = crowds_of_keys();
  for (const OwnKey& own : own_keys()) {
    for (const auto& [bits, wrong, size, eighths] : cases) {
      if (bits != own.bits) continue;
      for (const Filling& filling : fillings()) {
        all.push_back({"162: RSA-" + std::to_string(bits) + ", " + std::to_string(wrong + 1) + " keys: " + filling.name,
                       form_of(encrypted_filling(filling, size, eighths, for_us(own, wrong))), "decryption_failed"});
      }
    }
  }
  return all;
}

}  // namespace sallyport::testing
