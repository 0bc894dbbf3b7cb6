// That what was not signed cannot be read as an assertion is a matter of types: those that carry verified octets are made by
// the signature check and by the decryption of what it verified, and the reader of assertions takes nothing else. What the
// compiler would let through is said here; it need not run.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "saml/assertion.h"
#include "signature_test_util.h"
#include "xml/canonical_tree.h"
#include "xml/decryption.h"
#include "xml/document.h"
#include "xml/signature.h"

namespace sallyport::xml {
namespace {

// Not from nothing, not by listing its members, not from any of the sources.
template <class Carrier, class... Sources>
constexpr bool kCannotBeMadeOf = !std::is_default_constructible_v<Carrier> && !std::is_aggregate_v<Carrier> &&
                                 (... && !std::is_constructible_v<Carrier, Sources>) &&
                                 (... && !std::is_assignable_v<Carrier&, Sources>);

template <class Carrier>
constexpr bool kCannotBeMade =
    kCannotBeMadeOf<Carrier, Element, const Element&, Element&&, _xmlNode*, Document, Document&, CanonicalTree, CanonicalTree&,
                    std::string, std::string_view, const char*, std::nullptr_t, Element::Iterator, Element::Children>;

static_assert(kCannotBeMade<SignedElement>);
static_assert(kCannotBeMade<SignedElement::Iterator>);
static_assert(kCannotBeMade<SignedElement::Children>);
static_assert(kCannotBeMade<SignedDocument>);
static_assert(kCannotBeMade<SignedPlaintext>);
static_assert(!std::is_constructible_v<SignedDocument, CanonicalTree, SignatureAlgorithm>);
static_assert(!std::is_constructible_v<SignedPlaintext, SignedElement>);
// The probes find a way where there is one.
static_assert(!kCannotBeMadeOf<Element, _xmlNode*>);
static_assert(!kCannotBeMadeOf<Element, SignedElement> && std::is_convertible_v<SignedElement, const Element&>);

template <class Holder>
using Decrypted = decltype(std::declval<Decrypter&>().decrypt(std::declval<Holder>()));
static_assert(std::is_same_v<Decrypted<const SignedElement&>, Result<SignedPlaintext>>);
static_assert(std::is_same_v<Decrypted<const Element&>, Result<Document>>);
static_assert(std::is_same_v<decltype(std::declval<SignatureVerifier&>().verify(std::declval<Element>(), Limits())),
                             Result<SignedDocument>>);

template <class Input>
constexpr bool kIsReadAsAssertion = std::is_invocable_v<decltype(&saml::parse_assertion), Input, Decrypter&>;
static_assert(kIsReadAsAssertion<SignedElement> && kIsReadAsAssertion<const SignedElement&>);
static_assert(!kIsReadAsAssertion<Element> && !kIsReadAsAssertion<const Element&>);
static_assert(!kIsReadAsAssertion<Document> && !kIsReadAsAssertion<SignedDocument> && !kIsReadAsAssertion<std::string>);

// All that a signed element hands on is inside of the octets that were digested, in their order.
TEST(SignedTypes, ChildrenAreTheVerifiedOnes) {
  EVP_PKEY* const key = test::rsa_key();
  const auto verified = test::verify(test::signed_response(test::Signed::kResponse, key), "_r", key);
  ASSERT_TRUE(verified.ok()) << verified.error().detail;
  const SignedElement root = verified->root();
  std::string names;
  for (const SignedElement& child : root.children()) {
    const std::string_view octets = CanonicalTree::octets_of(child);
    EXPECT_GE(octets.data(), verified->octets().data());
    EXPECT_LE(octets.data() + octets.size(), verified->octets().data() + verified->octets().size());
    names += std::string(child.element().local_name()) + " ";
  }
  EXPECT_EQ(names, "Issuer Status Assertion ");
}

}  // namespace
}  // namespace sallyport::xml
