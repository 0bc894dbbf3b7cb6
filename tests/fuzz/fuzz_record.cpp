// Session records: any bytes may stand in a store, and reading must stay within them; what was
// built comes back.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>

#include "session/record.h"

namespace {

using namespace sallyport;
using namespace sallyport::session;

void require(bool promise) {
  if (!promise) std::abort();
}

// Touches each byte, so that the sanitizers see a view that leaves the record.
void touch(std::string_view text, std::string_view bytes) {
  volatile char sink = 0;
  for (const char c : text) sink = c;
  (void)sink;
  const char* const end = bytes.data() + bytes.size();
  require(text.empty() || (text.data() >= bytes.data() && text.data() + text.size() <= end));
}

void read_anything(std::string_view bytes) {
  const auto view = RecordView::open(bytes);
  if (!view) return;
  for (std::size_t i = 0; i < kFieldCount; ++i) touch(view->field(static_cast<Field>(i)), bytes);
  for (std::size_t i = 0; i < view->attribute_count(); ++i) {
    const auto [name, list] = view->attribute(i);
    touch(name, bytes);
    touch(list, bytes);
    require(view->find_attribute(name).has_value());
  }
  view->find_attribute_folded("groups");
}

void build_and_read(FuzzedDataProvider& input) {
  RecordBuilder builder;
  std::string fields[kFieldCount];
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    fields[i] = input.ConsumeRandomLengthString(64);
    builder.set(static_cast<Field>(i), fields[i]);
  }
  std::vector<std::pair<std::string, std::string>> attributes;
  while (input.remaining_bytes() > 0 && attributes.size() < 50) {
    attributes.emplace_back(input.ConsumeRandomLengthString(32),
                            input.ConsumeRandomLengthString(4000));
    builder.add_attribute(attributes.back().first, attributes.back().second);
  }
  const auto bytes = builder.build();
  if (!bytes) return;
  const auto view = RecordView::open(*bytes);
  require(view && view->attribute_count() == attributes.size());
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    require(view->field(static_cast<Field>(i)) == fields[i]);
  }
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    require(view->attribute(i).first == attributes[i].first &&
            view->attribute(i).second == attributes[i].second);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_anything({reinterpret_cast<const char*>(data), size});
  FuzzedDataProvider input(data, size);
  build_and_read(input);
  return 0;
}
