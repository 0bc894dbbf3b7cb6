// Header names made ready for nginx, and the set of those that no client may send.
#include "conf.h"

#include <algorithm>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

char fold_byte(char byte) {
  if (byte >= 'A' && byte <= 'Z') return static_cast<char>(byte - 'A' + 'a');
  if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) return byte;
  return '-';
}

// Orders a folded name before or behind another one as it came: below, above or 0.
int compare_folded(std::string_view folded, std::string_view name) {
  const std::size_t common = std::min(folded.size(), name.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto a = static_cast<unsigned char>(folded[i]);
    const auto b = static_cast<unsigned char>(fold_byte(name[i]));
    if (a != b) return a < b ? -1 : 1;
  }
  if (folded.size() == name.size()) return 0;
  return folded.size() < name.size() ? -1 : 1;
}

}  // namespace

bool make_header_name(ngx_pool_t* pool, std::string_view name, HeaderName* out) {
  out->name = copy(pool, name);
  out->lowcase = static_cast<u_char*>(ngx_pnalloc(pool, name.size() + 1));
  if (out->name.data == nullptr || out->lowcase == nullptr) return false;
  ngx_strlow(out->lowcase, out->name.data, name.size());
  out->lowcase[name.size()] = '\0';
  out->hash = ngx_hash_key(out->lowcase, name.size());
  return true;
}

std::string StripSet::fold(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), fold_byte);
  return out;
}

void StripSet::add(std::string_view name) {
  if (name.empty()) return;
  std::string folded = fold(name);
  lengths_ |= std::uint64_t{1} << std::min<std::size_t>(folded.size(), 63);
  for (int byte = 0; byte < 256; ++byte) {
    if (fold_byte(static_cast<char>(byte)) == folded[0]) first_[byte] = true;
  }
  const auto place = std::lower_bound(names_.begin(), names_.end(), folded);
  if (place == names_.end() || *place != folded) names_.insert(place, std::move(folded));
}

bool StripSet::is_listed(std::string_view lowcase) const {
  const auto place =
      std::lower_bound(names_.begin(), names_.end(), lowcase,
                       [](const std::string& folded, std::string_view name) {
                         return compare_folded(folded, name) < 0;
                       });
  return place != names_.end() && compare_folded(*place, lowcase) == 0;
}

}  // namespace sallyport::ngx
