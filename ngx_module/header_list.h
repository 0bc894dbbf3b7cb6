// Removing from and adding to nginx's list of request headers.
#pragma once

#include "ngx.h"

#include <cstring>
#include <string_view>

#include "conf.h"

namespace sallyport::ngx {

// Calls visit(element) for each; visit must not change the list.
template <class Visit>
void for_each_header(const ngx_list_t& list, Visit&& visit) {
  for (const ngx_list_part_t* part = &list.part; part != nullptr; part = part->next) {
    auto* elements = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) visit(&elements[i]);
  }
}

inline bool is_named(const ngx_table_elt_t& header, std::string_view lowcase) {
  return header.key.len == lowcase.size() && std::memcmp(header.lowcase_key, lowcase.data(), lowcase.size()) == 0;
}

// Takes an element out of r's request headers, and out of the slot that knows it (headers_in.x). The others
// stay where they are in memory. False when memory is short or it is not in the list.
bool remove_header(ngx_http_request_t* r, ngx_table_elt_t* element);

// Appends an element and, where nginx knows the name, fills its slot. Null when memory is short.
ngx_table_elt_t* add_header_in(ngx_http_request_t* r, const HeaderName& name, ngx_str_t value);

// Begins a list of r's own, empty, in place of one that it shares with another request.
bool own_header_list(ngx_http_request_t* r);
// Copies an element of the shared list to the end of r's own (or, without `keep`, leaves it behind) and
// sets the slot that knows it. To be called in the shared list's order. False when memory is short.
bool adopt_header(ngx_http_request_t* r, ngx_table_elt_t* header, bool keep);

// Gives a subrequest, which shares its parent's headers, a copy of those that `keep` wants. False when
// memory is short.
template <class Keep>
bool copy_headers(ngx_http_request_t* r, Keep&& keep) {
  const ngx_list_t shared = r->headers_in.headers;
  if (!own_header_list(r)) return false;
  bool ok = true;
  for_each_header(shared, [&](ngx_table_elt_t* header) {
    ok = ok && adopt_header(r, header, keep(header));
  });
  return ok;
}

}  // namespace sallyport::ngx
