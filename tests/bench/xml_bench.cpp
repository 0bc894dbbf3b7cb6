// What a login's XML costs: the bare libxml2 and libcrypto work on one message, by hand with the
// key preloaded, beside the same through src/xml with all its gates and re-parses.
#include <benchmark/benchmark.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/xmlIO.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "../unit/xml_test_util.h"
#include "base/encoding.h"
#include "xml/document.h"
#include "xml/names.h"
#include "xml/signature.h"

namespace sallyport::xml {
namespace {

constexpr int kGroups = 28;  // makes the message about 7.7 KB with both signatures

std::string with_certificate() {
  test::SignatureTemplate how;
  how.signature =
      test::replaced(how.signature, "</ds:SignatureValue>",
                     "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>" +
                         test::certificate_of(test::rsa_key()).base64() +
                         "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>");
  return test::signed_response(test::Signed::kBoth, test::rsa_key(), how, kGroups);
}

const std::string& message() {
  static const std::string text = with_certificate();
  return text;
}

void must(bool held) {
  if (!held) std::abort();
}

// ---- by hand ----

xmlNode* child(xmlNode* parent, const char* name) {
  for (xmlNode* node = parent->children; node != nullptr; node = node->next) {
    if (node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, BAD_CAST name)) return node;
  }
  std::abort();
}

std::string content(xmlNode* node) {
  xmlChar* text = xmlNodeGetContent(node);
  std::string bytes = base64_decode(reinterpret_cast<const char*>(text)).value();
  xmlFree(text);
  return bytes;
}

// Exclusive canonicalization of a subtree as the document's root.
std::string canonical_subtree(xmlNode* apex) {
  xmlDoc* document = apex->doc;
  xmlNode* first = document->children;
  xmlNode* next = apex->next;
  document->children = apex;
  apex->next = nullptr;
  xmlOutputBuffer* buffer = xmlAllocOutputBuffer(nullptr);
  must(xmlC14NExecute(document, nullptr, nullptr, XML_C14N_EXCLUSIVE_1_0, nullptr, 0, buffer) >= 0);
  std::string octets(reinterpret_cast<const char*>(xmlOutputBufferGetContent(buffer)),
                     xmlOutputBufferGetSize(buffer));
  xmlOutputBufferClose(buffer);
  document->children = first;
  apex->next = next;
  return octets;
}

struct BareKey {
  EVP_PKEY* key = test::rsa_key();
  EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
};

std::string bare_sha256(const BareKey& key, const std::string& octets) {
  std::string digest(32, '\0');
  must(EVP_Digest(octets.data(), octets.size(), reinterpret_cast<unsigned char*>(digest.data()),
                  nullptr, key.sha256, nullptr) == 1);
  return digest;
}

void bare_rsa(const BareKey& key, const std::string& digest, const std::string& value) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key.key, nullptr);
  EVP_PKEY_verify_init(context);
  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
  EVP_PKEY_CTX_set_signature_md(context, key.sha256);
  must(EVP_PKEY_verify(context, reinterpret_cast<const unsigned char*>(value.data()), value.size(),
                       reinterpret_cast<const unsigned char*>(digest.data()), digest.size()) == 1);
  EVP_PKEY_CTX_free(context);
}

void bare_signature(const BareKey& key, xmlNode* element) {
  xmlNode* signature = child(element, "Signature");
  xmlNode* info = child(signature, "SignedInfo");
  bare_rsa(key, bare_sha256(key, canonical_subtree(info)),
           content(child(signature, "SignatureValue")));
  const std::string expected = content(child(child(info, "Reference"), "DigestValue"));
  xmlNode* before = signature->prev;
  before->next = signature->next;
  must(bare_sha256(key, canonical_subtree(element)) == expected);
  before->next = signature;
}

