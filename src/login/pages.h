// The pages that an end user sees. Self-contained HTML: no outside resource, works without
// JavaScript, with the keyboard, in dark mode and on a phone; a strict Content-Security-Policy goes
// with each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sallyport::login {

struct Page {
  std::string html;
  std::string content_security_policy;  // value of the header
};

// A refusal: what happened in the user's words, what to do, the reference number; never internals.
// `retry_url` (may be empty) is offered as "Try again".
struct ErrorPage {
  Reason reason = Reason::kInternal;
  std::string_view reference;
  std::string_view retry_url;
  std::string_view missing_access;  // for kForbidden: what an administrator must grant
};
Page error_page(const ErrorPage& page);

// HTTP-POST binding: a form that submits itself, with a button that works without JavaScript (and
// under a policy of the operator's that forbids our script).
Page post_form_page(std::string_view action, std::string_view saml_request,
                    std::string_view relay_state);

// A POST navigation without a session: the form was not sent; a link to the login.
Page form_not_sent_page(std::string_view login_url, std::string_view reference);

// Where the user chooses the IdP: by a button for each, and by a work e-mail address whose domain tells it.
struct IdpChoice {
  std::string display_name;
  std::string login_url;
  bool is_last = false;  // this browser used it last
};
struct EmailForm {
  std::string action;       // it posts "email" there, with "return" and "fresh"
  std::string return_url;
  std::string fresh;        // seconds; empty: left out
  std::string email;        // what was typed before
  bool is_unknown = false;  // and led to no IdP
};
struct LoginPage {
  std::vector<IdpChoice> choices;  // in this order
  std::optional<EmailForm> email_form;
};
Page login_page(const LoginPage& page);

// Confirms a logout that arrived by GET; `action` is posted to.
Page logout_confirm_page(std::string_view action);
Page logged_out_page(std::string_view continue_url);

// Moves on to a page of this site by itself (samesite=strict: a redirect would not carry the new
// cookie).
Page continue_page(std::string_view target);

}  // namespace sallyport::login
