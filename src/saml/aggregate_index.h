// Where each entity stands in a federation's metadata (EntitiesDescriptor, SAML Metadata 2.3.1), so that one out of ten thousand is
// read without a tree of all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace sallyport::saml {

// Up to `size` bytes at `offset`; fewer only at the end of all. Errors are the reader's.
using ReadAt = std::function<Result<std::string>(std::uint64_t offset, std::size_t size)>;

class AggregateIndex {
 public:
  // One pass in pieces of 256 KB. Only what finds the entities is looked at: tags, comments, CDATA sections. What an entity
  // holds is judged when it is read. Reason: config_invalid, in an operator's words; or the reader's.
  static Result<AggregateIndex> build(const ReadAt& read);

  std::size_t size() const { return entities_.size(); }
  // A document of that EntityDescriptor alone, inside the start tags that hold it in the whole: with their namespaces and
  // lifetimes. `read` reads the same bytes. Reason: config_invalid where it is not there, or stands twice; or the reader's.
  Result<std::string> document_of(std::string_view entity_id, const ReadAt& read) const;

 private:
  friend class AggregateScan;
  struct Entity {
    std::uint64_t offset;
    std::uint64_t size;
    std::size_t group;   // in groups_
    bool stands_twice;
  };
  // An EntitiesDescriptor.
  struct Group {
    std::size_t outer;   // kNone: it is the root
    std::string start_tag;
    std::string end_tag;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::unordered_map<std::string, Entity> entities_;
  std::vector<Group> groups_;
};

}  // namespace sallyport::saml
