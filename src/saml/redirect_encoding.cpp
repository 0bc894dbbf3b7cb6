#include "saml/redirect_encoding.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

namespace sallyport::saml {

namespace {

// A character of base64 in a query.
struct Spelling {
  char text[3];
  unsigned char size;
};

constexpr std::array<Spelling, 64> make_spellings() {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::array<Spelling, 64> spellings{};
  for (std::size_t i = 0; i < kPlain.size(); ++i) spellings[i] = {{kPlain[i]}, 1};
  spellings[62] = {{'%', '2', 'B'}, 3};
  spellings[63] = {{'%', '2', 'F'}, 3};
  return spellings;
}

constexpr std::array<Spelling, 64> kSpellings = make_spellings();

// LEN and NLEN of a stored block (RFC 1951 section 3.2.4).
constexpr std::size_t kStoredLengths = 4;

// Writes four bytes, of which those behind the end it returns do not count: without a branch.
char* put_sextet(char* out, std::uint32_t value) {
  const Spelling& spelling = kSpellings[value & 63];
  std::memcpy(out, &spelling, sizeof(spelling));
  return out + spelling.size;
}

char* put_padding(char* out) {
  std::memcpy(out, "%3D", 3);
  return out + 3;
}

// The longest that append_query_base64 writes for so many bytes.
constexpr std::size_t query_base64_bound(std::size_t size) {
  return (size + 2) / 3 * 4 * sizeof(Spelling::text) + sizeof(Spelling::size);
}

std::uint32_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

char* put_group(char* out, std::string_view bytes, std::size_t at) {
  const std::uint32_t group =
      byte_at(bytes, at) << 16 | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2);
  out = put_sextet(out, group >> 18);
  out = put_sextet(out, group >> 12);
  out = put_sextet(out, group >> 6);
  return put_sextet(out, group);
}

char* put_last_group(char* out, std::string_view bytes, std::size_t at) {
  const bool two = bytes.size() - at == 2;
  const std::uint32_t group =
      byte_at(bytes, at) << 16 | (two ? byte_at(bytes, at + 1) << 8 : std::uint32_t{0});
  out = put_sextet(out, group >> 18);
  out = put_sextet(out, group >> 12);
  out = two ? put_sextet(out, group >> 6) : put_padding(out);
  return put_padding(out);
}

// One raw DEFLATE run over `text`, ended as `flush` says.
std::string deflate_raw(std::string_view text, int flush) {
  z_stream stream{};
  constexpr int kRawWindow = -15;
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kRawWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  // A flush writes an empty block behind what deflateBound counts.
  constexpr std::size_t kFlushRoom = 16;
  std::string out(deflateBound(&stream, text.size()) + kFlushRoom, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, flush);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Blocks of `text`, then the header of a stored block up to its LEN: a full flush ends with an
// empty stored block at a byte boundary, and its four bytes of lengths are left for the caller to
// write.
std::string deflate_up_to_stored(std::string_view text) {
  std::string out = deflate_raw(text, Z_FULL_FLUSH);
  out.resize(out.size() - kStoredLengths);
  return out;
}

}  // namespace

void append_query_base64(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + query_base64_bound(bytes.size()));
  char* const begin = out.data();
  char* end = begin + start;
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) end = put_group(end, bytes, at);
  if (at < bytes.size()) end = put_last_group(end, bytes, at);
  out.resize(static_cast<std::size_t>(end - begin));
}

SplicedDeflate::SplicedDeflate(std::string_view before, std::string_view after)
    : after_(deflate_raw(after, Z_FINISH)) {
  const std::string head = deflate_up_to_stored(before);
  const std::size_t whole = head.size() - head.size() % 3;
  append_query_base64(head_, std::string_view(head).substr(0, whole));
  carry_ = head.substr(whole);
  for (std::size_t skip = 0; skip < tails_.size(); ++skip) {
    append_query_base64(tails_[skip], std::string_view(after_).substr(skip));
  }
}

std::size_t SplicedDeflate::encoded_size(std::size_t middle) const {
  const std::size_t spliced = carry_.size() + kStoredLengths + middle + 2;
  return head_.size() + query_base64_bound(spliced) + std::max({tails_[0].size(), tails_[1].size(), tails_[2].size()});
}

bool SplicedDeflate::append(std::string& out,
                            std::initializer_list<std::string_view> middle) const {
  std::size_t length = 0;
  for (std::string_view piece : middle) length += piece.size();
  if (length > kMaxMiddle) return false;

  std::array<char, 2 + kStoredLengths + kMaxMiddle + 2> buffer;
  char* end = buffer.data();
  const auto put = [&end](std::string_view bytes) {
    std::memcpy(end, bytes.data(), bytes.size());
    end += bytes.size();
  };
  put(carry_);
  const char lengths[kStoredLengths] = {
      static_cast<char>(length & 0xFF), static_cast<char>(length >> 8),
      static_cast<char>(~length & 0xFF), static_cast<char>((~length >> 8) & 0xFF)};
  put({lengths, kStoredLengths});
  for (std::string_view piece : middle) put(piece);
  const std::size_t borrowed = (3 - static_cast<std::size_t>(end - buffer.data()) % 3) % 3;
  put(std::string_view(after_).substr(0, borrowed));

  out += head_;
  append_query_base64(out, {buffer.data(), static_cast<std::size_t>(end - buffer.data())});
  out += tails_[borrowed];
  return true;
}

}  // namespace sallyport::saml
