#include "saml/aggregate_scan.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "xml/names.h"

namespace sallyport::saml {

namespace {

constexpr std::size_t kChunk = 256 * 1024;
constexpr std::size_t kMaxTag = 64 * 1024;
constexpr std::size_t kMaxGroups = 1000;
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxEntities = 1'000'000;
constexpr std::size_t kMaxEntityId = 1024;  // Metadata 2.2.1

Error invalid(std::string detail) { return {Reason::kConfigInvalid, "the metadata cannot be read: " + std::move(detail)}; }

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

// The length of a tag, "<" to ">"; 0: it does not end here.
std::size_t tag_size(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '>') {
      return i + 1;
    }
  }
  return 0;
}

}  // namespace

Result<bool> AggregateWindow::grow() {
  if (is_over_) return false;
  auto more = read_(offset_ + bytes_.size(), kChunk);
  if (!more.ok()) return std::move(more).error();
  is_over_ = more->size() < kChunk;
  if (at_ >= kChunk || at_ == bytes_.size()) {
    bytes_.erase(0, at_);
    offset_ += at_;
    at_ = 0;
  }
  bytes_ += *more;
  return !more->empty();
}

Result<std::string_view> AggregateWindow::peek(std::size_t count) {
  while (bytes_.size() - at_ < count) {
    const auto grown = grow();
    if (!grown.ok()) return grown.error();
    if (!*grown) break;
  }
  return std::string_view(bytes_).substr(at_);
}

Result<bool> AggregateWindow::pass_to(char byte) {
  for (;;) {
    const std::size_t found = bytes_.find(byte, at_);
    if (found != bytes_.npos) {
      at_ = found;
      return true;
    }
    at_ = bytes_.size();
    const auto grown = grow();
    if (!grown.ok() || !*grown) return grown;
  }
}

Result<bool> AggregateWindow::pass_behind(std::string_view mark) {
  for (;;) {
    const std::size_t found = bytes_.find(mark, at_);
    if (found != bytes_.npos) {
      at_ = found + mark.size();
      return true;
    }
    // The mark may have begun.
    if (bytes_.size() - at_ >= mark.size()) at_ = bytes_.size() - mark.size() + 1;
    const auto grown = grow();
    if (!grown.ok() || !*grown) return grown;
  }
}

Status AggregateScan::run() {
  auto begin = window_.peek(8);
  if (!begin.ok()) return std::move(begin).error();
  if (starts_with(*begin, "\xEF\xBB\xBF")) window_.pass(3);
  begin = window_.peek(8);
  if (begin.ok() && starts_with(*begin, "<?xml") && begin->size() > 5 && std::strchr(" \t\r\n", (*begin)[5]) != nullptr) {
    const auto passed = window_.pass_behind("?>");
    if (!passed.ok()) return passed.error();
  }
  for (;;) {
    const auto found = window_.pass_to('<');
    if (!found.ok()) return found.error();
    if (!*found) break;
    SALLYPORT_TRY(at_mark());
  }
  if (!has_root_) return invalid("it holds no element");
  if (depth_ > 0 || !groups_.empty()) return invalid("it ends inside of an element, is it whole?");
  return Done{};
}

Status AggregateScan::at_mark() {
  const auto begin = window_.peek(9);
  if (!begin.ok()) return begin.error();
  if (starts_with(*begin, "<!")) return declaration(*begin);
  if (starts_with(*begin, "<?")) return invalid("it holds a processing instruction");
  return starts_with(*begin, "</") ? end_tag() : start_tag();
}

Status AggregateScan::declaration(std::string_view begin) {
  const bool is_comment = starts_with(begin, "<!--");
  if (!is_comment && !starts_with(begin, "<![CDATA[")) return invalid("it holds a DTD or another declaration");
  window_.pass(is_comment ? 4 : 9);
  const auto passed = window_.pass_behind(is_comment ? "-->" : "]]>");
  if (!passed.ok()) return passed.error();
  return *passed ? Status(Done{}) : Status(invalid("a comment or a CDATA section does not end"));
}

Result<std::string> AggregateScan::tag() {
  for (std::size_t wanted = 1024;; wanted *= 2) {
    const auto text = window_.peek(wanted);
    if (!text.ok()) return text.error();
    if (const std::size_t size = tag_size(text->substr(0, kMaxTag)); size > 0) {
      std::string found(text->substr(0, size));
      window_.pass(size);
      return found;
    }
    if (text->size() >= kMaxTag) return invalid("a tag of over 64 KB");
    if (text->size() < wanted) return invalid("it ends inside of a tag, is it whole?");
  }
}

