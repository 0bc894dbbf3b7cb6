#include "mutation_run.h"

#include <iterator>

#include "genuine.h"
#include "second_opinion.h"
#include "xml_edits.h"

namespace sallyport::fuzz {
namespace {

struct Mutated {
  const Genuine* from = nullptr;
  std::string kind;
  std::string edits;
  std::string text;
};

// Half of them by one edit, the others by two to five.
Mutated mutate(const GenuineMessages& genuine, Dice& dice) {
  Mutated out;
  out.from = &genuine.messages[dice.below(genuine.messages.size())];
  out.text = out.from->text;
  const std::size_t edits = dice.once_in(2) ? 1 : 2 + dice.below(4);
  for (std::size_t i = 0; i < edits; ++i) {
    const Edit edit = dice.pick(kAllEdits);
    const Genuine& other = genuine.messages[dice.below(genuine.messages.size())];
    out.text = edited(out.text, edit, other.text, dice);
    out.edits += i == 0 ? "" : ", ";
    out.edits += name_of(edit);
  }
  out.kind = edits == 1 ? out.edits : "several";
  return out;
}

// Empty when all is well.
std::string violation_of(const Mutated& mutated, const saml::VerifiedResponse& accepted,
                         const GenuineMessages& genuine) {
  std::string why;
  const Genuine* const said = genuine.find(accepted);
  if (said == nullptr) return "nobody signed this:\n" + describe(accepted.assertion);
  return is_confirmed(mutated.text, accepted, genuine.keys, why) ? "" : why;
}

}  // namespace

MutationCounts MutationReport::total() const {
  MutationCounts sum;
  for (const auto& [kind, counts] : by_kind) {
    sum.tried += counts.tried;
    sum.unchanged += counts.unchanged;
    sum.accepted += counts.accepted;
    sum.refused += counts.refused;
  }
  return sum;
}

MutationReport run_mutations(std::uint64_t seed, std::uint64_t first, std::uint64_t count) {
  const GenuineMessages& genuine = genuine_messages();
  MutationReport report;
  for (std::uint64_t number = first; number < first + count; ++number) {
    // Each number has a sequence of its own, so that one can be run by itself.
    Dice dice(Dice(seed).next() ^ Dice(number).next());
    const Mutated mutated = mutate(genuine, dice);
    MutationCounts& counts = report.by_kind[mutated.kind];
    ++counts.tried;
    if (mutated.text == mutated.from->text) {
      ++counts.unchanged;
      continue;
    }
    const auto response = read_message(mutated.text, genuine.certificates);
    if (!response.ok()) {
      ++counts.refused;
      ++report.reasons[std::string(reason_word(response.error().reason))];
      continue;
    }
    std::string why = violation_of(mutated, *response, genuine);
    if (why.empty()) {
      ++counts.accepted;
    } else {
      report.violations.push_back(
          {number, mutated.from->name + " (" + mutated.edits + ")", mutated.text, std::move(why)});
    }
  }
  return report;
}

}  // namespace sallyport::fuzz
