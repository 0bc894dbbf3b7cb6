#include "saml/aggregate_index.h"

#include <algorithm>
#include <cstring>

#include "saml/aggregate_scan.h"

namespace sallyport::saml {

namespace {

constexpr std::size_t kMaxEntity = 16 * 1024 * 1024;

Error invalid(std::string detail) { return {Reason::kConfigInvalid, std::move(detail)}; }

}  // namespace

Result<AggregateIndex> AggregateIndex::build(const ReadAt& read) {
  AggregateIndex index;
  SALLYPORT_TRY(AggregateScan(read, index).run());
  return index;
}

Result<std::string> AggregateIndex::document_of(std::string_view entity_id, const ReadAt& read) const {
  const auto place = entities_.find(std::string(entity_id));
  if (place == entities_.end()) {
    return invalid("the metadata holds no entity <" + std::string(entity_id.substr(0, 256)) + "> among " +
                   std::to_string(entities_.size()) + ": correct metadata_entity");
  }
  const Entity& entity = place->second;
  if (entity.stands_twice) return invalid("the metadata holds the entity <" + place->first + "> more than once");
  if (entity.size > kMaxEntity) return invalid("the entity <" + place->first + "> is larger than 16 MB");
  auto element = read(entity.offset, static_cast<std::size_t>(entity.size));
  if (!element.ok()) return element;
  std::string before;
  std::string after;
  for (std::size_t group = entity.group; group != kNone; group = groups_[group].outer) {
    before.insert(0, groups_[group].start_tag);
    after += groups_[group].end_tag;
  }
  return before + *element + after;
}

}  // namespace sallyport::saml
