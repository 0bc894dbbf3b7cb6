// Edits of XML messages: those of whoever stands between an identity provider and its reader.
#pragma once

#include <string>
#include <string_view>

#include "dice.h"

namespace sallyport::fuzz {

enum class Edit {
  kByte,       // bytes changed, put in, taken out, copied
  kToken,      // a name, a value or a text in place of another, or a hostile one
  kMove,       // an element to another place
  kNamespace,  // prefixes and declarations
  kDuplicate,  // an element twice, the second one changed: the wrapping attacks
  kDelete,     // an element, an attribute or a text taken out
  kWrap,       // an element around others, or one taken from around them
};
constexpr Edit kAllEdits[] = {Edit::kByte,      Edit::kToken,  Edit::kMove, Edit::kNamespace,
                              Edit::kDuplicate, Edit::kDelete, Edit::kWrap};
const char* name_of(Edit edit);

// The document with one such edit; where it is not well-formed and the edit needs a tree, with its bytes
// edited. `other` is a second document that parts may be taken from; may be empty.
std::string edited(std::string_view document, Edit edit, std::string_view other, Dice& dice);

}  // namespace sallyport::fuzz
