#include "base/url.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/encoding.h"

namespace sallyport {

namespace {

constexpr int kHttpPort = 80;
constexpr int kHttpsPort = 443;
constexpr std::size_t kMaxHost = 253;
constexpr std::size_t kMaxLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_printable(char c) { return c > 0x20 && c < 0x7F; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_url_character(char c) {
  return is_printable(c) && std::string_view("\"'\\<>#").find(c) == std::string_view::npos;
}

int scheme_port(std::string_view scheme) { return scheme == "https" ? kHttpsPort : kHttpPort; }

bool is_address(int family, std::string_view text) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(family, std::string(text).c_str(), address) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '-' || c == '_';
         });
}

// Whether browsers take a host that ends in this label for an IPv4 address, whose other spellings
// ("127.1", "0x7f.0.0.1") they would rewrite.
bool looks_like_number(std::string_view label) {
  if (label.size() >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X')) {
    return std::all_of(label.begin() + 2, label.end(), [](char c) { return hex_value(c) >= 0; });
  }
  return std::all_of(label.begin(), label.end(), is_digit);
}

bool is_host_name(std::string_view host) {
  if (host.size() > kMaxHost) return false;
  std::string_view last;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    if (!is_label(last)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return !looks_like_number(last) || is_address(AF_INET, host);
}

bool is_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return is_address(AF_INET6, host.substr(1, host.size() - 2));
  }
  return is_host_name(host);
}

// "443" and the like; 0 for anything that is not a port.
int port_number(std::string_view digits) {
  if (digits.empty() || digits.size() > 5) return 0;
  int port = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return 0;
    port = port * 10 + (c - '0');
  }
  return port <= 65535 ? port : 0;
}

bool parse_authority(std::string_view authority, Url& url) {
  // Behind the bracket: the colons of an IPv6 address separate no port.
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = authority.substr(0, colon);
  if (!is_host(host)) return false;
  url.host = ascii_lower(host);
  url.port = scheme_port(url.scheme);
  if (colon != std::string_view::npos) url.port = port_number(authority.substr(colon + 1));
  return url.port != 0;
}

// One character of a path as a server or proxy may see it after decoding, and what it took.
struct PathUnit {
  unsigned char value;
  std::size_t size;
};

PathUnit decode_unit(std::string_view text) {
  if (text.size() >= 3 && text[0] == '%') {
    const int high = hex_value(text[1]);
    const int low = hex_value(text[2]);
    if (high >= 0 && low >= 0) return {static_cast<unsigned char>(high << 4 | low), 3};
  }
  return {static_cast<unsigned char>(text[0]), 1};
}

bool is_slash_like(unsigned char c) { return c == '/' || c == '\\'; }

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7F; }

// Whether the path, behind its leading '/', begins with what may turn into a second slash: a slash
// or backslash, plain or encoded, also behind dot segments (resolved away: "/.//host") or behind
// control bytes (dropped by whoever decodes them: "/%09/host").
bool hides_authority(std::string_view rest) {
  std::size_t dots = 0;  // the segment so far is that many dots
  while (!rest.empty()) {
    const PathUnit unit = decode_unit(rest);
    rest.remove_prefix(unit.size);
    if (is_control(unit.value)) return true;
    if (is_slash_like(unit.value)) {
      if (dots == 0) return true;
      if (dots > 2) return false;
      dots = 0;
    } else if (unit.value == '.') {
      ++dots;
    } else {
      return false;
    }
  }
  return false;
}

// What is percent-encoded before a request target becomes a return address. Browsers send some of
// these raw in a query; encoded they mean the same.
bool is_encoded_for_return(char c) {
  return static_cast<unsigned char>(c) > 0x7E || c == '"' || c == '\\' || c == '<' ||
         c == '>';
}

std::string encode_for_return(std::string_view request_uri) {
  std::string out;
  out.reserve(request_uri.size());
  std::size_t copied = 0;
  for (std::size_t i = 0; i < request_uri.size(); ++i) {
    if (!is_encoded_for_return(request_uri[i])) continue;
    out.append(request_uri, copied, i - copied);
    url_append(out, request_uri.substr(i, 1));
    copied = i + 1;
  }
  out.append(request_uri, copied, std::string_view::npos);
  return out;
}

}  // namespace

std::string Url::origin() const {
  std::string out = scheme + "://" + host;
  if (port != scheme_port(scheme)) out += ":" + std::to_string(port);
  return out;
}

std::optional<Url> parse_url(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), is_url_character)) return std::nullopt;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Url url;
  url.scheme = ascii_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  if (!parse_authority(text.substr(0, end), url)) return std::nullopt;
  url.path = text.substr(end);
  if (!url.path.empty() && url.path.front() == '?') url.path.insert(0, 1, '/');
  return url;
}

bool is_local_path(std::string_view path) {
  return !path.empty() && path.front() == '/' &&
         std::all_of(path.begin(), path.end(), is_printable) &&
         path.find('\\') == std::string_view::npos && !hides_authority(path.substr(1));
}

std::string return_path(std::string_view request_uri, std::size_t max) {
  const std::string_view without_query = request_uri.substr(0, request_uri.find('?'));
  for (const std::string_view candidate : {request_uri, without_query}) {
    // Encoding only adds bytes: what is too long before is not worth the work.
    if (candidate.size() > max) continue;
    std::string path = encode_for_return(candidate);
    if (path.size() <= max && is_local_path(path)) return path;
  }
  return "/";
}

void append_query(std::string& url, std::string_view name, std::string_view encoded_value) {
  const std::size_t question = url.find('?');
  if (question == std::string::npos) {
    url += '?';
  } else if (url.back() != '?' && url.back() != '&') {
    url += '&';
  }
  url += name;
  url += '=';
  url += encoded_value;
}

}  // namespace sallyport
