#include "request_headers.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/encoding.h"
#include "bridge.h"
#include "header_list.h"
#include "policy/identity_headers.h"
#include "session/cookie.h"

namespace sallyport::ngx {

namespace {

// Every Cookie header of the request.
template <class Visit>
void for_each_cookie_header(ngx_http_request_t* r, Visit&& visit) {
#if SALLYPORT_LINKED_HEADERS
  ngx_table_elt_t* next = nullptr;
  for (ngx_table_elt_t* header = r->headers_in.cookie; header != nullptr; header = next) {
    next = header->next;
    visit(header);
  }
#else
  // Backwards, since visiting may take the element out of the array.
  auto** headers = static_cast<ngx_table_elt_t**>(r->headers_in.cookies.elts);
  for (ngx_uint_t i = r->headers_in.cookies.nelts; i > 0; --i) visit(headers[i - 1]);
#endif
}

// `remember`: the cookies are those of the request's own server.
bool take_from_header(ngx_http_request_t* r, ngx_table_elt_t* header, std::string_view name,
                      bool remember) {
  const std::string_view value = view(header->value);
  // Cookies of other names are the usual case on public pages.
  if (value.find(name) == std::string_view::npos) return true;
  auto* room = static_cast<char*>(ngx_pnalloc(r->pool, value.size() + 1));
  if (room == nullptr) return false;
  bool ok = true;
  bool found = false;
  const std::string_view rest = session::split_cookies(
      value, name, room, [&](std::string_view key, std::string_view own) {
        found = true;
        if (!remember) return;
        RequestState* state = require_state(r);
        ok = ok && state != nullptr && state->cookies.push_back(r->pool, {key, own});
      });
  if (!ok || !found) return ok;
  if (rest.empty()) return remove_header(r, header);
  room[rest.data() - room + static_cast<std::ptrdiff_t>(rest.size())] = '\0';
  header->value = borrow(rest);
  return true;
}

constexpr std::string_view kConnection = "connection";

// Calls visit(option) for each of a Connection header, without blanks around it.
template <class Visit>
void for_each_option(std::string_view value, Visit&& visit) {
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(','), value.size());
    visit(trim_blanks(value.substr(0, end)));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

// What a Connection header names, the next proxy takes out (RFC 9110, section 7.6.1): no client may have it
// take out ours, where `proxy_set_header Connection $http_connection` passes the client's on.
bool takes_out_ours(const ngx_table_elt_t& header, const StripSet& names) {
  bool found = false;
  if (is_named(header, kConnection)) {
    for_each_option(view(header.value), [&](std::string_view option) { found = found || names.has(option); });
  }
  return found;
}

bool spare_ours(ngx_http_request_t* r, ngx_table_elt_t* header, const StripSet& names) {
  std::string kept;
  for_each_option(view(header->value), [&](std::string_view option) {
    if (option.empty() || names.has(option)) return;
    if (!kept.empty()) kept += ", ";
    kept += option;
  });
  if (kept.empty()) return remove_header(r, header);
  header->value = copy(r->pool, kept);
  return header->value.data != nullptr;
}

// Bytes that must not stand in a header line, of variables that hold anything.
ngx_str_t without_controls(ngx_pool_t* pool, ngx_str_t value) {
  std::size_t controls = 0;
  for (std::size_t i = 0; i < value.len; ++i) controls += value.data[i] < 0x20 || value.data[i] == 0x7f;
  if (controls == 0) return value;
  auto* data = static_cast<u_char*>(ngx_pnalloc(pool, value.len + 2 * controls));
  if (data == nullptr) return {0, nullptr};
  u_char* out = data;
  for (std::size_t i = 0; i < value.len; ++i) {
    const u_char c = value.data[i];
    if (c < 0x20 || c == 0x7f) {
      *out++ = '%';
      *out++ = "0123456789ABCDEF"[c >> 4];
      *out++ = "0123456789ABCDEF"[c & 15];
    } else {
      *out++ = c;
    }
  }
  return {static_cast<std::size_t>(out - data), data};
}

bool is_list(session::Field field) {
  return field == session::Field::kSpaces || field == session::Field::kRoles ||
         field == session::Field::kGroups;
}

// One request's injection: limits, overflow, the elements made. What may not be cut comes first, the lists
// share what that leaves of the limit.
class Injector {
 public:
  Injector(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx)
      : r_(r),
        location_(location),
        session_(*ctx.session),
        space_(ctx.space),
        state_(*ctx.state),
        limits_(location.limits()),
        left_(limits_.total) {}

  Injection run() {
    Injection result = standard_headers(false);
    if (result == Injection::kDone) result = active_space();
    if (result == Injection::kDone) result = extra_headers();
    if (result == Injection::kDone) result = standard_headers(true);
    if (result == Injection::kDone && !overflow_.empty() &&
        !push_copy(location_.standard->overflow, overflow_)) {
      result = Injection::kNoMemory;
    }
    return result;
  }

 private:
  Injection standard_headers(bool lists) {
    if (location_.standard == nullptr) return Injection::kDone;
    for (std::size_t i = 0; i < StandardHeaders::kCount; ++i) {
      const auto field = static_cast<session::Field>(i);
      if (is_list(field) != lists) continue;
      const std::string_view value = session_.field(field);
      if (value.empty()) continue;
      // The record's copy lives in the request's pool.
      const Injection result = lists ? list(field, value) : single(location_.standard->fields[i], value);
      if (result != Injection::kDone) return result;
    }
    return Injection::kDone;
  }

