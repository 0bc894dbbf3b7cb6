#include "header_list.h"

#include <algorithm>

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
// Names that may come several times: nginx keeps their elements in arrays.
template <class Visit>
bool for_each_array(ngx_http_request_t* r, Visit&& visit) {
  bool ok = visit(r->headers_in.cookies);
#if (NGX_HTTP_X_FORWARDED_FOR)
  ok = ok && visit(r->headers_in.x_forwarded_for);
#endif
  return ok;
}

void replace_in_array(ngx_array_t& array, const ngx_table_elt_t* element,
                      ngx_table_elt_t* replacement) {
  auto** elements = static_cast<ngx_table_elt_t**>(array.elts);
  for (ngx_uint_t i = 0; i < array.nelts; ++i) {
    if (elements[i] != element) continue;
    if (replacement != nullptr) {
      elements[i] = replacement;
    } else {
      std::copy(elements + i + 1, elements + array.nelts, elements + i);
      --array.nelts;
    }
    return;
  }
}

bool is_array_slot(const ngx_http_header_t& known) {
  bool is_array = known.offset == offsetof(ngx_http_headers_in_t, cookies);
#if (NGX_HTTP_X_FORWARDED_FOR)
  is_array = is_array || known.offset == offsetof(ngx_http_headers_in_t, x_forwarded_for);
#endif
  return is_array;
}
#endif

// What nginx keeps as r's known header `element` becomes `replacement`, null for none.
void replace_in_slot(ngx_http_request_t* r, ngx_table_elt_t* element,
                     ngx_table_elt_t* replacement) {
  ngx_http_header_t* known = known_header(r, element);
  if (known == nullptr || known->offset == 0) return;
  auto** slot = reinterpret_cast<ngx_table_elt_t**>(reinterpret_cast<char*>(&r->headers_in) +
                                                    known->offset);
#if SALLYPORT_LINKED_HEADERS
  for (; *slot != nullptr; slot = &(*slot)->next) {
    if (*slot != element) continue;
    if (replacement != nullptr) replacement->next = element->next;
    *slot = replacement != nullptr ? replacement : element->next;
    return;
  }
#else
  if (is_array_slot(*known)) {
    for_each_array(r, [&](ngx_array_t& array) {
      replace_in_array(array, element, replacement);
      return true;
    });
  } else if (*slot == element) {
    *slot = replacement;
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
    replace_in_slot(r, element, nullptr);
    return remove_from_part(r, list, part, previous, static_cast<ngx_uint_t>(element - elements));
  }
  return false;
}

bool own_header_list(ngx_http_request_t* r) {
  ngx_list_t* list = &r->headers_in.headers;
  if (ngx_list_init(list, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) return false;
#if !SALLYPORT_LINKED_HEADERS
  return for_each_array(r, [&](ngx_array_t& array) {
    const ngx_array_t shared = array;
    const ngx_uint_t room = std::max<ngx_uint_t>(shared.nelts, 1);
    if (ngx_array_init(&array, r->pool, room, sizeof(ngx_table_elt_t*)) != NGX_OK) return false;
    auto** elements = static_cast<ngx_table_elt_t**>(shared.elts);
    std::copy(elements, elements + shared.nelts, static_cast<ngx_table_elt_t**>(array.elts));
    array.nelts = shared.nelts;
    return true;
  });
#else
  return true;
#endif
}

bool adopt_header(ngx_http_request_t* r, ngx_table_elt_t* header, bool keep) {
  if (!keep) {
    replace_in_slot(r, header, nullptr);
    return true;
  }
  auto* element = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_in.headers));
  if (element == nullptr) return false;
  *element = *header;
  replace_in_slot(r, header, element);
  return true;
}

bool is_slot_taken(ngx_http_request_t* r, const ngx_http_header_t& known) {
#if !SALLYPORT_LINKED_HEADERS
  if (is_array_slot(known)) return false;
#endif
  return *reinterpret_cast<ngx_table_elt_t**>(reinterpret_cast<char*>(&r->headers_in) +
                                              known.offset) != nullptr;
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
  ngx_http_header_t* known = known_header(r, element);
  // For a name that may come once, nginx's handler ends the request when the slot is taken.
  if (known == nullptr || known->handler == nullptr || is_slot_taken(r, *known)) return element;
  return known->handler(r, element, known->offset) == NGX_OK ? element : nullptr;
}

}  // namespace sallyport::ngx
