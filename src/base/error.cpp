#include "base/error.h"

namespace sallyport {

namespace {

constexpr std::size_t kMaxQuoted = 256;

void append_quoted(std::string& out, std::string_view value) {
  out += '<';
  out += value.substr(0, kMaxQuoted);
  out += value.size() > kMaxQuoted ? ">..." : ">";
}

}  // namespace

std::string_view reason_word(Reason reason) {
  switch (reason) {
#define SALLYPORT_REASON_WORD(name, word, status) \
  case Reason::name:                              \
    return word;
    SALLYPORT_REASONS(SALLYPORT_REASON_WORD)
#undef SALLYPORT_REASON_WORD
  }
  return "internal";
}

int reason_http_status(Reason reason) {
  switch (reason) {
#define SALLYPORT_REASON_STATUS(name, word, status) \
  case Reason::name:                                \
    return status;
    SALLYPORT_REASONS(SALLYPORT_REASON_STATUS)
#undef SALLYPORT_REASON_STATUS
  }
  return 500;
}

std::string expected_received(std::string_view what, std::string_view expected,
                              std::string_view received) {
  std::string out(what);
  out += ": expected ";
  append_quoted(out, expected);
  out += ", received ";
  append_quoted(out, received);
  return out;
}

}  // namespace sallyport
