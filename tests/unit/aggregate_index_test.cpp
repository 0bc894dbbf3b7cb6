#include "saml/aggregate_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "saml/idp_metadata.h"
#include "saml/start_tag.h"
#include "test_identity.h"

namespace sallyport::saml {
namespace {

constexpr Millis kNow = 1795296660000;  // 2026-11-21T21:31:00Z
constexpr std::size_t kChunk = 256 * 1024;

ReadAt reader_of(const std::string& text) {
  return [&text](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    return offset >= text.size() ? std::string() : text.substr(static_cast<std::size_t>(offset), size);
  };
}

std::string entity(const std::string& id, const std::string& attributes = "", const std::string& inside = "") {
  return "<EntityDescriptor " + attributes + " entityID=\"" + id +
         "\"><IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor>"
         "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>" +
         testing::rsa_identity().certificate.base64() + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>" + inside +
         "<SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"" + id +
         "/sso\"/></IDPSSODescriptor></EntityDescriptor>";
}

std::string group(const std::string& inside, const std::string& attributes = "") {
  return "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" " +
         attributes + ">" + inside + "</EntitiesDescriptor>";
}

Result<IdpMetadata> idp_of(const std::string& text, const std::string& id) {
  const ReadAt read = reader_of(text);
  const auto index = AggregateIndex::build(read);
  if (!index.ok()) return index.error();
  const auto document = index->document_of(id, read);
  if (!document.ok()) return document.error();
  return parse_idp_metadata(*document, id, kNow, document->size());
}

TEST(AggregateIndex, ReadsOneOutOfMany) {
  std::string inside;
  for (int i = 0; i < 1000; ++i) inside += "\n  " + entity("https://idp" + std::to_string(i) + ".example.org");
  const std::string text = "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a > federation -->" + group(inside);
  ASSERT_GT(text.size(), 4 * kChunk);
  const auto index = AggregateIndex::build(reader_of(text));
  ASSERT_TRUE(index.ok()) << index.error().detail;
  EXPECT_EQ(index->size(), 1000u);
  for (const char* id : {"https://idp0.example.org", "https://idp567.example.org", "https://idp999.example.org"}) {
    const auto idp = idp_of(text, id);
    ASSERT_TRUE(idp.ok()) << idp.error().detail;
    EXPECT_EQ(idp->entity_id, id);
    EXPECT_EQ(idp->single_sign_on.front().location, std::string(id) + "/sso");
  }
  const auto nobody = idp_of(text, "https://idp1000.example.org");
  ASSERT_FALSE(nobody.ok());
  EXPECT_NE(nobody.error().detail.find("no entity <https://idp1000.example.org> among 1000"), std::string::npos);
}

// Whatever stands at the border of two pieces.
TEST(AggregateIndex, PiecesHaveNoBorders) {
  const std::string last = entity("https://last.example.org", "x='a&#62;b>'", "<!-- - -- > ]]> <EntityDescriptor> --x -->");
  const std::string tail = entity("https://first.example.org") + "<![CDATA[ <EntityDescriptor entityID='no'> ]] > ]]>" + last;
  for (std::size_t border = 0; border < tail.size() + 40; border += 11) {
    const std::string head = group("", "").substr(0, group("", "").find("</"));
    const std::string pad(kChunk - std::min(kChunk, head.size() + border), ' ');
    std::string text = head + pad + tail + "</EntitiesDescriptor>";
    text.replace(text.find("--x "), 3, "xxx");  // a comment holds no "--"
    text.replace(text.find(" - -- "), 6, " - x- ");
    const auto first = idp_of(text, "https://first.example.org");
    const auto second = idp_of(text, "https://last.example.org");
    ASSERT_TRUE(first.ok() && second.ok()) << border << (first.ok() ? second.error().detail : first.error().detail);
    ASSERT_FALSE(idp_of(text, "no").ok());
  }
}

TEST(AggregateIndex, KeepsWhatStandsAround) {
  const std::string inner = "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' validUntil='2027-01-01T00:00:00Z'>" +
                            entity("https://a.example.org", "cacheDuration='PT5M'") + "</md:EntitiesDescriptor>";
  const std::string text = group("<ds:Signature><ds:KeyInfo/></ds:Signature>" + inner + entity("https://b.example.org"),
                                 "validUntil='2027-06-01T00:00:00Z' cacheDuration='PT1H'");
  const auto a = idp_of(text, "https://a.example.org");
  const auto b = idp_of(text, "https://b.example.org");
  ASSERT_TRUE(a.ok()) << a.error().detail;
  ASSERT_TRUE(b.ok()) << b.error().detail;
  EXPECT_EQ(format_instant(*a->valid_until), "2027-01-01T00:00:00Z");
  EXPECT_EQ(a->cache_duration, 5 * kMinute);
  EXPECT_EQ(format_instant(*b->valid_until), "2027-06-01T00:00:00Z");
  EXPECT_EQ(b->cache_duration, kHour);
}

TEST(AggregateIndex, ReadsReferencesInNames) {
  const std::string text = group(entity("https://a.example.org/?x=1&amp;y=&#x32;"));
  const auto document = AggregateIndex::build(reader_of(text))->document_of("https://a.example.org/?x=1&y=2", reader_of(text));
  EXPECT_TRUE(document.ok());
}

TEST(AggregateIndex, TakesALoneEntity) {
  std::string text = entity("https://a.example.org", "xmlns='urn:oasis:names:tc:SAML:2.0:metadata' xmlns:ds='http://www.w3.org/2000/09/xmldsig#'");
  EXPECT_TRUE(idp_of(text, "https://a.example.org").ok());
}

struct BadCase {
  const char* name;
  std::string text;
  const char* says;
};

void PrintTo(const BadCase& test, std::ostream* out) { *out << test.name; }

class BadAggregateTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadAggregateTest, IsRefused) {
  const auto idp = idp_of(GetParam().text, "https://a.example.org");
  ASSERT_FALSE(idp.ok());
  EXPECT_EQ(idp.error().reason, Reason::kConfigInvalid);
  EXPECT_NE(idp.error().detail.find(GetParam().says), std::string::npos) << idp.error().detail;
}

const std::string kA = entity("https://a.example.org");
const std::string kForeign = "<o:EntityDescriptor xmlns:o='urn:other' entityID='https://a.example.org'></o:EntityDescriptor>";
const BadCase kBadCases[] = {
    {"Empty", "", "no element"},
    {"Text", "federation", "no element"},
    {"Truncated", group(kA).substr(0, 400), "is it whole"},
    {"TruncatedTag", group(kA).substr(0, 60), "is it whole"},
    {"Twice", group(kA + entity("https://b.example.org") + kA), "more than once"},
    {"TwiceInGroups", group(group(kA) + group(kA)), "more than once"},
    {"ForeignNamespace", group(kForeign), "no entity"},
    {"ForeignGroup", group("<o:EntitiesDescriptor xmlns:o='urn:other'>" + kA + "</o:EntitiesDescriptor>"), "no entity"},
    {"InsideAnother", group("<Extensions>" + kA + "</Extensions>"), "no entity"},
    {"InAComment", group("<!-- " + kA + " -->"), "no entity"},
    {"InCdata", group("<![CDATA[" + kA + "]]>"), "no entity"},
    {"InAnAttribute", group("<Extensions a='<EntityDescriptor entityID=\"https://a.example.org\">'></Extensions>"), "no entity"},
    {"WrongRoot", "<html>" + group(kA) + "</html>", "root element is <html>"},
    {"SecondRoot", group(entity("https://b.example.org")) + group(kA), "second root"},
    {"Dtd", "<!DOCTYPE md [<!ENTITY a 'b'>]>" + group(kA), "DTD"},
    {"Instruction", "<?xml-stylesheet href='a'?>" + group(kA), "processing instruction"},
    {"OpenComment", group(kA) + "<!-- ", "does not end"},
    {"NoName", group("<EntityDescriptor></EntityDescriptor>"), "no entity"},
    {"LongName", group(entity(std::string(1025, 'a'))), "among 0"},
    {"HugeTag", group("<Extensions a='" + std::string(70'000, 'a') + "'/>"), "64 KB"},
    {"ManyEndTags", group("</EntitiesDescriptor></EntitiesDescriptor>"), "end tag without"},
    {"NoQuotes", group("<Extensions a=b/>"), "malformed tag"},
    {"NoSlice", group("<EntityDescriptor entityID='https://a.example.org'><a></b></EntityDescriptor>"), "cannot be read"},
    {"Expired", group(kA, "validUntil='2020-01-01T00:00:00Z'"), "expired"},
    {"Utf16", std::string("\xFF\xFE<\0a\0>\0", 8), "expected EntitiesDescriptor"},
};

INSTANTIATE_TEST_SUITE_P(AggregateIndex, BadAggregateTest, ::testing::ValuesIn(kBadCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(AggregateIndex, DeepNestingIsRefused) {
  std::string text = kA;
  for (int i = 0; i < 40; ++i) text = group(text);
  const auto idp = idp_of(text, "https://a.example.org");
  ASSERT_FALSE(idp.ok());
  EXPECT_NE(idp.error().detail.find("too many EntitiesDescriptors"), std::string::npos);
}

TEST(AggregateIndex, TheReadersErrorIsTheResult) {
  const ReadAt read = [](std::uint64_t, std::size_t) -> Result<std::string> { return Error{Reason::kConfigInvalid, "no disk"}; };
  const auto index = AggregateIndex::build(read);
  ASSERT_FALSE(index.ok());
  EXPECT_EQ(index.error().detail, "no disk");
}

TEST(StartTag, ReadsItsParts) {
  const auto tag = read_start_tag("<md:a  b = 'c>' xmlns:md=\"u\"\n d=\"&lt;'\" />");
  ASSERT_TRUE(tag);
  EXPECT_EQ(tag->prefix, "md");
  EXPECT_EQ(tag->local_name, "a");
  EXPECT_TRUE(tag->is_empty);
  EXPECT_EQ(*tag->attribute("b"), "c>");
  EXPECT_EQ(*tag->attribute("d"), "<'");
  EXPECT_EQ(*tag->declared("md"), "u");
  EXPECT_EQ(tag->declared(""), nullptr);
  for (const char* text : {"", "<", "<>", "</>", "a", "<a", "<a b>", "<a b=>", "<a b=c>", "<a b='c>", "<a ='c'>", "<md:>"}) {
    EXPECT_FALSE(read_start_tag(text)) << text;
  }
}

}  // namespace
}  // namespace sallyport::saml
