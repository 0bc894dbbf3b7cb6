#include "policy/identity_headers.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"

namespace sallyport::policy {
namespace {

// Where a byte is written as %HH.
enum class Within { kValue, kItem };

bool must_escape(unsigned char c, Within within) {
  if (c < 0x20 || c > 0x7e || c == '%') return true;
  return within == Within::kItem && (c == ',' || c == '=');
}

void append_escaped(std::string& out, unsigned char c) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const char escaped[] = {'%', kHex[c >> 4], kHex[c & 15]};
  out.append(escaped, sizeof(escaped));
}

void append_encoded(std::string& out, std::string_view text, Within within) {
  const std::size_t last = text.size() - 1;  // not used for the empty text
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool blank_at_end = c == ' ' && (i == 0 || i == last);
    if (!blank_at_end && !must_escape(c, within)) continue;
    out.append(text, plain_from, i - plain_from);
    append_escaped(out, c);
    plain_from = i + 1;
  }
  out.append(text, plain_from);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Reads encoded text byte by byte, decoded, without a copy.
class Decoder {
 public:
  explicit Decoder(std::string_view encoded) : rest_(encoded) {}
  bool at_end() const { return rest_.empty(); }
  char next() {
    if (rest_.front() == '%' && rest_.size() >= 3) {
      const int high = hex_digit(rest_[1]);
      const int low = hex_digit(rest_[2]);
      if (high >= 0 && low >= 0) {
        rest_.remove_prefix(3);
        return static_cast<char>(high * 16 + low);
      }
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

 private:
  std::string_view rest_;
};

// Visits the encoded items until `visit` says no more; nothing for the empty text.
template <class Visit>
void for_each_item(std::string_view encoded, Visit&& visit) {
  while (!encoded.empty()) {
    const std::size_t comma = encoded.find(',');
    if (!visit(encoded.substr(0, comma))) return;
    if (comma == std::string_view::npos) return;
    encoded.remove_prefix(comma + 1);
    if (encoded.empty()) visit(encoded);  // an empty last item
  }
}

EncodedPair split_pair(std::string_view item) {
  const std::size_t equals = item.find('=');
  if (equals == std::string_view::npos) return {item, {}};
  return {item.substr(0, equals), item.substr(equals + 1)};
}

// `open`, the items' JSON as far as they fit `max` bytes, `close`.
template <class ToJson>
std::string json_of(std::string_view encoded, char open, char close, std::size_t max, bool* cut,
                    ToJson&& to_json) {
  std::string json;
  bool all = true;
  for_each_item(encoded, [&](std::string_view item) {
    const std::string next = to_json(item);
    all = json.size() + 1 + next.size() + 1 <= max;
    if (!all) return false;
    json += json.empty() ? open : ',';
    json += next;
    return true;
  });
  if (!json.empty()) json += close;
  if (cut != nullptr) *cut = !all;
  return json;
}

}  // namespace

std::string encode_value(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  append_encoded(out, value, Within::kValue);
  return out;
}

std::string encode_list(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += ',';
    append_encoded(out, items[i], Within::kItem);
  }
  return out;
}

std::string encode_spaces(const std::vector<SpaceRole>& spaces) {
  std::string out;
  for (std::size_t i = 0; i < spaces.size(); ++i) {
    if (i != 0) out += ',';
    append_encoded(out, spaces[i].space, Within::kItem);
    out += '=';
    append_encoded(out, spaces[i].role, Within::kItem);
  }
  return out;
}

std::string encode_roles(const std::vector<SpaceRole>& spaces) {
  std::string out;
  std::set<std::string_view> seen;
  for (const SpaceRole& pair : spaces) {
    if (pair.role.empty() || !seen.insert(pair.role).second) continue;
    if (!out.empty()) out += ',';
    append_encoded(out, pair.role, Within::kItem);
  }
  return out;
}

std::vector<std::string> decode_list(std::string_view encoded) {
  std::vector<std::string> items;
  for_each_item(encoded, [&](std::string_view item) {
    items.push_back(decode_value(item));
    return true;
  });
  return items;
}

std::string decode_value(std::string_view encoded) {
  std::string out;
  out.reserve(encoded.size());
  for (Decoder decoder(encoded); !decoder.at_end();) out += decoder.next();
  return out;
}

std::string list_to_json(std::string_view encoded, std::size_t max, bool* cut) {
  return json_of(encoded, '[', ']', max, cut,
                 [](std::string_view item) { return json_quote(decode_value(item)); });
}

std::string pairs_to_json(std::string_view encoded, std::size_t max, bool* cut) {
  return json_of(encoded, '{', '}', max, cut, [](std::string_view item) {
    const EncodedPair pair = split_pair(item);
    return json_quote(decode_value(pair.space)) + ':' + json_quote(decode_value(pair.role));
  });
}

bool value_is(std::string_view encoded, std::string_view plain) {
  Decoder decoder(encoded);
  for (const char c : plain) {
    if (decoder.at_end() || decoder.next() != c) return false;
  }
  return decoder.at_end();
}

bool list_has(std::string_view encoded, std::string_view plain_item) {
  if (plain_item.empty()) return false;
  bool found = false;
  for_each_item(encoded, [&](std::string_view item) {
    found = value_is(item, plain_item);
    return !found;
  });
  return found;
}

std::optional<EncodedPair> find_pair(std::string_view encoded_pairs, std::string_view space) {
  std::optional<EncodedPair> found;
  if (space.empty()) return found;
  for_each_item(encoded_pairs, [&](std::string_view item) {
    const EncodedPair pair = split_pair(item);
    if (value_is(pair.space, space)) found = pair;
    return !found;
  });
  return found;
}

bool pairs_have(std::string_view encoded, std::string_view space, std::string_view role_or_empty) {
  const std::optional<EncodedPair> pair = find_pair(encoded, space);
  return pair && (role_or_empty.empty() || value_is(pair->role, role_or_empty));
}

std::string_view cut_list(std::string_view encoded, std::size_t max) {
  if (encoded.size() <= max) return encoded;
  // A comma right behind the limit ends an item that just fits.
  const std::size_t comma = encoded.substr(0, max + 1).rfind(',');
  return encoded.substr(0, comma == std::string_view::npos ? 0 : comma);
}

}  // namespace sallyport::policy
