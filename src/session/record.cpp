#include "session/record.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace sallyport::session {

namespace {

// The layout, all numbers little-endian:
//   0    version (1 byte), zero (1 byte), count of attributes (2 bytes)
//   4    binding
//   36   created, authn instant, expires (8 bytes each)
//   60   for each field, where its text is: offset and size (2 bytes each)
//   140  for each attribute, where its name and its list are
//   ...  texts
constexpr char kVersion = 1;
constexpr std::size_t kMaxRecord = 64 * 1024;
constexpr std::size_t kCountAt = 2;
constexpr std::size_t kBindingAt = 4;
constexpr std::size_t kCreatedAt = kBindingAt + sizeof(Digest);
constexpr std::size_t kAuthnInstantAt = kCreatedAt + sizeof(Millis);
constexpr std::size_t kExpiresAt = kAuthnInstantAt + sizeof(Millis);
constexpr std::size_t kFieldsAt = kExpiresAt + sizeof(Millis);
constexpr std::size_t kReferenceSize = 4;
constexpr std::size_t kAttributesAt = kFieldsAt + kFieldCount * kReferenceSize;
constexpr std::size_t kAttributeSize = 2 * kReferenceSize;

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

std::string_view text_at(std::string_view bytes, std::size_t reference_at) {
  const char* reference = bytes.data() + reference_at;
  return {bytes.data() + read_number<std::uint16_t>(reference),
          read_number<std::uint16_t>(reference + 2)};
}

// Collects the texts behind the tables, equal ones once.
class TextPool {
 public:
  explicit TextPool(std::size_t begin) : begin_(begin) {}

  // Appends the reference of `text` to `out`; false when it would lie beyond the largest record.
  bool refer(std::string& out, std::string_view text) {
    std::size_t offset = 0;
    if (!text.empty()) {
      const auto [known, added] = offsets_.try_emplace(text, begin_ + texts_.size());
      offset = known->second;
      if (added && offset + text.size() > kMaxRecord) return false;
      if (added) texts_ += text;
    }
    append_number(out, static_cast<std::uint16_t>(offset));
    append_number(out, static_cast<std::uint16_t>(text.size()));
    return true;
  }

  const std::string& texts() const { return texts_; }

 private:
  std::size_t begin_;
  std::string texts_;
  std::unordered_map<std::string_view, std::size_t> offsets_;
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
  if (attributes_.size() > (kMaxRecord - kAttributesAt) / kAttributeSize) return std::nullopt;
  const std::size_t tables_size = kAttributesAt + attributes_.size() * kAttributeSize;
  TextPool pool(tables_size);
  std::string out;
  out.reserve(tables_size);
  out += kVersion;
  out += '\0';
  append_number(out, static_cast<std::uint16_t>(attributes_.size()));
  out += as_view(binding_);
  append_number(out, created_);
  append_number(out, authn_instant_);
  append_number(out, expires_);
  for (const std::string& field : fields_) {
    if (!pool.refer(out, field)) return std::nullopt;
  }
  for (const auto& [name, list] : attributes_) {
    if (!pool.refer(out, name) || !pool.refer(out, list)) return std::nullopt;
  }
  out += pool.texts();
  return out;
}

std::optional<RecordView> RecordView::open(std::string_view bytes) {
  if (bytes.size() < kAttributesAt || bytes.size() > kMaxRecord || bytes[0] != kVersion ||
      bytes[1] != '\0') {
    return std::nullopt;
  }
  const RecordView view(bytes);
  const std::size_t tables_end = kAttributesAt + view.attribute_count() * kAttributeSize;
  if (tables_end > bytes.size()) return std::nullopt;
  // No branch per reference, and one load: all of them are good, or the record is thrown away.
  std::uint32_t end = 0;
  for (std::size_t at = kFieldsAt; at < tables_end; at += kReferenceSize) {
    const auto reference = read_number<std::uint32_t>(bytes.data() + at);
    end = std::max(end, (reference & 0xFFFF) + (reference >> 16));
  }
  if (end > bytes.size()) return std::nullopt;
  return view;
}

bool RecordView::is_bound_to(const Digest& binding) const {
  return std::memcmp(bytes_.data() + kBindingAt, binding.data(), binding.size()) == 0;
}

Millis RecordView::created() const { return read_number<Millis>(bytes_.data() + kCreatedAt); }

Millis RecordView::authn_instant() const {
  return read_number<Millis>(bytes_.data() + kAuthnInstantAt);
}

Millis RecordView::expires() const { return read_number<Millis>(bytes_.data() + kExpiresAt); }

std::string_view RecordView::field(Field field) const {
  return text_at(bytes_, kFieldsAt + static_cast<std::size_t>(field) * kReferenceSize);
}

std::size_t RecordView::attribute_count() const {
  return read_number<std::uint16_t>(bytes_.data() + kCountAt);
}

std::pair<std::string_view, std::string_view> RecordView::attribute(std::size_t index) const {
  const std::size_t at = kAttributesAt + index * kAttributeSize;
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

}  // namespace sallyport::session
