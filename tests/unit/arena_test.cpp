#include "session/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "session/expiry_heap.h"
#include "session_table_fixture.h"

namespace sallyport::session {
namespace {

using testing::Dice;
using testing::Mapping;

// A formatted block without anything in its arena.
class ArenaTest : public ::testing::Test {
 protected:
  ArenaTest() : mapping_(kSize), block_(prepare(mapping_), kSize), arena_(block_) {}

  std::string problem() const {
    const char* error = arena_.check();
    return error == nullptr ? "" : error;
  }

  static constexpr std::size_t kSize = 1 << 20;

  static void* prepare(const Mapping& mapping) {
    SessionTable::format(mapping.address(), mapping.size(), 1);
    return mapping.address();
  }

  Mapping mapping_;
  Block block_;
  Arena arena_;
};

TEST_F(ArenaTest, StartsAsOneFreeChunk) {
  EXPECT_EQ(arena_.free_units(), arena_.units());
  EXPECT_EQ(arena_.next(arena_.begin()), arena_.end());
  EXPECT_EQ(problem(), "");
}

TEST_F(ArenaTest, GivesExactSizesAndAllOfItself) {
  for (const Unit size : {1u, 2u, 15u, 16u, 17u, 31u, 32u, 33u, 100u, 4000u}) {
    const Unit at = arena_.allocate(size);
    ASSERT_NE(at, 0u);
    EXPECT_EQ(block_.chunk(at).size(), size);
    EXPECT_EQ(block_.chunk(at).state(), ChunkState::kReserved);
  }
  const Unit rest = arena_.free_units();
  EXPECT_EQ(arena_.allocate(rest + 1), 0u);
  EXPECT_NE(arena_.allocate(rest), 0u);
  EXPECT_EQ(arena_.free_units(), 0u);
  EXPECT_EQ(arena_.allocate(1), 0u);
  EXPECT_EQ(problem(), "");
}

TEST_F(ArenaTest, MergesFreeNeighboursInAnyOrder) {
  std::vector<int> order = {0, 1, 2, 3};
  do {
    Unit chunks[4];
    for (Unit& chunk : chunks) chunk = arena_.allocate(10);
    for (const int i : order) {
      arena_.free(chunks[i]);
      ASSERT_EQ(problem(), "");
    }
    ASSERT_EQ(arena_.next(arena_.begin()), arena_.end());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(ArenaTest, JoinsAndTrims) {
  const Unit first = arena_.allocate(10);
  const Unit second = arena_.allocate(20);
  const Unit third = arena_.allocate(5);
  arena_.join(first, second);
  EXPECT_EQ(block_.chunk(first).size(), 30u);
  EXPECT_EQ(arena_.next(first), third);
  arena_.trim(first, 12);
  EXPECT_EQ(block_.chunk(first).size(), 12u);
  EXPECT_EQ(block_.chunk(first + 12).state(), ChunkState::kFree);
  arena_.free(first);
  arena_.free(third);
  EXPECT_EQ(arena_.free_units(), arena_.units());
  EXPECT_EQ(problem(), "");
}

TEST_F(ArenaTest, HoldsUnderRandomUse) {
  Dice dice(11);
  std::vector<Unit> chunks;
  for (int i = 0; i < 200'000; ++i) {
    if (dice.below(5) < 3) {
      const Unit at = arena_.allocate(static_cast<Unit>(1 + dice.below(i % 3 == 0 ? 200 : 30)));
      if (at != 0) chunks.push_back(at);
    } else if (!chunks.empty()) {
      std::swap(chunks[dice.below(chunks.size())], chunks.back());
      arena_.free(chunks.back());
      chunks.pop_back();
    }
    ASSERT_EQ(i % 5000 == 0 ? problem() : "", "") << i;
  }
  EXPECT_LT(arena_.free_units(), arena_.units() / 4);
  for (const Unit at : chunks) arena_.free(at);
  EXPECT_EQ(arena_.free_units(), arena_.units());
  EXPECT_EQ(problem(), "");
}

TEST_F(ArenaTest, RebuildsItsListsFromTheChunks) {
  Dice dice(12);
  std::vector<Unit> chunks;
  for (int i = 0; i < 200; ++i) chunks.push_back(arena_.allocate(static_cast<Unit>(3 + i % 40)));
  Unit kept = 0;
  for (const Unit at : chunks) {
    switch (dice.below(3)) {
      case 0:
        arena_.free(at);
        break;
      case 1:
        block_.chunk(at).set_state(ChunkState::kSession);
        kept += block_.chunk(at).size();
        break;
      default:
        break;  // reserved: its writer died
    }
  }
  std::memset(static_cast<void*>(&block_.header().arena), 0xEE, sizeof(ArenaState));
  ASSERT_TRUE(arena_.walkable());
  arena_.rebuild();
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(arena_.free_units(), arena_.units() - kept);
}

TEST_F(ArenaTest, KnowsChunksThatMakeNoSense) {
  const Unit first = arena_.allocate(10);
  const Unit second = arena_.allocate(10);
  const std::uint32_t word = block_.chunk(second).size_and_state;
  for (const std::uint32_t wrong : {0u, 10u, 10u | 9u << 28, 0u | 1u << 28, (1u << 28) - 1,
                                    1u | 3u << 28, ~0u}) {
    block_.chunk(second).size_and_state = wrong;
    EXPECT_FALSE(arena_.walkable()) << wrong;
  }
  block_.chunk(second).size_and_state = word;
  EXPECT_TRUE(arena_.walkable());
  arena_.free(first);
  arena_.free(second);
}

TEST_F(ArenaTest, TheHeapGivesEntriesInOrderOfExpiry) {
  Dice dice(13);
  Unit root = 0;
  ExpiryHeap heap(block_, root);
  std::vector<Unit> entries;
  for (int i = 0; i < 20'000; ++i) {
    const bool grow = entries.size() < 10 || (dice.below(2) == 0 && arena_.free_units() > 2);
    if (grow && entries.size() < 3000) {
      const Unit at = arena_.allocate(2);
      block_.entry(at).expires_at = static_cast<Milliseconds>(dice.below(500));
      heap.insert(at);
      entries.push_back(at);
    } else {
      std::swap(entries[dice.below(entries.size())], entries.back());
      heap.remove(entries.back());
      arena_.free(entries.back());
      entries.pop_back();
    }
    if (i % 500 != 0) continue;
    for (const Unit at : entries) ASSERT_TRUE(heap.holds(at));
  }
  Milliseconds last = -1;
  std::size_t count = 0;
  for (; heap.top() != 0; ++count) {
    const Milliseconds expires_at = block_.entry(heap.top()).expires_at;
    ASSERT_GE(expires_at, last);
    last = expires_at;
    heap.remove(heap.top());
  }
  EXPECT_EQ(count, entries.size());
}

}  // namespace
}  // namespace sallyport::session