xmlDoc* bare_parse(const std::string& text) {
  xmlParserCtxt* context = xmlNewParserCtxt();
  xmlDoc* document = xmlCtxtReadMemory(
      context, text.data(), static_cast<int>(text.size()), nullptr, "UTF-8",
      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
  xmlFreeParserCtxt(context);
  must(document != nullptr);
  return document;
}

void bare_both_signed(benchmark::State& state) {
  const BareKey key;
  for (auto _ : state) {
    xmlDoc* document = bare_parse(message());
    xmlNode* response = xmlDocGetRootElement(document);
    bare_signature(key, response);
    bare_signature(key, child(response, "Assertion"));
    xmlFreeDoc(document);
  }
  state.counters["bytes"] = static_cast<double>(message().size());
}
BENCHMARK(bare_both_signed)->Unit(benchmark::kMicrosecond);

// ---- through src/xml ----

void sallyport_both_signed(benchmark::State& state) {
  initialize_parser();
  const std::vector<Certificate> certificates = {test::certificate_of(test::rsa_key())};
  const SignatureVerifier verifier(certificates, AlgorithmSet::defaults());
  const Limits limits;
  for (auto _ : state) {
    const auto document = Document::parse(message(), limits);
    must(document.ok() && check_signature_positions(*document).ok());
    const auto response = verifier.verify(document->root(), limits);
    must(response.ok());
    const auto assertion = response->root().only_child(kNsSaml, "Assertion");
    const auto signed_assertion = verifier.verify(assertion->element(), limits);
    must(signed_assertion.ok());
    benchmark::DoNotOptimize(signed_assertion->octets().data());
  }
}
BENCHMARK(sallyport_both_signed)->Unit(benchmark::kMicrosecond);

// ---- the parts ----

void bare_parse_only(benchmark::State& state) {
  for (auto _ : state) xmlFreeDoc(bare_parse(message()));
}
BENCHMARK(bare_parse_only)->Unit(benchmark::kMicrosecond);

void sallyport_parse_with_gates(benchmark::State& state) {
  for (auto _ : state) must(Document::parse(message(), Limits()).ok());
}
BENCHMARK(sallyport_parse_with_gates)->Unit(benchmark::kMicrosecond);

void bare_rsa_2048_verify(benchmark::State& state) {
  const BareKey key;
  const std::string value = test::signature_value("message", {}, test::rsa_key());
  const std::string digest = bare_sha256(key, "message");
  for (auto _ : state) bare_rsa(key, digest, value);
}
BENCHMARK(bare_rsa_2048_verify)->Unit(benchmark::kMicrosecond);

void sallyport_verify_value(benchmark::State& state) {
  const auto certificate = test::certificate_of(test::rsa_key());
  const std::string value = test::signature_value("message", {}, test::rsa_key());
  for (auto _ : state) {
    must(verify_value("message", value, SignatureAlgorithm::kRsaSha256, certificate.key()));
  }
}
BENCHMARK(sallyport_verify_value)->Unit(benchmark::kMicrosecond);

void bare_canonical_response(benchmark::State& state) {
  xmlDoc* document = bare_parse(message());
  for (auto _ : state) {
    benchmark::DoNotOptimize(canonical_subtree(xmlDocGetRootElement(document)));
  }
  xmlFreeDoc(document);
}
BENCHMARK(bare_canonical_response)->Unit(benchmark::kMicrosecond);

// Refused by the gates, at the largest size that a message may have.
void refused_attribute_bomb(benchmark::State& state) {
  std::string text = "<a";
  for (int i = 0; text.size() < 256 * 1024 - 20; ++i) text += " b" + std::to_string(i) + "='1'";
  text += "/>";
  for (auto _ : state) must(!Document::parse(text, Limits()).ok());
}
BENCHMARK(refused_attribute_bomb)->Unit(benchmark::kMicrosecond);

std::string filled(const std::string& begin, const std::string& unit, const std::string& end) {
  std::string text = begin;
  while (text.size() + unit.size() + end.size() <= 256 * 1024) text += unit;
  return text + end;
}

std::string prefixed_attributes(int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += " p:b" + std::to_string(i) + "=''";
  return all;
}

// Malformed mark-up of the largest size, an error per few bytes.
struct Hostile {
  const char* name;
  std::string text;
};

std::vector<Hostile> hostile_messages() {
  const std::string many = prefixed_attributes(15);
  std::vector<Hostile> all = {
      {"bare_ampersands", filled("<a>", "&", "</a>")},
      {"bare_ampersands_in_a_value", filled("<a b='", "&", "'/>")},
      {"open_character_references", filled("<a>", "&#", "</a>")},
      {"unknown_entities", filled("<a>", "&x;", "</a>")},
      {"references_to_no_character", filled("<a>", "&#1;", "</a>")},
      {"cdata_ends", filled("<a>", "]]>", "</a>")},
      {"two_colons", filled("<a>", "<a b:c:d='1' x:y:z=''/>", "</a>")},
      {"long_names", filled("<a>", "<" + std::string(49000, 'n') + many + "/>", "</a>")},
      {"undeclared_prefixes", filled("<a>", "<a" + many + "/>", "</a>")},
      {"attribute_twice", filled("<a>", "<a b='' b=''/>", "</a>")},
      {"relative_namespaces", filled("<a>", "<a xmlns='r'/>", "</a>")},
      {"mismatched_tags", filled("<a>", "<bbbbbbbbbb></cccccccccc>", "</a>")},
  };
  std::string scope = "<a xmlns:p='urn:p'>";
  std::string ends = "</a>";
  for (int depth = 0; depth < 19; ++depth) {
    scope += "<a";
    for (int i = 0; i < 10; ++i) scope += " xmlns:n" + std::to_string(10 * depth + i) + "='urn:n'";
    scope += ">";
    ends += "</a>";
  }
  all.push_back({"far_namespaces", filled(scope, "<a" + many + "/>", ends)});
  return all;
}

// One iteration is all of them; `worst_us` is the mean of the slowest one, which the label names.
void refused_hostile_messages(benchmark::State& state) {
  initialize_parser();
  const std::vector<Hostile> all = hostile_messages();
  std::vector<double> seconds(all.size());
  for (auto _ : state) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::clock_t start = std::clock();
      must(!Document::parse(all[i].text, Limits()).ok());
      seconds[i] += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    }
  }
  const auto worst = std::max_element(seconds.begin(), seconds.end());
  state.counters["worst_us"] = *worst * 1e6 / static_cast<double>(state.iterations());
  state.SetLabel(all[static_cast<std::size_t>(worst - seconds.begin())].name);
}
BENCHMARK(refused_hostile_messages)->Unit(benchmark::kMicrosecond);

void accepted_at_the_limits(benchmark::State& state) {
  std::string text = "<a>";
  for (int i = 0; i < 19998; ++i) text += "<b>text</b>";
  text += "</a>";
  for (auto _ : state) must(Document::parse(text, Limits()).ok());
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(accepted_at_the_limits)->Unit(benchmark::kMicrosecond);

void sign_authn_request(benchmark::State& state) {
  const auto key = test::private_key_of(test::rsa_key());
  const auto certificate = test::certificate_of(test::rsa_key());
  const std::string request =
      "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_q\">"
      "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://sp</saml:Issuer>"
      "</samlp:AuthnRequest>";
  for (auto _ : state) must(sign_enveloped(request, key, certificate).ok());
}
BENCHMARK(sign_authn_request)->Unit(benchmark::kMicrosecond);

void raw_rsa_2048_sign(benchmark::State& state) {
  const auto key = test::private_key_of(test::rsa_key());
  for (auto _ : state) must(key.sign("message", SignatureAlgorithm::kRsaSha256).ok());
}
BENCHMARK(raw_rsa_2048_sign)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sallyport::xml

BENCHMARK_MAIN();
