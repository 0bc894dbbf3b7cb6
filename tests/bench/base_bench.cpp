// What the base layer costs at the sizes that logins and requests have.
#include <benchmark/benchmark.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/instant.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/url.h"

namespace sallyport {
namespace {

std::string mixed_bytes(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 131 + i / 7);
  return bytes;
}

void set_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(size));
}

void base64_decode_10k(benchmark::State& state) {
  const std::string text = base64_encode(mixed_bytes(10240));
  for (auto _ : state) benchmark::DoNotOptimize(base64_decode(text));
  set_bytes(state, text.size());
}
BENCHMARK(base64_decode_10k);

void base64_decode_10k_lines(benchmark::State& state) {
  const std::string text = base64_encode(mixed_bytes(10240));
  std::string lines;
  for (std::size_t i = 0; i < text.size(); i += 76) lines += text.substr(i, 76) + "\r\n";
  for (auto _ : state) benchmark::DoNotOptimize(base64_decode(lines));
  set_bytes(state, lines.size());
}
BENCHMARK(base64_decode_10k_lines);

void base64_append_500(benchmark::State& state) {
  const std::string bytes = mixed_bytes(500);
  std::string out;
  for (auto _ : state) {
    out.clear();
    base64_append(out, bytes);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(base64_append_500);

void url_append_700_of_base64(benchmark::State& state) {
  const std::string text = base64_encode(mixed_bytes(525));
  std::string out;
  for (auto _ : state) {
    out.clear();
    url_append(out, text);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(url_append_700_of_base64);

void form_decode_14k_of_base64(benchmark::State& state) {
  const std::string text = url_encode(base64_encode(mixed_bytes(10240)));
  for (auto _ : state) benchmark::DoNotOptimize(form_decode(text));
  set_bytes(state, text.size());
}
BENCHMARK(form_decode_14k_of_base64);

void is_utf8_8k_ascii(benchmark::State& state) {
  const std::string text(8192, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(is_utf8(text));
  set_bytes(state, text.size());
}
BENCHMARK(is_utf8_8k_ascii);

void is_utf8_8k_some_accents(benchmark::State& state) {
  std::string text;
  while (text.size() < 8192) text += "a name with an accent: Andr\xc3\xa9, in a sentence; ";
  for (auto _ : state) benchmark::DoNotOptimize(is_utf8(text));
  set_bytes(state, text.size());
}
BENCHMARK(is_utf8_8k_some_accents);

void sha256_43(benchmark::State& state) {
  const std::string text(43, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sha256(text));
}
BENCHMARK(sha256_43);

void derive_key_32(benchmark::State& state) {
  const std::string secret(32, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(derive_key(secret, "session"));
}
BENCHMARK(derive_key_32);

void seal_300(benchmark::State& state) {
  Sealer sealer(sha256("key"));
  SystemRandom random;
  const std::string text(300, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sealer.seal(text, "https://sp.example", random));
}
BENCHMARK(seal_300);

void open_300(benchmark::State& state) {
  Sealer sealer(sha256("key"));
  SystemRandom random;
  const auto sealed = sealer.seal(std::string(300, 'x'), "https://sp.example", random);
  for (auto _ : state) benchmark::DoNotOptimize(sealer.open(*sealed, "https://sp.example"));
}
BENCHMARK(open_300);

void random_32(benchmark::State& state) {
  SystemRandom random;
  char bytes[32];
  for (auto _ : state) benchmark::DoNotOptimize(random.fill(bytes, sizeof(bytes)));
}
BENCHMARK(random_32);

void parse_an_instant(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse_instant("2026-11-21T21:31:00.123Z"));
}
BENCHMARK(parse_an_instant);

void format_an_instant(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(format_instant(1795296660000));
}
BENCHMARK(format_an_instant);

void return_path_60(benchmark::State& state) {
  const std::string uri = "/reports/2026/11?region=north&sort=-created&page=4&lang=en-GB";
  for (auto _ : state) benchmark::DoNotOptimize(return_path(uri, 1500));
}
BENCHMARK(return_path_60);

}  // namespace
}  // namespace sallyport

BENCHMARK_MAIN();
