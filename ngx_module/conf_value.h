// From a directive's words to a value: nginx's own sizes and times, words of a list, and the
// handler that keeps one value with its place.
#pragma once

#include "ngx.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge.h"
#include "conf.h"
#include "conf_message.h"

namespace sallyport::ngx {

// A command's handler around a function that may throw: bool(ngx_conf_t*, Conf&), false after a
// message.
template <auto Body>
struct Directive;
template <class Conf, bool (*Body)(ngx_conf_t*, Conf&)>
struct Directive<Body> {
  static char* set(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    return fence<char*>(kConfError, cf->log, [&] {
      return Body(cf, *static_cast<Conf*>(conf)) ? kConfOk : kConfError;
    });
  }
};

// False after "X" directive is duplicate, as nginx says it, with the place of the first.
bool check_first(ngx_conf_t* cf, bool is_set, const Origin& first);

// Reads the one value of a directive by `Parse`: std::optional<T>(ngx_conf_t*), nullopt after a
// message.
template <auto Member, auto Parse>
struct Value;
template <class Conf, class T, Setting<T> Conf::*Member, std::optional<T> (*Parse)(ngx_conf_t*)>
struct Value<Member, Parse> {
  static bool read(ngx_conf_t* cf, Conf& conf) {
    Setting<T>& setting = conf.*Member;
    if (!check_first(cf, setting.is_set(), setting.origin)) return false;
    setting.value = Parse(cf);
    setting.origin = here(cf);
    return setting.is_set();
  }
  static char* set(ngx_conf_t* cf, ngx_command_t* command, void* conf) {
    return Directive<&Value::read>::set(cf, command, conf);
  }
};

// Says that the directive's word at `index` is not among `choices`.
void refuse_word(ngx_conf_t* cf, std::string_view word, const std::vector<std::string>& choices);

// Whether the operator's text is this word, which is in lower case; nginx does not tell `ON` from `on` either.
bool is_word(std::string_view text, std::string_view word);

// A word that stands for a value.
template <class T>
struct Word {
  std::string_view text;
  T value;
};

template <class T, std::size_t N>
std::optional<T> find_word(ngx_conf_t* cf, const Word<T> (&choices)[N], std::string_view word) {
  std::vector<std::string> texts;
  for (const Word<T>& choice : choices) {
    if (is_word(word, choice.text)) return choice.value;
    texts.emplace_back(choice.text);
  }
  refuse_word(cf, word, texts);
  return std::nullopt;
}

// The first value as one of the words of an array.
template <class T, const auto& Choices>
std::optional<T> word_value(ngx_conf_t* cf) {
  return find_word(cf, Choices, words(cf)[1]);
}

inline constexpr Word<bool> kFlag[] = {{"on", true}, {"off", false}};

// The first value as it stands; refused when empty.
std::optional<std::string> text_value(ngx_conf_t* cf);

// nginx's sizes and times ("256k", "8h"), nullopt after a message.
std::optional<std::size_t> parse_size(ngx_conf_t* cf, std::string_view text);
std::optional<Millis> parse_time(ngx_conf_t* cf, std::string_view text);

// A token of HTTP (RFC 9110 section 5.6.2), as names of headers and cookies are.
bool is_token(std::string_view text);
// Printable ASCII without blanks.
bool is_visible(std::string_view text);
// What we may be called: at most 1024 of those, without variables (Metadata 2.2.1).
bool is_entity_id(std::string_view text);
// Letters, digits, '.', '_' and '-', at most 64, not beginning with '.' or '-'.
bool is_simple_name(std::string_view text);

// Compiles text that may hold variables; `text` lives as long as the configuration.
bool compile_value(ngx_conf_t* cf, std::string_view text, ngx_http_complex_value_t* value);
// Without variables: `value.value` is the text.
inline bool is_constant(const ngx_http_complex_value_t& value) { return value.lengths == nullptr; }

}  // namespace sallyport::ngx
