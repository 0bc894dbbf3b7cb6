#include "session/record.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace sallyport::session {
namespace {

constexpr Millis kCreated = 1795296660000;
const std::string kTwentyGroups = [] {
  std::string groups;
  for (int i = 0; i < 20; ++i) groups += (i == 0 ? "" : ",") + ("Department-" + std::to_string(i));
  return groups;
}();

RecordBuilder usual() {
  RecordBuilder builder;
  builder.set_binding(session_binding("https://sp", "okta", "https://idp"));
  builder.set_times(kCreated, kCreated - kMinute, kCreated + 8 * kHour);
  builder.set(Field::kUser, "ann@example.com");
  builder.set(Field::kEmail, "ann@example.com");
  builder.set(Field::kGroups, kTwentyGroups);
  builder.set(Field::kSpEntityId, "https://sp");
  builder.add_attribute("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
                        "ann@example.com");
  builder.add_attribute("groups", kTwentyGroups);
  builder.add_attribute("Cost-Center", "42");
  builder.add_attribute("empty", "");
  return builder;
}

TEST(Record, ComesBack) {
  const auto bytes = usual().build();
  ASSERT_TRUE(bytes);
  const auto view = RecordView::open(*bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->created(), kCreated);
  EXPECT_EQ(view->authn_instant(), kCreated - kMinute);
  EXPECT_EQ(view->expires(), kCreated + 8 * kHour);
  EXPECT_EQ(view->field(Field::kUser), "ann@example.com");
  EXPECT_EQ(view->field(Field::kGroups), kTwentyGroups);
  EXPECT_EQ(view->field(Field::kSpEntityId), "https://sp");
  EXPECT_EQ(view->field(Field::kPicture), "");
  ASSERT_EQ(view->attribute_count(), 4u);
  EXPECT_EQ(view->attribute(1).first, "groups");
  EXPECT_EQ(view->attribute(1).second, kTwentyGroups);
}

TEST(Record, EveryFieldHasItsOwnPlace) {
  RecordBuilder builder;
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    builder.set(static_cast<Field>(i), "value " + std::to_string(i));
  }
  const auto bytes = builder.build();
  ASSERT_TRUE(bytes);
  const auto view = RecordView::open(*bytes);
  ASSERT_TRUE(view);
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    EXPECT_EQ(view->field(static_cast<Field>(i)), "value " + std::to_string(i));
  }
}

TEST(Record, TimesKeepTheirSign) {
  RecordBuilder builder;
  builder.set_times(-1, std::numeric_limits<Millis>::min(), std::numeric_limits<Millis>::max());
  const auto bytes = builder.build();
  const auto view = RecordView::open(*bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->created(), -1);
  EXPECT_EQ(view->authn_instant(), std::numeric_limits<Millis>::min());
  EXPECT_EQ(view->expires(), std::numeric_limits<Millis>::max());
}

TEST(Record, FindsAttributesByExactName) {
  const auto bytes = usual().build();
  const auto view = RecordView::open(*bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->find_attribute("Cost-Center"), "42");
  EXPECT_EQ(view->find_attribute("empty"), "");
  EXPECT_EQ(view->find_attribute("cost-center"), std::nullopt);
  EXPECT_EQ(view->find_attribute("Cost"), std::nullopt);
  EXPECT_EQ(view->find_attribute(""), std::nullopt);
}

TEST(Record, FindsAttributesByTheNameOfAVariable) {
  const auto bytes = usual().build();
  const auto view = RecordView::open(*bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->find_attribute_folded("cost_center"), "42");
  EXPECT_EQ(view->find_attribute_folded(
                "http___schemas_xmlsoap_org_ws_2005_05_identity_claims_emailaddress"),
            "ann@example.com");
  EXPECT_EQ(view->find_attribute_folded("cost-center"), std::nullopt);
  EXPECT_EQ(view->find_attribute_folded("cost_cente"), std::nullopt);
  EXPECT_EQ(view->find_attribute_folded("cost_center_"), std::nullopt);
}

TEST(Record, FirstOfTwoAlikeIsFound) {
  RecordBuilder builder;
  builder.add_attribute("a b", "one");
  builder.add_attribute("a-b", "two");
  builder.add_attribute("a-b", "three");
  const auto bytes = builder.build();
  const auto view = RecordView::open(*bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->find_attribute_folded("a_b"), "one");
  EXPECT_EQ(view->find_attribute("a-b"), "two");
}

TEST(Record, EqualTextsAreStoredOnce) {
  RecordBuilder one;
  one.set(Field::kUser, kTwentyGroups);
  RecordBuilder three = one;
  three.set(Field::kEmail, kTwentyGroups);
  three.add_attribute("x", kTwentyGroups);
  EXPECT_EQ(three.build()->size(), one.build()->size() + 8 + 1);
}

// The fixture of the memory goal: ten attributes and twenty groups.
TEST(Record, UsualSessionIsSmall) {
  RecordBuilder builder = usual();
  for (int i = 0; i < 6; ++i) {
    builder.add_attribute("urn:oid:2.5.4." + std::to_string(i), "some value " + std::to_string(i));
  }
  EXPECT_LT(builder.build()->size(), 1000u);
}

