#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sallyport {
namespace {

TEST(SystemRandom, NoBlockComesTwice) {
  SystemRandom random;
  std::set<std::string> seen;
  // Crosses many refills, with a size that does not divide the buffer.
  for (int i = 0; i < 5000; ++i) {
    std::string block(24, '\0');
    ASSERT_TRUE(random.fill(block.data(), block.size()));
    // In pieces, so that blocks that overlap are seen, and wiped bytes too.
    for (const std::size_t at : {0, 8, 16}) {
      ASSERT_TRUE(seen.insert(block.substr(at, 8)).second) << i;
    }
  }
}

TEST(SystemRandom, TwoObjectsDiffer) {
  SystemRandom one;
  SystemRandom other;
  std::string a(32, '\0');
  std::string b(32, '\0');
  ASSERT_TRUE(one.fill(a.data(), a.size()));
  ASSERT_TRUE(other.fill(b.data(), b.size()));
  EXPECT_NE(a, b);
}

TEST(SystemRandom, FillsExactlyTheSizeAskedFor) {
  SystemRandom random;
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 100000u}) {
    std::string block(size + 2, 'x');
    ASSERT_TRUE(random.fill(block.data() + 1, size)) << size;
    EXPECT_EQ(block.front(), 'x') << size;
    EXPECT_EQ(block.back(), 'x') << size;
  }
}

TEST(SystemRandom, BitsAreBalanced) {
  SystemRandom random;
  std::string block(1 << 16, '\0');
  for (std::size_t i = 0; i < block.size(); i += 16) ASSERT_TRUE(random.fill(&block[i], 16));
  std::size_t ones = 0;
  for (const char c : block) ones += static_cast<std::size_t>(__builtin_popcount(c & 0xFF));
  // 524,288 bits: six standard deviations are 2,172.
  EXPECT_NEAR(static_cast<double>(ones), 262144.0, 2200.0);
}

}  // namespace
}  // namespace sallyport
