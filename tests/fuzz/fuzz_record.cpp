// Session records: any bytes may stand in a store, and reading must stay within them; what was
// built comes back.
#include <string>
#include <utility>
#include <vector>

#include "session/record.h"
#include "support/fuzz_input.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;
using namespace sallyport::session;

// Touches each byte, so that the sanitizers see a view that leaves the record.
void touch(std::string_view text, std::string_view bytes) {
  volatile char sink = 0;
  for (const char c : text) sink = c;
  (void)sink;
  const char* const end = bytes.data() + bytes.size();
  REQUIRE(text.empty() || (text.data() >= bytes.data() && text.data() + text.size() <= end));
}

void read_anything(std::string_view bytes) {
  if (const auto front = RecordView::open_front(bytes)) {
    for (std::size_t i = 0; i < kFieldCount; ++i) touch(front->field(static_cast<Field>(i)), bytes);
    REQUIRE(front->attribute_count() == 0);
  }
  const auto view = RecordView::open(bytes);
  if (!view) return;
  for (std::size_t i = 0; i < kFieldCount; ++i) touch(view->field(static_cast<Field>(i)), bytes);
  for (std::size_t i = 0; i < view->attribute_count(); ++i) {
    const auto [name, list] = view->attribute(i);
    touch(name, bytes);
    touch(list, bytes);
    REQUIRE(view->find_attribute(name).has_value());
  }
  view->find_attribute_folded("groups");
}

void build_and_read(fuzz::FuzzInput& input) {
  RecordBuilder builder;
  std::string fields[kFieldCount];
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    fields[i] = input.text(64);
    builder.set(static_cast<Field>(i), fields[i]);
  }
  std::vector<std::pair<std::string, std::string>> attributes;
  while (input.left() > 0 && attributes.size() < 50) {
    std::string name = input.text(32);
    attributes.emplace_back(std::move(name), input.text(4000));
    builder.add_attribute(attributes.back().first, attributes.back().second);
  }
  const auto bytes = builder.build();
  if (!bytes) return;
  const auto view = RecordView::open(*bytes);
  REQUIRE(view && view->attribute_count() == attributes.size());
  const std::string front_bytes = bytes->substr(0, view->front_size());
  const auto front = RecordView::open_front(front_bytes);
  REQUIRE(front);
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Field::kHost); ++i) {
    REQUIRE(front->field(static_cast<Field>(i)) == fields[i]);
  }
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    REQUIRE(view->field(static_cast<Field>(i)) == fields[i]);
  }
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    REQUIRE(view->attribute(i).first == attributes[i].first &&
            view->attribute(i).second == attributes[i].second);
  }
}

}  // namespace

FUZZ_TARGET(record) {
  read_anything(input);
  fuzz::FuzzInput choices(input);
  build_and_read(choices);
}
