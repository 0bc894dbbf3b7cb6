// What a refusal's page says: in the words of someone who only wanted a page, never internals.
#pragma once

#include <string_view>

#include "base/error.h"

namespace sallyport::login {

struct PageText {
  std::string_view heading;
  std::string_view what;    // what happened
  std::string_view advice;  // what to do about it
};

// Plain text in English (UTF-8, not escaped), whole sentences. Every reason has one.
PageText page_text(Reason reason);

}  // namespace sallyport::login
