#include "header_list.h"

#include "bridge.h"

namespace sallyport::ngx {

namespace {

// Takes elements[index] out of a part. Parts are never left empty unless the whole list is: nginx's
// loops read the first element of each further part without asking.
bool remove_from_part(ngx_http_request_t* r, ngx_list_t* list, ngx_list_part_t* part,
                      ngx_list_part_t* previous, ngx_uint_t index) {
  auto* elements = static_cast<ngx_table_elt_t*>(part->elts);
  const bool is_last_part = list->last == part;

  if (part->nelts == 1) {
    if (previous != nullptr) {
      previous->next = part->next;
      if (is_last_part) {
        list->last = previous;
        // The earlier part has no free element that is known of: the next push makes a new part.
        list->nalloc = previous->nelts;
      }
    } else if (part->next != nullptr) {
      ngx_list_part_t* next = part->next;
      if (list->last == next) list->last = part;
      *part = *next;
    } else {
      part->nelts = 0;
    }
    return true;
  }
  if (index == part->nelts - 1) {
    --part->nelts;
    return true;
  }
  if (index == 0) {
    part->elts = elements + 1;
    --part->nelts;
    if (is_last_part) --list->nalloc;
    return true;
  }
  auto* tail = static_cast<ngx_list_part_t*>(ngx_palloc(r->pool, sizeof(ngx_list_part_t)));
  if (tail == nullptr) return false;
  tail->elts = elements + index + 1;
  tail->nelts = part->nelts - index - 1;
  tail->next = part->next;
  part->nelts = index;
  part->next = tail;
  if (is_last_part) {
    list->last = tail;
    list->nalloc -= index + 1;
  }
  return true;
}

ngx_http_header_t* known_header(ngx_http_request_t* r, const ngx_table_elt_t* element) {
  auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(
      ngx_http_get_module_main_conf(r, ngx_http_core_module));
  return static_cast<ngx_http_header_t*>(ngx_hash_find(
      &cmcf->headers_in_hash, element->hash, element->lowcase_key, element->key.len));
}

#if !SALLYPORT_LINKED_HEADERS
void forget_in_array(ngx_array_t* array, const ngx_table_elt_t* element) {
  auto** elements = static_cast<ngx_table_elt_t**>(array->elts);
  for (ngx_uint_t i = 0; i < array->nelts; ++i) {
    if (elements[i] != element) continue;
    for (ngx_uint_t j = i + 1; j < array->nelts; ++j) elements[j - 1] = elements[j];
    --array->nelts;
    return;
  }
}
#endif

void forget_slot(ngx_http_request_t* r, ngx_table_elt_t* element) {
#if !SALLYPORT_LINKED_HEADERS
  forget_in_array(&r->headers_in.cookies, element);
#if (NGX_HTTP_X_FORWARDED_FOR)
  forget_in_array(&r->headers_in.x_forwarded_for, element);
#endif
#endif
  ngx_http_header_t* known = known_header(r, element);
  if (known == nullptr || known->offset == 0) return;
#if SALLYPORT_LINKED_HEADERS
  auto** slot = reinterpret_cast<ngx_table_elt_t**>(reinterpret_cast<char*>(&r->headers_in) +
                                                    known->offset);
  for (; *slot != nullptr; slot = &(*slot)->next) {
    if (*slot != element) continue;
    *slot = element->next;
    return;
  }
#else
  if (known->handler == nullptr) return;
  auto** slot = reinterpret_cast<ngx_table_elt_t**>(reinterpret_cast<char*>(&r->headers_in) +
                                                    known->offset);
  // Names with several lines hold an array there, which forget_in_array has seen to.
  if (known->offset != offsetof(ngx_http_headers_in_t, cookies) && *slot == element) {
    *slot = nullptr;
  }
#endif
}

}  // namespace

bool remove_header(ngx_http_request_t* r, ngx_table_elt_t* element) {
  ngx_list_t* list = &r->headers_in.headers;
  ngx_list_part_t* previous = nullptr;
  for (ngx_list_part_t* part = &list->part; part != nullptr; previous = part, part = part->next) {
    auto* elements = static_cast<ngx_table_elt_t*>(part->elts);
    if (element < elements || element >= elements + part->nelts) continue;
    forget_slot(r, element);
    return remove_from_part(r, list, part, previous, static_cast<ngx_uint_t>(element - elements));
  }
  return false;
}

ngx_table_elt_t* add_header_in(ngx_http_request_t* r, const HeaderName& name, ngx_str_t value) {
  auto* element = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_in.headers));
  if (element == nullptr) return nullptr;
  element->hash = name.hash;
  element->key = name.name;
  element->lowcase_key = name.lowcase;
  element->value = value;
#if SALLYPORT_LINKED_HEADERS
  element->next = nullptr;
#endif
  if (!name.may_be_known) return element;
  if (ngx_http_header_t* known = known_header(r, element); known && known->handler) {
    if (known->handler(r, element, known->offset) != NGX_OK) return nullptr;
  }
  return element;
}

}  // namespace sallyport::ngx
