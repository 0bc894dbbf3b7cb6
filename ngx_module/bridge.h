// Between nginx's C and the core's C++: strings, memory, errors, and the fence that no exception crosses.
#pragma once

#include "ngx.h"

#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/instant.h"

namespace sallyport::ngx {

inline std::string_view view(const ngx_str_t& text) {
  return {reinterpret_cast<const char*>(text.data), text.len};
}
inline std::string_view view(const ngx_table_elt_t* header) {
  return header == nullptr ? std::string_view() : view(header->value);
}

// An ngx_str_t that shows the same bytes; they must outlive it.
inline ngx_str_t borrow(std::string_view text) {
  return {text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

// A copy in the pool, NUL-terminated behind its length (nginx's habit); data is null when memory is short.
ngx_str_t copy(ngx_pool_t* pool, std::string_view text);

// Wall-clock time of this turn of the event loop, in milliseconds.
inline Millis now() {
  const ngx_time_t* time = ngx_timeofday();
  return static_cast<Millis>(time->sec) * 1000 + static_cast<Millis>(time->msec);
}

// An object that lives as long as the pool, which runs its destructor; null when memory is short.
template <class T, class... Args>
T* make_in_pool(ngx_pool_t* pool, Args&&... args) {
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(pool, sizeof(T));
  if (cleanup == nullptr) return nullptr;
  T* object = new (cleanup->data) T(std::forward<Args>(args)...);
  cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };
  return object;
}

// Runs `body`; an exception (only memory can run out: nothing throws on purpose) becomes `failure`.
template <class Value, class Body>
Value fence(Value failure, ngx_log_t* log, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    ngx_log_error(NGX_LOG_CRIT, log, 0, "saml: internal failure: %s", error.what());
  } catch (...) {
    ngx_log_error(NGX_LOG_CRIT, log, 0, "saml: internal failure");
  }
  return failure;
}

}  // namespace sallyport::ngx
