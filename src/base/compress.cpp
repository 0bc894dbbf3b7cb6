#include "base/compress.h"

#include <zlib.h>

namespace sallyport {
namespace {

// Room for 32 KB back, so that a large record is compressed as a whole; little memory, since that is cleared each time.
constexpr int kRawWindow = -15;
constexpr int kMemoryLevel = 6;

Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

z_stream stream_of(std::string_view in, std::string& out) {
  z_stream stream{};
  stream.next_in = bytes_of(in);
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = bytes_of(out);
  stream.avail_out = static_cast<uInt>(out.size());
  return stream;
}

}  // namespace

std::optional<std::string> compress(std::string_view text, std::string_view dictionary) {
  std::string out;
  z_stream stream = stream_of(text, out);
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  deflateSetDictionary(&stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size()));
  out.resize(deflateBound(&stream, text.size()));
  stream.next_out = bytes_of(out);
  stream.avail_out = static_cast<uInt>(out.size());
  const bool is_whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!is_whole) return std::nullopt;
  return out;
}

std::optional<std::string> expand(std::string_view compressed, std::string_view dictionary, std::size_t size) {
  // One byte more would be too much, and shows.
  std::string out(size + 1, '\0');
  z_stream stream = stream_of(compressed, out);
  if (inflateInit2(&stream, kRawWindow) != Z_OK) return std::nullopt;
  inflateSetDictionary(&stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size()));
  const bool is_whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == size;
  inflateEnd(&stream);
  if (!is_whole) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace sallyport
