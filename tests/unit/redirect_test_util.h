// Taking a HTTP-Redirect URL apart as an IdP does.
#pragma once

#include <zlib.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.h"

namespace sallyport::testing {

inline std::string percent_decode(std::string_view text) {
  return form_decode(text).value_or("(bad escape)");
}

// Raw DEFLATE that must end exactly at the end of the bytes.
inline std::optional<std::string> inflate_raw(std::string_view bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) return std::nullopt;
  std::string out(1024 * 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  const bool whole = status == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!whole) return std::nullopt;
  return out;
}

// The message in a SAMLRequest parameter.
inline std::optional<std::string> decode_redirect(std::string_view parameter) {
  const auto bytes = base64_decode(percent_decode(parameter));
  if (!bytes) return std::nullopt;
  return inflate_raw(*bytes);
}

// name=value pairs behind the '?', in order, values still encoded.
inline std::vector<std::pair<std::string, std::string>> query_parameters(std::string_view url) {
  std::vector<std::pair<std::string, std::string>> out;
  std::string_view rest = url.substr(url.find('?') + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    const std::size_t equals = pair.find('=');
    out.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    rest.remove_prefix(pair.size() < rest.size() ? pair.size() + 1 : pair.size());
  }
  return out;
}

}  // namespace sallyport::testing
