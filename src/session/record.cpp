#include "session/record.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace sallyport::session {

namespace {

// The layout, all numbers little-endian:
//   0    version (1 byte), zero (1 byte), count of attributes, size of the front, count of listed spaces (2 bytes each)
//   8    binding
//   40   created, authn instant, expires (8 bytes each)
//   64   resolution: rules (8 bytes), generation (4 bytes)
//   76   for each field, where its text is: offset and size (2 bytes each)
//   160  texts of the fields up to kHost; here the front ends
//   ...  for each attribute, where its name and its list are
//   ...  the other texts
constexpr char kVersion = 3;
constexpr std::size_t kCountAt = 2;
constexpr std::size_t kFrontAt = 4;
constexpr std::size_t kListedSpacesAt = 6;
constexpr std::size_t kBindingAt = 8;
constexpr std::size_t kCreatedAt = kBindingAt + sizeof(Digest);
constexpr std::size_t kAuthnInstantAt = kCreatedAt + sizeof(Millis);
constexpr std::size_t kExpiresAt = kAuthnInstantAt + sizeof(Millis);
constexpr std::size_t kRulesAt = kExpiresAt + sizeof(Millis);
constexpr std::size_t kGenerationAt = kRulesAt + sizeof(Resolution::rules);
constexpr std::size_t kFieldsAt = kGenerationAt + sizeof(Resolution::generation);
constexpr std::size_t kReferenceSize = 4;
constexpr std::size_t kTextsAt = kFieldsAt + kFieldCount * kReferenceSize;
constexpr std::size_t kAttributeSize = 2 * kReferenceSize;
constexpr std::size_t kFrontFields = static_cast<std::size_t>(Field::kHost) + 1;

template <class Number>
void append_number(std::string& out, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i) & 0xFF);
  }
}

// One load where the machine is little-endian itself: every request reads dozens of them.
template <class Number>
Number read_number(const char* at) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  Number number;
  std::memcpy(&number, at, sizeof(number));
  return number;
#else
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  return static_cast<Number>(number);
#endif
}

// Empty where the text is not among the bytes, which are then those of the front.
std::string_view text_at(std::string_view bytes, std::size_t reference_at) {
  const auto reference = read_number<std::uint32_t>(bytes.data() + reference_at);
  const std::size_t offset = reference & 0xFFFF;
  const std::size_t size = reference >> 16;
  return offset + size <= bytes.size() ? std::string_view(bytes.data() + offset, size) : std::string_view();
}

// Collects texts, equal ones once, and where they will be.
class TextPool {
 public:
  // Appends the reference of `text` to `out`; false when it would lie beyond the largest record.
  bool refer(std::string& out, std::string_view text) {
    std::size_t offset = 0;
    if (!text.empty()) {
      const auto [known, added] = offsets_.try_emplace(text, end());
      offset = known->second;
      if (added && offset + text.size() > kMaxRecordBytes) return false;
      if (added) texts_ += text;
    }
    append_number(out, static_cast<std::uint16_t>(offset));
    append_number(out, static_cast<std::uint16_t>(text.size()));
    return true;
  }

  // Where the next text will be.
  std::size_t end() const { return begin_ + texts_.size(); }

  // The texts so far; the next ones lie `gap` bytes behind them.
  std::string take(std::size_t gap) {
    begin_ = end() + gap;
    return std::exchange(texts_, {});
  }

 private:
  std::size_t begin_ = kTextsAt;
  std::string texts_;
  std::map<std::string_view, std::size_t> offsets_;
};

void append_counted(std::string& out, std::string_view text) {
  append_number(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

// As the names of variables: letters in lower case, everything but letters and digits '_'.
char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c | 0x20);
  const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return kept ? c : '_';
}

bool folds_to(std::string_view name, std::string_view wanted) {
  if (name.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (folded(name[i]) != wanted[i]) return false;
  }
  return true;
}

}  // namespace

Digest session_binding(std::string_view sp_entity_id, std::string_view idp_name,
                       std::string_view idp_entity_id) {
  // Sizes in front: no two triples have one encoding.
  std::string bytes;
  append_counted(bytes, sp_entity_id);
  append_counted(bytes, idp_name);
  append_counted(bytes, idp_entity_id);
  return sha256(bytes);
}

void RecordBuilder::set_times(Millis created, Millis authn_instant, Millis expires) {
  created_ = created;
  authn_instant_ = authn_instant;
  expires_ = expires;
}

void RecordBuilder::set(Field field, std::string_view encoded) {
  fields_[static_cast<std::size_t>(field)] = encoded;
}

void RecordBuilder::add_attribute(std::string_view name, std::string_view encoded_list) {
  attributes_.emplace_back(name, encoded_list);
}