Status AggregateScan::start_tag() {
  const std::uint64_t offset = window_.offset();
  auto text = tag();
  if (!text.ok()) return std::move(text).error();
  if (depth_ > 0) {
    if ((*text)[text->size() - 2] != '/') ++depth_;
    return Done{};
  }
  const auto read = read_start_tag(*text);
  if (!read) return invalid("a malformed tag at byte " + std::to_string(offset));
  return open(*read, *text, offset);
}

Status AggregateScan::end_tag() {
  auto text = tag();
  if (!text.ok()) return std::move(text).error();
  if (depth_ > 0) {
    if (--depth_ == 0) close_entity();
    return Done{};
  }
  if (groups_.empty()) return invalid("an end tag without start tag");
  groups_.pop_back();
  return Done{};
}

bool AggregateScan::is_metadata(const StartTag& tag) const {
  const std::string* declared = tag.declared(tag.prefix);
  if (declared != nullptr) return *declared == xml::kNsMetadata;
  for (auto group = groups_.rbegin(); group != groups_.rend(); ++group) {
    for (const auto& [prefix, uri] : group->namespaces) {
      if (prefix == tag.prefix) return uri == xml::kNsMetadata;
    }
  }
  return false;
}

Status AggregateScan::open(const StartTag& tag, const std::string& text, std::uint64_t offset) {
  const bool is_ours = is_metadata(tag);
  const bool is_root = groups_.empty();
  if (is_root && has_root_) return invalid("it holds a second root element");
  has_root_ = true;
  if (is_ours && tag.local_name == "EntitiesDescriptor") return open_group(tag, text);
  if (is_ours && tag.local_name == "EntityDescriptor") return open_entity(tag, offset);
  if (is_root) {
    return invalid("the root element is <" + std::string(tag.local_name.substr(0, 100)) +
                   ">, expected EntitiesDescriptor or EntityDescriptor of SAML 2.0 metadata");
  }
  entity_id_.clear();
  depth_ = tag.is_empty ? 0 : 1;
  return Done{};
}

Status AggregateScan::open_group(const StartTag& tag, const std::string& text) {
  if (groups_.size() >= kMaxDepth || index_.groups_.size() >= kMaxGroups) return invalid("too many EntitiesDescriptors");
  if (tag.is_empty) return Done{};
  const std::string prefix = tag.prefix.empty() ? "" : std::string(tag.prefix) + ":";
  index_.groups_.push_back({groups_.empty() ? AggregateIndex::kNone : groups_.back().number, text,
                            "</" + prefix + std::string(tag.local_name) + ">"});
  OpenGroup group{index_.groups_.size() - 1, {}};
  for (const auto& [name, value] : tag.attributes) {
    if (name == "xmlns") group.namespaces.emplace_back("", value);
    if (starts_with(name, "xmlns:")) group.namespaces.emplace_back(name.substr(6), value);
  }
  groups_.push_back(std::move(group));
  return Done{};
}

Status AggregateScan::open_entity(const StartTag& tag, std::uint64_t offset) {
  const std::string* entity_id = tag.attribute("entityID");
  // Nobody can ask for one without a name, or with one that is too long.
  const bool has_name = entity_id != nullptr && entity_id->size() <= kMaxEntityId;
  entity_id_ = has_name ? *entity_id : std::string();
  entity_at_ = offset;
  depth_ = tag.is_empty ? 0 : 1;
  if (tag.is_empty) close_entity();
  return index_.entities_.size() > kMaxEntities ? Status(invalid("over a million entities")) : Status(Done{});
}

void AggregateScan::close_entity() {
  if (entity_id_.empty()) return;
  const std::size_t group = groups_.empty() ? AggregateIndex::kNone : groups_.back().number;
  const AggregateIndex::Entity entity{entity_at_, window_.offset() - entity_at_, group, false};
  const auto [place, is_new] = index_.entities_.try_emplace(std::move(entity_id_), entity);
  if (!is_new) place->second.stands_twice = true;
  entity_id_.clear();
}

}  // namespace sallyport::saml
