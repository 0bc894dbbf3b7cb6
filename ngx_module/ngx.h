// The only include of nginx's headers: C linkage, before any standard header, and what differs
// between the nginx versions that we build against.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
}

// From 1.23.0 on, headers of one name are a linked list; before, Cookie had an array.
#if nginx_version >= 1023000
#define SALLYPORT_LINKED_HEADERS 1
#endif

extern "C" ngx_module_t ngx_http_saml_module;
