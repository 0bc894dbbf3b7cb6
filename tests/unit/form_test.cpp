#include "base/form.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using Field = std::optional<std::string>;

TEST(Form, FindsAField) {
  EXPECT_EQ(form_field("email=ada%40example.com&return=%2Fa+b", "email"), Field("ada@example.com"));
  EXPECT_EQ(form_field("email=ada%40example.com&return=%2Fa+b", "return"), Field("/a b"));
  EXPECT_EQ(form_field("%65mail=x", "email"), Field("x"));
  EXPECT_EQ(form_field("a=1&a=2", "a"), Field("1"));
  EXPECT_EQ(form_field("a==b", "a"), Field("=b"));
  EXPECT_EQ(form_field("a=", "a"), Field(""));
}

TEST(Form, ThereIsNone) {
  for (const char* body : {"", "&", "&&&", "a", "ab=1", "=a", "a%zz=1", "a=%zz", "a=%", "b=1&a"}) {
    EXPECT_EQ(form_field(body, "a"), Field()) << body;
  }
}

}  // namespace
}  // namespace sallyport
