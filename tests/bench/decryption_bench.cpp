// The decrypt step of a login: an 8 KB assertion under AES-256-GCM, its key under RSA-OAEP; and the most
// that a sender can make it cost, keys for others in the places of ours.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "../unit/encryption_test_util.h"
#include "xml/decryption.h"

namespace sallyport::xml {
namespace {

EVP_PKEY* key_of(unsigned bits) {
  static const test::Key k2048 = test::make_rsa(2048);
  static const test::Key k3072 = test::make_rsa(3072);
  static const test::Key k4096 = test::make_rsa(4096);
  return bits == 2048 ? k2048.get() : bits == 3072 ? k3072.get() : k4096.get();
}

void decrypt(benchmark::State& state, EVP_PKEY* recipient, EVP_PKEY* own, std::size_t wrapped_keys) {
  test::KeyWrapping wrapping;
  wrapping.recipient = recipient;
  test::Encryption how;
  how.keys.assign(wrapped_keys, wrapping);
  const std::string plain = "<a>" + std::string(8000, 'x') + "</a>";
  const auto document = Document::parse(test::encrypted(plain, how), Limits());
  const std::vector<DecryptionKey> keys = {{test::private_key_of(own), test::certificate_of(own)}};
  for (auto _ : state) {
    Decrypter decrypter(keys, EncryptionSet::defaults(), Limits());
    const auto inside = decrypter.decrypt(document->root());
    if (inside.ok() != (recipient == own)) std::abort();
  }
}

void good(benchmark::State& state) {
  EVP_PKEY* const own = key_of(static_cast<unsigned>(state.range(0)));
  decrypt(state, own, own, 1);
}

// Four keys of the right length that are not for us.
void worst(benchmark::State& state) {
  EVP_PKEY* const own = key_of(static_cast<unsigned>(state.range(0)));
  const test::Key other = test::make_rsa(static_cast<unsigned>(state.range(0)));
  decrypt(state, other.get(), own, 4);
}

BENCHMARK(good)->Name("decrypt")->Arg(2048)->Arg(3072)->Arg(4096)->Unit(benchmark::kMicrosecond);
BENCHMARK(worst)->Name("refuse")->Arg(2048)->Arg(3072)->Arg(4096)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sallyport::xml

BENCHMARK_MAIN();
