// What the module knows of a request. RequestState belongs to the main request and outlives internal
// redirects, which wipe module contexts; RequestCtx belongs to one request (or subrequest) in one location.
#pragma once

#include "ngx.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "conf.h"
#include "redis_sessions.h"
#include "redis_users.h"
#include "session/cookie.h"
#include "session/record.h"
#include "session/sealed_record.h"

namespace sallyport::ngx {

// A few objects that need no destructor, in a pool: what nearly every request has must cost no malloc.
template <class T>
class PoolList {
 public:
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }
  std::size_t size() const { return size_; }
  void clear() { size_ = 0; }

  bool push_back(ngx_pool_t* pool, const T& item) {
    if (size_ == capacity_) {
      const std::size_t wanted = capacity_ == 0 ? 8 : capacity_ * 2;
      auto* grown = static_cast<T*>(ngx_palloc(pool, wanted * sizeof(T)));
      if (grown == nullptr) return false;
      std::copy(begin(), end(), grown);
      items_ = grown;
      capacity_ = wanted;
    }
    items_[size_++] = item;
    return true;
  }

  template <class Predicate>
  void remove_if(Predicate&& predicate) {
    size_ = static_cast<std::size_t>(std::remove_if(items_, items_ + size_, predicate) - items_);
  }

 private:
  T* items_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// One of our cookies as the browser sent it; views of the request's memory.
struct OwnCookie {
  std::string_view name;
  std::string_view value;
};

// A header of our making among the request headers of a request or subrequest.
struct Injected {
  ngx_http_request_t* request;
  ngx_table_elt_t* header;
};

// How far the store has been asked for the session of the request's cookie.
enum class Lookup {
  kNotYet,
  kAsking,       // the requests in RequestState::waiting go on when the answer is there
  kFound,
  kAbsent,
  kUnavailable,  // the store could not be asked: nothing is known
};

enum class PendingLogin {
  kNone,
  kRedirect,  // a page navigation: send it to the login
  kTell,      // anything else: 401 that says where to log in
  kRefuse,    // the store could not be asked: 503
};

struct RequestState {
  // Taken out of the Cookie header when the request arrived.
  PoolList<OwnCookie> cookies;

  Lookup lookup = Lookup::kNotYet;
  bool has_key = false;
  session::SessionKey key{};  // of the session cookie
  bool touch_due = false;
  std::optional<session::RecordView> record;  // its front
  bool has_whole = false;                     // whole_record() has asked for all of it
  std::optional<session::RecordView> whole;
  session::SealId seal_id{};                   // of the record, where a store behind the zone has it
  std::optional<SessionQuestion> question;     // to a store behind the zone
  const login::Trust* facts_of = nullptr;      // whose rules wanted to know more of the user, and asked the store
  bool has_facts = false;                      // the store has answered that, or could not be asked (null)
  bool facts_are_fresh = false;                // they were asked for by this request
  std::string facts_email;                     // the address under which they were asked for
  std::shared_ptr<const UserFacts> facts;
  std::optional<UserWaiter> user_waiter;
  PoolList<ngx_http_request_t*> waiting;       // the request and subrequests that wait for an answer of the store
  ngx_int_t (*resume)(ngx_http_request_t*) = nullptr;  // of an endpoint that waits

  PoolList<Injected> injected;
  PoolList<ngx_http_request_t*> detached;  // subrequests that have headers of their own

  // What the header filter does if the request ends as 401 (`satisfy any`).
  PendingLogin pending = PendingLogin::kNone;
  const login::Trust* pending_trust = nullptr;  // null: the login page chooses
  const LocConf* pending_location = nullptr;    // the one that asked for the login

  void* body_reader = nullptr;  // body_reader.cpp's own

  std::optional<Reason> error;  // $saml_error
  ngx_str_t reference{};        // of the page and the log line

  // The session's cookie, absent where it came not at all or twice (cookie tossing).
  std::optional<std::string_view> session_cookie(std::string_view name) const;
};

enum class Standing {
  kPublic,      // auth_saml off here
  kSession,     // a session that counts here
  kNoSession,
  kUnknownIdp,  // the variable names none
  kUnavailable,  // there is a cookie, and its session could not be asked for
};

// What `saml_space` makes of the request; views of the request's memory and of the session's record.
struct ActiveSpace {
  bool is_wanted = false;   // saml_space stands here
  bool user_has_it = false;
  std::string_view name;    // plain
  std::string_view encoded_name;  // as the header and the variable have it; empty where it is not the user's
  std::string_view encoded_role;
};

struct RequestCtx {
  bool evaluated = false;
  Standing standing = Standing::kPublic;
  // Only with kSession; as it was when the gate decided, also where another request of the same main request has changed it since.
  std::optional<session::RecordView> session;
  ActiveSpace space;                             // only with kSession
  const login::Trust* trust = nullptr;           // the IdP that the session is of, or the only one to go to
  RequestState* state = nullptr;                 // null while nothing is known of the main request
};

// The state of r->main, if there is one.
RequestState* find_state(ngx_http_request_t* r);
// The same, made when missing; null when memory is short.
RequestState* require_state(ngx_http_request_t* r);

// The context of r itself.
RequestCtx* find_ctx(ngx_http_request_t* r);
RequestCtx* require_ctx(ngx_http_request_t* r);
// That of the request whose headers r shares: its own, or, where nginx went on in the same location without asking the gate (as
// slices and a cache's background updates do), its parent's.
const RequestCtx* find_shared_ctx(const ngx_http_request_t* r);

// Notes a refusal for $saml_error.
void set_error(ngx_http_request_t* r, Reason reason);

}  // namespace sallyport::ngx
