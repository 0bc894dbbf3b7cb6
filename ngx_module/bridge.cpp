#include "bridge.h"

namespace sallyport::ngx {

ngx_str_t copy(ngx_pool_t* pool, std::string_view text) {
  auto* data = static_cast<u_char*>(ngx_pnalloc(pool, text.size() + 1));
  if (data == nullptr) return {0, nullptr};
  if (!text.empty()) ngx_memcpy(data, text.data(), text.size());
  data[text.size()] = '\0';
  return {text.size(), data};
}

}  // namespace sallyport::ngx
