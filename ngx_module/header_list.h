// Removing from and adding to nginx's list of request headers.
#pragma once

#include "ngx.h"

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

// Takes an element out of r's request headers, and out of the slot that knows it (headers_in.x). The others
// stay where they are in memory. False when memory is short or it is not in the list.
bool remove_header(ngx_http_request_t* r, ngx_table_elt_t* element);

// Appends an element and, where nginx knows the name, fills its slot. Null when memory is short.
ngx_table_elt_t* add_header_in(ngx_http_request_t* r, const HeaderName& name, ngx_str_t value);

}  // namespace sallyport::ngx
