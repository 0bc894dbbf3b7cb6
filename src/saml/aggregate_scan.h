// The pass over a federation's metadata that finds its entities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "saml/aggregate_index.h"
#include "saml/start_tag.h"

namespace sallyport::saml {

// The bytes in order, in a window that holds what is looked at.
class AggregateWindow {
 public:
  explicit AggregateWindow(const ReadAt& read) : read_(read) {}

  // Of the first byte that was not passed.
  std::uint64_t offset() const { return offset_ + at_; }
  // At least `count` bytes, fewer only at the end; until the next call.
  Result<std::string_view> peek(std::size_t count);
  void pass(std::size_t count) { at_ += count; }
  // Passes everything up to the next `byte`; false: there is none.
  Result<bool> pass_to(char byte);
  // Passes everything up to `mark`, and the mark; false: there is none.
  Result<bool> pass_behind(std::string_view mark);

 private:
  // False: that was the end.
  Result<bool> grow();

  const ReadAt& read_;
  std::string bytes_;
  std::size_t at_ = 0;
  std::uint64_t offset_ = 0;  // of bytes_
  bool is_over_ = false;
};

class AggregateScan {
 public:
  AggregateScan(const ReadAt& read, AggregateIndex& index) : window_(read), index_(index) {}
  Status run();

 private:
  struct OpenGroup {
    std::size_t number;  // in the index
    std::vector<std::pair<std::string, std::string>> namespaces;  // by prefix
  };

  Status at_mark();
  Status declaration(std::string_view begin);
  Status start_tag();
  Status end_tag();
  Result<std::string> tag();
  Status open(const StartTag& tag, const std::string& text, std::uint64_t offset);
  Status open_group(const StartTag& tag, const std::string& text);
  Status open_entity(const StartTag& tag, std::uint64_t offset);
  void close_entity();
  bool is_metadata(const StartTag& tag) const;

  AggregateWindow window_;
  AggregateIndex& index_;
  std::vector<OpenGroup> groups_;
  std::size_t depth_ = 0;        // inside of an entity, or of an element that is none of ours
  bool has_root_ = false;
  std::string entity_id_;        // of the entity that is open; empty: the open element is another
  std::uint64_t entity_at_ = 0;
};

}  // namespace sallyport::saml
