// The mutation run: signed messages edited at random, under the promise that whatever is accepted says
// exactly what was signed, to xmlsec1 too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport::fuzz {

struct MutationCounts {
  std::uint64_t tried = 0;
  std::uint64_t unchanged = 0;  // the edit left the message as it was; not counted below
  std::uint64_t accepted = 0;   // with the signed identity
  std::uint64_t refused = 0;
};

struct Violation {
  std::uint64_t number;  // of the mutation: run again with this as `first`
  std::string message;   // the genuine one's name and the edits
  std::string text;      // as it was accepted
  std::string why;
};

struct MutationReport {
  std::map<std::string, MutationCounts> by_kind;  // of the edits; "several" for more than one
  std::map<std::string, std::uint64_t> reasons;   // of refusals
  std::vector<Violation> violations;
  MutationCounts total() const;
};

// Mutations number `first` to `first + count - 1` of the sequence that `seed` names.
MutationReport run_mutations(std::uint64_t seed, std::uint64_t first, std::uint64_t count);

}  // namespace sallyport::fuzz
