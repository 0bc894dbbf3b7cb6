#include "conf_value.h"

#include <algorithm>

#include "base/encoding.h"

namespace sallyport::ngx {

namespace {

bool is_letter_or_digit(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9');
}

}  // namespace

bool check_first(ngx_conf_t* cf, bool is_set, const Origin& first) {
  if (!is_set) return true;
  conf_error(cf, quoted(words(cf)[0]) + " directive is duplicate, the first stands at " +
                     place(first) + ": remove one of them");
  return false;
}

bool is_word(std::string_view text, std::string_view word) { return ascii_lower(text) == word; }

void refuse_word(ngx_conf_t* cf, std::string_view word, const std::vector<std::string>& choices) {
  conf_error(cf, quoted(words(cf)[0]) + " takes " + one_of(choices) + ", not " + quoted(word));
}

std::optional<std::string> text_value(ngx_conf_t* cf) {
  const std::string_view text = words(cf)[1];
  if (text.empty()) {
    conf_error(cf, quoted(words(cf)[0]) + " wants a value, not an empty text");
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::size_t> parse_size(ngx_conf_t* cf, std::string_view text) {
  ngx_str_t borrowed = borrow(text);
  const ssize_t size = ngx_parse_size(&borrowed);
  if (size == NGX_ERROR) {
    conf_error(cf, quoted(words(cf)[0]) + ": " + quoted(text) +
                       " is not a size; write bytes, or a number with k or m, like 256k");
    return std::nullopt;
  }
  return static_cast<std::size_t>(size);
}

std::optional<Millis> parse_time(ngx_conf_t* cf, std::string_view text) {
  ngx_str_t borrowed = borrow(text);
  const ngx_int_t time = ngx_parse_time(&borrowed, 0);
  if (time == NGX_ERROR) {
    conf_error(cf, quoted(words(cf)[0]) + ": " + quoted(text) +
                       " is not a time; write seconds, or a number with ms, s, m, h or d, like 8h");
    return std::nullopt;
  }
  return static_cast<Millis>(time);
}

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char byte) {
    return is_letter_or_digit(byte) || kOthers.find(byte) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return byte > 0x20 && byte < 0x7F; });
}

bool is_entity_id(std::string_view text) {
  return !text.empty() && text.size() <= 1024 && is_visible(text) && text.find('$') == std::string_view::npos;
}

bool is_simple_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text[0] != '.' && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), [](char byte) {
           return is_letter_or_digit(byte) || byte == '.' || byte == '_' || byte == '-';
         });
}

bool compile_value(ngx_conf_t* cf, std::string_view text, ngx_http_complex_value_t* value) {
  ngx_str_t source = borrow(text);
  ngx_http_compile_complex_value_t compile;
  ngx_memzero(&compile, sizeof(compile));
  compile.cf = cf;
  compile.value = &source;
  compile.complex_value = value;
  return ngx_http_compile_complex_value(&compile) == NGX_OK;
}

}  // namespace sallyport::ngx