  Injection active_space() {
    if (location_.standard == nullptr || !space_.user_has_it) return Injection::kDone;
    const Injection result = single(location_.standard->space, space_.encoded_name);
    if (result != Injection::kDone || space_.encoded_role.empty()) return result;
    return single(location_.standard->role, space_.encoded_role);
  }

  Injection extra_headers() {
    if (location_.extra_headers == nullptr) return Injection::kDone;
    for (const ExtraHeader& header : *location_.extra_headers) {
      ngx_str_t value;
      auto* complex = const_cast<ngx_http_complex_value_t*>(&header.value);
      if (ngx_http_complex_value(r_, complex, &value) != NGX_OK) return Injection::kNoMemory;
      if (value.len == 0) continue;
      value = without_controls(r_->pool, value);
      // nginx's handlers of the names that it knows read on to a NUL.
      if (header.header.may_be_known && value.data != nullptr) value = copy(r_->pool, view(value));
      if (value.data == nullptr) return Injection::kNoMemory;
      const Injection result = single(header.header, view(value));
      if (result != Injection::kDone) return result;
    }
    return Injection::kDone;
  }

  Injection single(const HeaderName& name, std::string_view value) {
    if (value.size() > room()) return Injection::kTooLarge;
    left_ -= value.size();
    return push(name, borrow(value)) ? Injection::kDone : Injection::kNoMemory;
  }

  Injection list(session::Field field, std::string_view value) {
    const HeaderName& name = location_.standard->fields[static_cast<std::size_t>(field)];
    bool cut = value.size() > room();
    std::string json;
    if (location_.is_json) {
      json = field == session::Field::kSpaces ? policy::pairs_to_json(value, room(), &cut)
                                              : policy::list_to_json(value, room(), &cut);
      value = json;
    } else if (cut) {
      value = policy::cut_list(value, room());
    }
    if (cut) {
      if (!limits_.cut_lists) return Injection::kTooLarge;
      if (!overflow_.empty()) overflow_ += ',';
      overflow_ += view(name.name).substr(location_.headers_prefix.or_default("X-SSO-").size());
    }
    if (value.empty()) return Injection::kDone;
    left_ -= value.size();
    const bool pushed = location_.is_json ? push_copy(name, value) : push(name, borrow(value));
    return pushed ? Injection::kDone : Injection::kNoMemory;
  }

  std::size_t room() const { return std::min(limits_.one, left_); }

  bool push_copy(const HeaderName& name, std::string_view value) {
    const ngx_str_t copied = copy(r_->pool, value);
    return copied.data != nullptr && push(name, copied);
  }

  bool push(const HeaderName& name, ngx_str_t value) {
    ngx_table_elt_t* element = add_header_in(r_, name, value);
    return element != nullptr && state_.injected.push_back(r_->pool, {r_, element});
  }

  ngx_http_request_t* r_;
  const LocConf& location_;
  const session::RecordView& session_;
  const ActiveSpace& space_;
  RequestState& state_;
  login::HeaderLimits limits_;
  std::size_t left_;
  std::string overflow_;
};

}  // namespace

bool strip_client_headers(ngx_http_request_t* r, const StripSet& names) {
  // Removing changes the list under the loop, so collect first; nearly always there is nothing.
  std::vector<ngx_table_elt_t*> found;
  for_each_header(r->headers_in.headers, [&](ngx_table_elt_t* header) {
    if (names.has({reinterpret_cast<char*>(header->lowcase_key), header->key.len}) || takes_out_ours(*header, names)) {
      found.push_back(header);
    }
  });
  // From the back, so that an element found earlier never moves into a part made meanwhile.
  for (auto it = found.rbegin(); it != found.rend(); ++it) {
    const bool ok = is_named(**it, kConnection) ? spare_ours(r, *it, names) : remove_header(r, *it);
    if (!ok) return false;
  }
  return true;
}

bool take_own_cookies(ngx_http_request_t* r, const SrvConf& server) {
  bool ok = true;
  for (const std::string& name : main_conf(r)->cookie_names) {
    const bool remember = server.active && name == server.cookie_settings.name;
    for_each_cookie_header(r, [&](ngx_table_elt_t* header) {
      ok = ok && take_from_header(r, header, name, remember);
    });
  }
  return ok;
}

bool detach_headers(ngx_http_request_t* r, RequestState& state) {
  for (const ngx_http_request_t* done : state.detached) {
    if (done == r) return true;
  }
  const auto is_injected = [&](const ngx_table_elt_t* header) {
    for (const Injected& injected : state.injected) {
      if (injected.header == header) return true;
    }
    return false;
  };
  return copy_headers(r, [&](const ngx_table_elt_t* header) { return !is_injected(header); }) &&
         state.detached.push_back(r->pool, r);
}

void remove_injected(ngx_http_request_t* r, RequestState& state) {
  state.injected.remove_if([&](const Injected& injected) {
    if (injected.request != r) return false;
    remove_header(r, injected.header);
    return true;
  });
}

Injection inject_identity(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx) {
  return Injector(r, location, ctx).run();
}

std::string_view find_header(ngx_http_request_t* r, std::string_view lowcase) {
  std::string_view found;
  for_each_header(r->headers_in.headers, [&](ngx_table_elt_t* header) {
    if (found.empty() && is_named(*header, lowcase)) found = view(header->value);
  });
  return found;
}

}  // namespace sallyport::ngx
