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

// Whether it is within that part of what a message may have.
inline bool is_within(const std::string& message, std::size_t share) {
  constexpr std::size_t kAround = 100;  // what stands around the plaintext
  xml::Limits limits;
  limits.elements = limits.elements / share - kAround;
  limits.attributes = limits.attributes / share - kAround;
  limits.namespace_lookups = limits.namespace_lookups / share - 10 * kAround;
  const auto document = xml::Document::parse(message, xml::Limits());
  return !document.ok() || xml::Document::parse(message, limits).ok();
}

// The filling as often as makes a message of so many bytes when it is encrypted, or as the limits take.
inline std::string encrypted_filling(const Filling& filling, std::size_t size, std::size_t share,
                                     const test::Encryption& how) {
  const std::size_t around = with_encrypted_assertion(changed_after_signing(filling.begin + filling.end), how).size();
  std::size_t units = std::min(room_for(filling.unit, 8192), (size - around - 8) / 4 * 3 / filling.unit.size());
  const auto filled = [&] { return changed_after_signing(filling.begin + repeated(filling.unit, units) + filling.end); };
  while (!is_within(filled(), share)) units -= units / 32 + 1;
  return with_encrypted_assertion(filled(), how);
}

inline std::vector<CostlyMessage> costly_encrypted_messages() {
  struct Case {
    unsigned bits;
    std::size_t wrong;
    std::size_t size;
    std::size_t share;
  };
  // The most operations that are made with each key, in a message as large as that many are made in.
  constexpr std::size_t kSmall = 96 * 1024;
  const std::vector<Case> cases = {{2048, 3, kLargest, 2}, {3072, 3, kSmall, 4}, {3072, 1, kLargest, 2},
                                   {4096, 1, kSmall, 4},   {4096, 0, kLargest, 2}};
  std::vector<CostlyMessage> all;
  for (const OwnKey& own : own_keys()) {
    for (const auto& [bits, wrong, size, share] : cases) {
      if (bits != own.bits) continue;
      for (const Filling& filling : fillings()) {
        all.push_back({"162: RSA-" + std::to_string(bits) + ", " + std::to_string(wrong + 1) + " keys: " + filling.name,
                       form_of(encrypted_filling(filling, size, share, for_us(own, wrong))), "decryption_failed"});
      }
    }
  }
  return all;
}

}  // namespace sallyport::testing
