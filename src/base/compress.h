// Small texts made smaller (raw DEFLATE, RFC 1951), with what is usual in them known beforehand.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// `dictionary`: bytes that the text is likely to hold too; the same to expand it.
// nullopt when memory is short.
std::optional<std::string> compress(std::string_view text, std::string_view dictionary);

// nullopt: it is not the compressed form of a text of exactly `size` bytes, or memory is short.
std::optional<std::string> expand(std::string_view compressed, std::string_view dictionary, std::size_t size);

}  // namespace sallyport
