// The mutation run as a program: mutate_signed COUNT [SEED [FIRST]]. Prints what became of the messages,
// ends with "N passed, N failed" and fails on any violation.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/mutation_run.h"

namespace {

using sallyport::fuzz::MutationCounts;
using sallyport::fuzz::MutationReport;

void print_counts(const char* kind, const MutationCounts& counts) {
  std::printf("%-10s %10llu tried %9llu unchanged %10llu refused %10llu accepted as signed\n", kind,
              static_cast<unsigned long long>(counts.tried),
              static_cast<unsigned long long>(counts.unchanged),
              static_cast<unsigned long long>(counts.refused),
              static_cast<unsigned long long>(counts.accepted));
}

void print(const MutationReport& report) {
  for (const auto& [kind, counts] : report.by_kind) print_counts(kind.c_str(), counts);
  print_counts("all", report.total());
  for (const auto& [reason, count] : report.reasons) {
    std::printf("  refused as %-24s %10llu\n", reason.c_str(),
                static_cast<unsigned long long>(count));
  }
  for (const auto& violation : report.violations) {
    std::printf("VIOLATION number %llu, %s:\n%s\n%s\n",
                static_cast<unsigned long long>(violation.number), violation.message.c_str(),
                violation.why.c_str(), violation.text.c_str());
  }
}

std::uint64_t argument(int count, char** values, int at, std::uint64_t without) {
  return at < count ? std::strtoull(values[at], nullptr, 10) : without;
}

}  // namespace

int main(int count, char** values) {
  const std::uint64_t wanted = argument(count, values, 1, 0);
  const std::uint64_t seed = argument(count, values, 2, 1);
  const std::uint64_t first = argument(count, values, 3, 0);
  if (wanted == 0) {
    std::fprintf(stderr, "usage: mutate_signed COUNT [SEED [FIRST]]\n");
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  const MutationReport report = sallyport::fuzz::run_mutations(seed, first, wanted);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  print(report);
  const std::size_t violations = report.violations.size();
  std::printf("seed %llu, from number %llu: %llu mutations in %.0f s, %zu violations\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(wanted), took.count(), violations);
  std::printf("%d passed, %d failed\n", violations == 0 ? 1 : 0, violations == 0 ? 0 : 1);
  return violations == 0 ? 0 : 1;
}
