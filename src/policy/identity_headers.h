// The one encoding of identity values in headers and variables: split at the commas, then
// percent-decode, is always exact.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/entitlements.h"

namespace sallyport::policy {

// A single value: control characters, '%', bytes above 0x7E and a blank at either end as %HH.
std::string encode_value(std::string_view value);
// A list: as above per item, and ',' and '=' inside an item too; joined by ','.
std::string encode_list(const std::vector<std::string>& items);
// A space and its role as encoded pairs hold them.
struct EncodedPair {
  std::string_view space;
  std::string_view role;
};
// The pair of `space` (plain text) in encoded pairs; nullopt when it is not there.
std::optional<EncodedPair> find_pair(std::string_view encoded_pairs, std::string_view space);
// "Trial=Space Member,DevOps=Space Developer"; an empty role leaves "Trial=".
std::string encode_spaces(const std::vector<SpaceRole>& spaces);
// The distinct roles, in order, without the empty one.
std::string encode_roles(const std::vector<SpaceRole>& spaces);

// The items of an encoded list, decoded; nothing for the empty text (a list of one empty item is
// written the same and comes back as none). A '%' without two hexadecimal digits stays as it is.
std::vector<std::string> decode_list(std::string_view encoded);
std::string decode_value(std::string_view encoded);

// The `json` header format of an encoded list ("[...]") or of encoded pairs ("{...}"); ASCII only.
// Empty text stays empty (no header). Items that would take the text above `max` bytes are left
// out, from the first of them on; when not even one fits, the text is empty. `cut` (may be null)
// tells.
std::string list_to_json(std::string_view encoded, std::size_t max = std::string_view::npos,
                         bool* cut = nullptr);
std::string pairs_to_json(std::string_view encoded, std::size_t max = std::string_view::npos,
                          bool* cut = nullptr);

// Whether an encoded value equals the plain text. Allocates nothing, like the next two.
bool value_is(std::string_view encoded, std::string_view plain);
// Whether an encoded list has an item (or a pair "space" / "space=role") equal to the plain text.
// An empty role asks for the space alone; an empty item or space is never there.
bool list_has(std::string_view encoded, std::string_view plain_item);
bool pairs_have(std::string_view encoded, std::string_view space, std::string_view role_or_empty);

// The longest prefix of an encoded list that ends at an item and has at most `max` bytes.
std::string_view cut_list(std::string_view encoded, std::size_t max);

}  // namespace sallyport::policy