std::optional<std::string> RecordBuilder::build() const {
  // Also keeps the count within its two bytes.
  if (attributes_.size() > (kMaxRecordBytes - kTextsAt) / kAttributeSize) return std::nullopt;
  const std::size_t table_size = attributes_.size() * kAttributeSize;
  TextPool pool;
  std::string fields, table;
  for (std::size_t i = 0; i < kFrontFields; ++i) {
    if (!pool.refer(fields, fields_[i])) return std::nullopt;
  }
  const std::size_t front_size = pool.end();
  if (front_size + table_size > kMaxRecordBytes) return std::nullopt;
  const std::string front_texts = pool.take(table_size);
  for (std::size_t i = kFrontFields; i < kFieldCount; ++i) {
    if (!pool.refer(fields, fields_[i])) return std::nullopt;
  }
  for (const auto& [name, list] : attributes_) {
    if (!pool.refer(table, name) || !pool.refer(table, list)) return std::nullopt;
  }
  std::string out = head(front_size);
  out.reserve(pool.end());
  return out.append(fields).append(front_texts).append(table).append(pool.take(0));
}

// What stands before the fields.
std::string RecordBuilder::head(std::size_t front_size) const {
  std::string out;
  out += kVersion;
  out += '\0';
  append_number(out, static_cast<std::uint16_t>(attributes_.size()));
  append_number(out, static_cast<std::uint16_t>(front_size));
  append_number(out, listed_spaces_);
  out += as_view(binding_);
  append_number(out, created_);
  append_number(out, authn_instant_);
  append_number(out, expires_);
  append_number(out, resolution_.rules);
  append_number(out, resolution_.generation);
  return out;
}

std::optional<RecordView> RecordView::open_front(std::string_view bytes) {
  if (bytes.size() < kTextsAt || bytes.size() > kMaxRecordBytes || bytes[0] != kVersion ||
      bytes[1] != '\0') {
    return std::nullopt;
  }
  const RecordView view(bytes);
  const std::size_t front = view.front_size();
  if (front < kTextsAt || front > bytes.size() ||
      !view.refers_inside(kFieldsAt, kFieldsAt + kFrontFields * kReferenceSize, front)) {
    return std::nullopt;
  }
  return view;
}

std::optional<RecordView> RecordView::open(std::string_view bytes) {
  const std::optional<RecordView> view = open_front(bytes);
  if (!view) return std::nullopt;
  const std::size_t table = view->front_size();
  const std::size_t table_end =
      table + read_number<std::uint16_t>(bytes.data() + kCountAt) * kAttributeSize;
  if (table_end > bytes.size() || !view->refers_inside(kFieldsAt, kTextsAt, bytes.size()) ||
      !view->refers_inside(table, table_end, bytes.size())) {
    return std::nullopt;
  }
  return RecordView(bytes, true);
}

// Whether all references from `begin` to `end` lead to texts before `limit`. No branch per reference, and one
// load: all of them are good, or the record is thrown away.
bool RecordView::refers_inside(std::size_t begin, std::size_t end, std::size_t limit) const {
  std::uint32_t last = 0;
  for (std::size_t at = begin; at < end; at += kReferenceSize) {
    const auto reference = read_number<std::uint32_t>(bytes_.data() + at);
    last = std::max(last, (reference & 0xFFFF) + (reference >> 16));
  }
  return last <= limit;
}

std::string_view RecordView::binding() const { return bytes_.substr(kBindingAt, sizeof(Digest)); }

bool RecordView::is_bound_to(const Digest& binding) const {
  return std::memcmp(bytes_.data() + kBindingAt, binding.data(), binding.size()) == 0;
}

Millis RecordView::created() const { return read_number<Millis>(bytes_.data() + kCreatedAt); }

Millis RecordView::authn_instant() const {
  return read_number<Millis>(bytes_.data() + kAuthnInstantAt);
}

Millis RecordView::expires() const { return read_number<Millis>(bytes_.data() + kExpiresAt); }

std::size_t RecordView::listed_spaces() const { return read_number<std::uint16_t>(bytes_.data() + kListedSpacesAt); }

Resolution RecordView::resolution() const {
  return {read_number<std::uint64_t>(bytes_.data() + kRulesAt),
          read_number<std::uint32_t>(bytes_.data() + kGenerationAt)};
}

std::size_t RecordView::front_size() const {
  return read_number<std::uint16_t>(bytes_.data() + kFrontAt);
}

std::string_view RecordView::field(Field field) const {
  return text_at(bytes_, kFieldsAt + static_cast<std::size_t>(field) * kReferenceSize);
}

std::size_t RecordView::attribute_count() const {
  return is_whole() ? read_number<std::uint16_t>(bytes_.data() + kCountAt) : 0;
}

std::pair<std::string_view, std::string_view> RecordView::attribute(std::size_t index) const {
  const std::size_t at = front_size() + index * kAttributeSize;
  return {text_at(bytes_, at), text_at(bytes_, at + kReferenceSize)};
}

std::optional<std::string_view> RecordView::find_attribute(std::string_view name) const {
  for (std::size_t i = 0; i < attribute_count(); ++i) {
    const auto [known, list] = attribute(i);
    if (known == name) return list;
  }
  return std::nullopt;
}

std::optional<std::string_view> RecordView::find_attribute_folded(
    std::string_view wanted) const {
  for (std::size_t i = 0; i < attribute_count(); ++i) {
    const auto [name, list] = attribute(i);
    if (folds_to(name, wanted)) return list;
  }
  return std::nullopt;
}

Record with_front(std::string_view bytes) {
  const auto view = RecordView::open(bytes);
  return {bytes, view ? view->front_size() : bytes.size()};
}

}  // namespace sallyport::session
