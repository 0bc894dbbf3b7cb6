// A login from message to record, beside the bare libxml2 and libcrypto work that the same message
// cannot do without (docs/PERFORMANCE.md: at most 1.5 times), and the way to the IdP.
#include <benchmark/benchmark.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "../unit/login_fixture.h"
#include "login/begin_login.h"
#include "login/resolve_login.h"
#include "xml/document.h"

namespace {

using namespace sallyport;

// Both signed, as most IdPs do it: 10 attributes, 20 groups.
const std::string& message() {
  static const std::string text = base64_encode(
      login_test::response_xml(login_test::company_response(), login_test::Signed::kBoth));
  return text;
}

void require(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "finish_login_bench: %s\n", what);
  std::exit(1);
}

void BM_FinishLogin(benchmark::State& state) {
  xml::initialize_parser();
  const login::Trust trust = login_test::make_trust();
  login::FinishLogin input;
  input.trust = &trust;
  input.saml_response = message();
  input.request_id = login_test::kRequestId;
  input.now = login_test::kNow;
  for (auto _ : state) {
    const auto login = login::finish_login(input);
    require(login.ok(), "the login was refused");
    benchmark::DoNotOptimize(login->record.data());
  }
  state.counters["message"] = static_cast<double>(message().size());
}
BENCHMARK(BM_FinishLogin)->Unit(benchmark::kMicrosecond);

// ---- the bare work: key and algorithms loaded beforehand, nothing checked but the signatures ----

xmlNode* child(xmlNode* parent, const char* name) {
  for (xmlNode* node = parent->children; node != nullptr; node = node->next) {
    if (node->type == XML_ELEMENT_NODE &&
        std::strcmp(reinterpret_cast<const char*>(node->name), name) == 0) {
      return node;
    }
  }
  require(false, name);
  return nullptr;
}

std::string decoded(const char* base64, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    if (base64[i] != '\n' && base64[i] != '\r') text += base64[i];
  }
  std::string out(text.size() / 4 * 3, '\0');
  const int bytes = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()));
  require(bytes >= 0, "not base64");
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(bytes) - padding);
  return out;
}

std::string decoded_text(xmlNode* node) {
  const auto* text = reinterpret_cast<const char*>(node->children->content);
  return decoded(text, std::strlen(text));
}

// Exclusive C14N of one element where it stands; the document shows nothing else meanwhile.
std::string canonical(xmlNode* apex) {
  xmlDoc* doc = apex->doc;
  xmlNode* first = doc->children;
  xmlNode* next = apex->next;
  doc->children = apex;
  apex->next = nullptr;
  xmlOutputBuffer* buffer = xmlAllocOutputBuffer(nullptr);
  const int written = xmlC14NExecute(doc, nullptr, nullptr, XML_C14N_EXCLUSIVE_1_0, nullptr, 0,
                                     buffer);
  require(written >= 0, "no canonical form");
  std::string octets(reinterpret_cast<const char*>(xmlOutputBufferGetContent(buffer)),
                     xmlOutputBufferGetSize(buffer));
  xmlOutputBufferClose(buffer);
  doc->children = first;
  apex->next = next;
  return octets;
}

// The message and the certificate that signed it, of files if named: scripts/bench has the message posted
// to nginx measured.
std::string bare_message() {
  const char* file = std::getenv("SALLYPORT_BENCH_MESSAGE");
  if (file == nullptr) return message();
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

EVP_PKEY* bare_key() {
  const char* file = std::getenv("SALLYPORT_BENCH_CERTIFICATE");
  if (file == nullptr) return testing::rsa_identity().certificate.key().raw();
  BIO* in = BIO_new_file(file, "r");
  require(in != nullptr, "no certificate");
  X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  require(certificate != nullptr, "not a certificate");
  return X509_get_pubkey(certificate);  // kept until the end, with the certificate
}

struct Bare {
  EVP_PKEY* key = bare_key();
  EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  std::array<unsigned char, 32> digest(const std::string& octets) {
    std::array<unsigned char, 32> out;
    EVP_DigestInit_ex2(context, sha256, nullptr);
    EVP_DigestUpdate(context, octets.data(), octets.size());
    EVP_DigestFinal_ex(context, out.data(), nullptr);
    return out;
  }

  void verify(xmlNode* parent) {
    xmlNode* signature = child(parent, "Signature");
    xmlNode* info = child(signature, "SignedInfo");
    const auto info_digest = digest(canonical(info));
    const std::string value = decoded_text(child(signature, "SignatureValue"));
    EVP_PKEY_CTX* verification = EVP_PKEY_CTX_new(key, nullptr);
    EVP_PKEY_verify_init(verification);
    EVP_PKEY_CTX_set_signature_md(verification, sha256);
    require(EVP_PKEY_verify(verification, reinterpret_cast<const unsigned char*>(value.data()),
                            value.size(), info_digest.data(), info_digest.size()) == 1,
            "bad signature value");
    EVP_PKEY_CTX_free(verification);
    const std::string expected = decoded_text(child(child(info, "Reference"), "DigestValue"));
    xmlNode* before = signature->prev;
    before->next = signature->next;
    const auto element_digest = digest(canonical(parent));
    before->next = signature;
    require(expected.size() == 32 &&
                std::memcmp(expected.data(), element_digest.data(), 32) == 0,
            "bad digest");
  }
};

void BM_BareWork(benchmark::State& state) {
  xml::initialize_parser();
  Bare bare;
  const std::string text = bare_message();
  for (auto _ : state) {
    const std::string document = decoded(text.data(), text.size());
    xmlDoc* doc = xmlReadMemory(document.data(), static_cast<int>(document.size()), nullptr,
                                nullptr, XML_PARSE_NONET);
    require(doc != nullptr, "not XML");
    xmlNode* response = xmlDocGetRootElement(doc);
    bare.verify(response);
    bare.verify(child(response, "Assertion"));
    xmlFreeDoc(doc);
  }
}
BENCHMARK(BM_BareWork)->Unit(benchmark::kMicrosecond);

// ---- the way to the IdP ----

void BM_BeginLogin(benchmark::State& state) {
  const login::Trust trust = login_test::make_trust();
  session::CookieSettings cookie;
  cookie.name = "__Host-saml_session";
  cookie.secure = true;
  session::LoginStateCodec codec(sha256("secret"));
  SystemRandom random;
  login::BeginLogin request;
  request.trust = &trust;
  request.site_entity_id = trust.sp_entity_id;
  request.cookie = &cookie;
  request.return_url = "/reports?year=2026&quarter=4";
  request.now = login_test::kNow;
  for (auto _ : state) {
    const auto begun = login::begin_login(request, codec, random);
    require(begun.ok(), "no login begun");
    benchmark::DoNotOptimize(begun->location.data());
  }
}
BENCHMARK(BM_BeginLogin)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