TEST(Record, FrontHoldsTheStandardHeaders) {
  const std::string bytes = *usual().build();
  const std::size_t front = RecordView::open(bytes)->front_size();
  ASSERT_LT(front, bytes.size());
  const std::string front_bytes = bytes.substr(0, front);
  const auto view = RecordView::open_front(front_bytes);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->is_whole());
  EXPECT_EQ(view->created(), kCreated);
  EXPECT_EQ(view->field(Field::kUser), "ann@example.com");
  EXPECT_EQ(view->field(Field::kGroups), kTwentyGroups);
  EXPECT_TRUE(view->is_bound_to(session_binding("https://sp", "okta", "https://idp")));
  // What is behind the front looks as if it was empty.
  EXPECT_EQ(view->field(Field::kSpEntityId), "");
  EXPECT_EQ(view->attribute_count(), 0u);
  EXPECT_EQ(view->find_attribute("Cost-Center"), std::nullopt);
  EXPECT_FALSE(RecordView::open(front_bytes));
  EXPECT_FALSE(RecordView::open_front(front_bytes.substr(0, front - 1)));
}

// An attribute whose list equals a header's is not stored again behind the front.
TEST(Record, TextsOfTheFrontServeTheAttributes) {
  RecordBuilder builder;
  builder.set(Field::kGroups, kTwentyGroups);
  const std::size_t without = builder.build()->size();
  builder.add_attribute("g", kTwentyGroups);
  EXPECT_EQ(builder.build()->size(), without + 8 + 1);
  EXPECT_EQ(RecordView::open(*builder.build())->find_attribute("g"), kTwentyGroups);
}

TEST(Record, ResolutionComesBack) {
  RecordBuilder builder = usual();
  builder.set_resolution({0x123456789abcdef0, 77});
  const std::string bytes = *builder.build();
  EXPECT_EQ(RecordView::open(bytes)->resolution().rules, 0x123456789abcdef0u);
  EXPECT_EQ(RecordView::open(bytes)->resolution().generation, 77u);
}

TEST(Record, LargestAndOneMore) {
  RecordBuilder builder;
  const std::size_t empty = builder.build()->size();
  builder.set(Field::kUser, std::string(kMaxRecordBytes - empty, 'x'));
  const auto largest = builder.build();
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->size(), kMaxRecordBytes);
  const auto view = RecordView::open(*largest);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->field(Field::kUser).size(), kMaxRecordBytes - empty);
  builder.set(Field::kEmail, "y");
  EXPECT_FALSE(builder.build());
}

TEST(Record, TooManyAttributesAreRefused) {
  RecordBuilder builder;
  for (int i = 0; i < 8100; ++i) builder.add_attribute("", "");
  EXPECT_TRUE(builder.build());
  for (int i = 0; i < 60000; ++i) builder.add_attribute("", "");
  EXPECT_FALSE(builder.build());
}

TEST(Record, BindingNamesAllThree) {
  const Digest binding = session_binding("https://sp", "okta", "https://idp");
  const auto bytes = usual().build();
  const auto view = RecordView::open(*bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->is_bound_to(binding));
  EXPECT_FALSE(view->is_bound_to(session_binding("https://sp2", "okta", "https://idp")));
  EXPECT_FALSE(view->is_bound_to(session_binding("https://sp", "okta2", "https://idp")));
  EXPECT_FALSE(view->is_bound_to(session_binding("https://sp", "okta", "https://idp2")));
  EXPECT_FALSE(view->is_bound_to(session_binding("https://spo", "kta", "https://idp")));
  EXPECT_FALSE(view->is_bound_to(session_binding("", "", "")));
  EXPECT_FALSE(view->is_bound_to(Digest{}));
}

TEST(Record, BindingOfTextsThatHoldLengths) {
  const std::string ten = "\x0a" + std::string(7, '\0');
  const std::string one = "\x01" + std::string(7, '\0');
  EXPECT_NE(session_binding("sp", "a", "b" + one + "c"),
            session_binding("sp", "a" + ten + "b", "c"));
  EXPECT_NE(session_binding("a", "b" + one + "c", "e"), session_binding("a" + ten + "b", "c", "e"));
}

// Reads all there is; the sanitizers watch. Returns a sum, so that nothing is optimised away.
std::size_t read_everything(const RecordView& view) {
  std::size_t sum = static_cast<std::size_t>(view.created() ^ view.expires());
  const auto add = [&sum](std::string_view text) {
    for (const char c : text) sum += static_cast<unsigned char>(c);
  };
  for (std::size_t i = 0; i < kFieldCount; ++i) add(view.field(static_cast<Field>(i)));
  for (std::size_t i = 0; i < view.attribute_count(); ++i) {
    add(view.attribute(i).first);
    add(view.attribute(i).second);
  }
  return sum;
}

TEST(Record, CutRecordsAreRefused) {
  const std::string bytes = *usual().build();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that reading beyond the end is seen.
    const std::string cut(bytes.data(), size);
    EXPECT_FALSE(RecordView::open(cut)) << size;
    if (const auto front = RecordView::open_front(cut)) read_everything(*front);
  }
}

TEST(Record, OtherVersionsAreRefused) {
  std::string bytes = *usual().build();
  bytes[0] = 1;
  EXPECT_FALSE(RecordView::open(bytes));
  bytes[0] = 2;
  bytes[1] = 1;
  EXPECT_FALSE(RecordView::open(bytes));
}

TEST(Record, DamagedRecordsAreNeverReadBeyondTheirEnd) {
  const std::string good = *usual().build();
  std::mt19937 generator(3);
  std::size_t opened = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 3; ++i) bytes[generator() % bytes.size()] = static_cast<char>(generator());
    const auto view = RecordView::open(bytes);
    if (!view) continue;
    ++opened;
    read_everything(*view);
  }
  EXPECT_GT(opened, 0u);
  EXPECT_LT(opened, 20000u);
}

}  // namespace
}  // namespace sallyport::session
