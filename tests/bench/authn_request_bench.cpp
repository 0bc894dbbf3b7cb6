// What the AuthnRequest adds to a redirect. The whole unauthenticated request is to stay within
// 1.35 times `return 302`.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "../unit/test_identity.h"
#include "base/c_ptr.h"
#include "base/encoding.h"
#include "base/random.h"
#include "saml/authn_request.h"

namespace sallyport::saml {
namespace {

constexpr Millis kIssued = 1795296660000;
constexpr std::string_view kRelayState = "k3J9xQ0aZt7";

AuthnRequestTemplate make_template() {
  AuthnRequestSettings settings;
  settings.sp_entity_id = "https://app.example.com/saml/metadata";
  settings.acs_url = "https://app.example.com/saml/acs";
  settings.destination = "https://idp.example.org/simplesaml/saml2/idp/SSOService.php";
  settings.authn_contexts = {"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"};
  return AuthnRequestTemplate(settings);
}

void redirect(benchmark::State& state, const xml::PrivateKey* key) {
  const AuthnRequestTemplate request = make_template();
  SystemRandom random;
  for (auto _ : state) {
    const auto id = make_request_id(random);
    auto url = request.redirect_url(*id, kIssued, kRelayState, key);
    benchmark::DoNotOptimize(url);
  }
}

void redirect_unsigned(benchmark::State& state) { redirect(state, nullptr); }
BENCHMARK(redirect_unsigned);

void redirect_rsa(benchmark::State& state) { redirect(state, &testing::rsa_identity().key); }
BENCHMARK(redirect_rsa);

void redirect_ec(benchmark::State& state) { redirect(state, &testing::ec_identity().key); }
BENCHMARK(redirect_ec);

// The signatures alone, as OpenSSL's documentation has them made: to be taken off the two above.
void signature_alone(benchmark::State& state, const xml::PrivateKey& key) {
  const std::string query(1024, 'q');
  const CPtr<EVP_MD, EVP_MD_free> sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  for (auto _ : state) {
    const CPtr<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    unsigned char value[512];
    std::size_t size = sizeof value;
    const bool is_signed =
        EVP_DigestSignInit(context.get(), nullptr, sha256.get(), nullptr, key.raw()) == 1 &&
        EVP_DigestSign(context.get(), value, &size, reinterpret_cast<const unsigned char*>(query.data()), query.size()) == 1;
    if (!is_signed) state.SkipWithError("not signed");
    benchmark::DoNotOptimize(value);
  }
}
void signature_rsa(benchmark::State& state) {
  signature_alone(state, testing::rsa_identity().key);
}
BENCHMARK(signature_rsa);
void signature_ec(benchmark::State& state) { signature_alone(state, testing::ec_identity().key); }
BENCHMARK(signature_ec);

// The usual way, for comparison: a DEFLATE stream per request.
void redirect_deflating(benchmark::State& state) {
  const AuthnRequestTemplate request = make_template();
  SystemRandom random;
  for (auto _ : state) {
    std::string document = request.document(*make_request_id(random), kIssued);
    z_stream stream{};
    deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, document.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(document.data());
    stream.avail_in = static_cast<uInt>(document.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    std::string url = request.destination() + "?SAMLRequest=" + url_encode(base64_encode(packed)) +
                      "&RelayState=" + url_encode(kRelayState);
    benchmark::DoNotOptimize(url);
  }
}
BENCHMARK(redirect_deflating);

}  // namespace
}  // namespace sallyport::saml

BENCHMARK_MAIN();
