#include "session/sealed_text.h"

#include "base/encoding.h"
#include "base/flat.h"

namespace sallyport::session {

namespace {

std::string flat(std::initializer_list<std::string_view> context) {
  std::size_t size = 0;
  for (const std::string_view part : context) size += kFlatLengthBytes + part.size();
  std::string out;
  out.reserve(size);
  for (const std::string_view part : context) append_text(out, part);
  return out;
}

}  // namespace

std::optional<std::string> SealedText::seal(std::string_view plaintext, std::initializer_list<std::string_view> context,
                                            Random& random) {
  const auto sealed = sealer_.seal(plaintext, flat(context), random);
  if (!sealed) return std::nullopt;
  return base64url_encode(*sealed);
}

std::optional<std::string> SealedText::open(std::string_view text, std::initializer_list<std::string_view> context) {
  // Nothing is decoded only to be refused.
  if (text.size() > kMaxBytes) return std::nullopt;
  const auto sealed = base64url_decode(text);
  if (!sealed) return std::nullopt;
  return sealer_.open(*sealed, flat(context));
}

}  // namespace sallyport::session
