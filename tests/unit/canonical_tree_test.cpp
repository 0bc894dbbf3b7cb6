// Canonical octets read as a tree: the very tree that libxml2 makes of them, or a refusal.
#include "xml/canonical_tree.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/genuine.h"
#include "support/same_tree.h"
#include "xml/canonical.h"
#include "xml/document.h"

namespace sallyport::xml {
namespace {

using Prefixes = std::vector<std::string>;

// What canonicalize() made of a part of a document is read as libxml2 reads it, and is its own canonical form.
void expect_read(const Element& element, const Prefixes& prefixes) {
  const std::string octets = canonicalize(element, nullptr, prefixes);
  ASSERT_FALSE(octets.empty());
  const Limits limits = message_limits(octets.size());
  const auto tree = CanonicalTree::read(octets, limits);
  ASSERT_TRUE(tree.ok()) << tree.error().detail << "\n" << octets;
  const auto parsed = Document::parse(octets, limits);
  ASSERT_TRUE(parsed.ok()) << octets;
  EXPECT_TRUE(fuzz::is_same_tree(tree->root().node(), parsed->root().node())) << octets;
  EXPECT_EQ(canonicalize(tree->root(), nullptr, prefixes), octets);
}

void expect_all_read(const Element& element) {
  for (const Prefixes& prefixes : {Prefixes{}, Prefixes{"xs"}, Prefixes{"#default", "saml", "xml"}}) expect_read(element, prefixes);
  for (const Element child : element.children()) expect_all_read(child);
}

class Canonical : public testing::TestWithParam<std::pair<const char*, std::string_view>> {};

TEST_P(Canonical, IsReadAsLibxml2ReadsIt) {
  const auto document = Document::parse(GetParam().second, message_limits(1 << 16));
  ASSERT_TRUE(document.ok()) << document.error().detail;
  expect_all_read(document->root());
}

const auto kName = [](const auto& info) { return std::string(info.param.first); };

INSTANTIATE_TEST_SUITE_P(
    Documents, Canonical,
    testing::Values(
        std::pair("empty", "<a/>"), std::pair("text", "<a>b</a>"), std::pair("blanks", "<a>\n <b/>\t<b> </b>\r\n</a>"),
        std::pair("mixed", "<a>one<b>two</b>three<b/>four</a>"),
        std::pair("references_in_text", "<a>&amp;&lt;&gt;&quot;&apos;&#x9;&#xA;&#xD;&#65;]]&gt;</a>"),
        std::pair("references_in_values", "<a b='&amp;&lt;&gt;&quot;\"&apos;&#x9;&#xA;&#xD;&#65;'/>"),
        std::pair("references_at_the_ends", "<a b='&amp;x&amp;'>&lt;x&lt;</a>"),
        std::pair("only_references", "<a b='&amp;'>&lt;</a>"), std::pair("empty_values", "<a b='' c=\"\"/>"),
        std::pair("cdata", "<a><![CDATA[<b>&amp;]]></a>"),
        std::pair("any_characters", "<\xC3\xA4 \xC3\xB6='\xE2\x82\xAC'>\xF0\x9F\x98\x80<b\xC2\xB7/></\xC3\xA4>"),
        std::pair("names", "<_a-b.c1 _d-e.f2='x'/>"),
        std::pair("sorted", "<a c='3' b='2' xmlns:z='urn:a' xmlns:y='urn:b' y:a='4' z:b='5' z:a='6' a='1'/>"),
        std::pair("default_namespace", "<a xmlns='urn:a'><b/><c xmlns='urn:c'><d/></c><e/></a>"),
        std::pair("default_taken_back", "<a xmlns='urn:a'><b xmlns=''><c xmlns='urn:c'/><d/></b></a>"),
        std::pair("prefixes", "<p:a xmlns:p='urn:p' xmlns:q='urn:q'><q:b/><p:b q:c='1' p:c='2' c='3'/></p:a>"),
        std::pair("one_namespace_twice", "<p:a xmlns:p='urn:p' xmlns:q='urn:p'><q:b p:c='1' q:d='2'/></p:a>"),
        std::pair("prefix_anew", "<p:a xmlns:p='urn:p'><p:b xmlns:p='urn:q'><p:c/></p:b><p:d/></p:a>"),
        std::pair("same_names", "<a:a xmlns:a='urn:a' a='1' a:a='2'><a:a><a/></a:a></a:a>"),
        std::pair("language", "<a xml:lang='en'><b xml:lang='' c='1' xmlns:p='urn:p' p:d='2'/></a>"),
        std::pair("named_like_declarations", "<a xmlns='urn:a' xmlns1='2' xmlnsx='3' xmln='1'/>"),
        std::pair("element_of_xml", "<xml:a><b/></xml:a>"),
        std::pair("schema_types", "<s:V xmlns:s='urn:s' xmlns:xs='http://www.w3.org/2001/XMLSchema' "
                                  "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='xs:string'>x</s:V>"),
        std::pair("declaration", "<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n")),
    kName);

TEST(CanonicalTree, ReadsWhatIdpsSign) {
  for (const fuzz::Genuine& message : fuzz::genuine_messages().messages) {
    const auto document = Document::parse(message.text, message_limits(1 << 18));
    ASSERT_TRUE(document.ok());
    expect_all_read(document->root());
  }
}

TEST(CanonicalTree, SurvivesBeingMoved) {
  auto tree = CanonicalTree::read("<a b=\"1\">x</a>", {});
  ASSERT_TRUE(tree.ok());
  const Element root = tree->root();
  const CanonicalTree moved = std::move(tree).value();
  EXPECT_EQ(moved.root(), root);
  EXPECT_EQ(root.text(), "x");
  EXPECT_EQ(root.attribute("b"), "1");
}

TEST(CanonicalTree, KnowsTheOctetsOfItsElements) {
  const std::string octets = "<a>x<b c=\"&lt;\"><d></d></b>&amp;<b></b></a>";
  const auto tree = CanonicalTree::read(octets, {});
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->octets(), octets);
  EXPECT_EQ(CanonicalTree::octets_of(tree->root()), octets);
  std::vector<std::string_view> inside;
  for (const Element child : tree->root().children()) inside.push_back(CanonicalTree::octets_of(child));
  EXPECT_EQ(inside, (std::vector<std::string_view>{"<b c=\"&lt;\"><d></d></b>", "<b></b>"}));
  const auto other = Document::parse(octets, message_limits(octets.size()));
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(CanonicalTree::octets_of(other->root()), "");
}

// Who else uses `_private` may have anything there.
TEST(CanonicalTree, OctetsOfAnotherTreeAreNotLookedFor) {
  const auto other = Document::parse("<a><b/></a>", message_limits(100));
  ASSERT_TRUE(other.ok());
  const std::string_view lie = "<a></a>";
  for (xmlNode* node : {other->root().node(), other->root().node()->children}) {
    node->_private = const_cast<std::string_view*>(&lie);
    for (void* of_document : {static_cast<void*>(nullptr), static_cast<void*>(node), static_cast<void*>(other->raw())}) {
      other->raw()->_private = of_document;
      EXPECT_EQ(CanonicalTree::octets_of(Element(node)), "");
    }
  }
}

class NotCanonical : public testing::TestWithParam<std::pair<const char*, std::string_view>> {};

TEST_P(NotCanonical, IsRefused) {
  const auto tree = CanonicalTree::read(std::string(GetParam().second), {});
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error().reason, Reason::kSignatureInvalid);
}

using namespace std::string_view_literals;

INSTANTIATE_TEST_SUITE_P(
    Octets, NotCanonical,
    testing::Values(
        std::pair("nothing", ""sv), std::pair("text", "a"sv), std::pair("open", "<"sv), std::pair("open_name", "<a"sv),
        std::pair("not_closed", "<a>"sv), std::pair("text_to_the_end", "<a>b"sv), std::pair("half_closed", "<a></a"sv),
        std::pair("short_form", "<a/>"sv), std::pair("second_root", "<a></a><a></a>"sv), std::pair("text_behind", "<a></a> "sv),
        std::pair("blank_before", " <a></a>"sv), std::pair("closed_otherwise", "<a></b>"sv),
        std::pair("closed_longer", "<a></ab>"sv),
        std::pair("closed_shorter", "<ab></a>"sv), std::pair("closed_crosswise", "<a><b></a></b>"sv),
        std::pair("closed_with_another_prefix", "<p:a xmlns:p=\"urn:p\" xmlns:q=\"urn:p\"></q:a>"sv),
        std::pair("blank_in_the_end_tag", "<a></a >"sv), std::pair("blank_at_the_end_of_a_tag", "<a ></a>"sv),
        std::pair("two_blanks", "<a  b=\"1\"></a>"sv), std::pair("line_break", "<a\nb=\"1\"></a>"sv),
        std::pair("blank_before_equals", "<a b =\"1\"></a>"sv), std::pair("blank_behind_equals", "<a b= \"1\"></a>"sv),
        std::pair("single_quotes", "<a b='1'></a>"sv), std::pair("no_quotes", "<a b=1></a>"sv),
        std::pair("no_value", "<a b></a>"sv),
        std::pair("open_value", "<a b=\"1></a>"sv), std::pair("no_blank", "<a b=\"1\"c=\"2\"></a>"sv),
        std::pair("twice", "<a b=\"1\" b=\"1\"></a>"sv), std::pair("out_of_order", "<a c=\"1\" b=\"2\"></a>"sv),
        std::pair("namespaced_first", "<a xmlns:p=\"urn:p\" p:a=\"1\" b=\"2\"></a>"sv),
        std::pair("twice_by_namespace", "<a xmlns:p=\"urn:p\" xmlns:q=\"urn:p\" p:a=\"1\" q:a=\"1\"></a>"sv),
        std::pair("declared_behind", "<a b=\"1\" xmlns=\"urn:a\"></a>"sv),
        std::pair("declared_twice", "<a xmlns=\"urn:a\" xmlns=\"urn:a\"></a>"sv),
        std::pair("declared_out_of_order", "<a xmlns:q=\"urn:q\" xmlns:p=\"urn:p\"></a>"sv),
        std::pair("default_behind_prefix", "<a xmlns:q=\"urn:q\" xmlns=\"urn:p\"></a>"sv),
        std::pair("prefix_for_nothing", "<a xmlns:p=\"\"></a>"sv), std::pair("declared_without_name", "<a xmlns:=\"urn:p\"></a>"sv),
        std::pair("declared_xml", "<a xmlns:xml=\"http://www.w3.org/XML/1998/namespace\"></a>"sv),
        std::pair("declared_xmlns", "<a xmlns:xmlns=\"urn:p\"></a>"sv),
        std::pair("declared_twofold", "<a xmlns:p:q=\"urn:p\"></a>"sv),
        std::pair("unknown_prefix", "<p:a></p:a>"sv),
        std::pair("unknown_prefix_of_an_attribute", "<a p:b=\"1\"></a>"sv),
        std::pair("prefix_of_a_sibling", "<a><b xmlns:p=\"urn:p\"></b><p:b></p:b></a>"sv),
        std::pair("two_colons", "<p:q:a xmlns:p=\"urn:p\"></p:q:a>"sv), std::pair("no_prefix", "<:a></:a>"sv),
        std::pair("no_local", "<p: xmlns:p=\"urn:p\"></p:>"sv),
        std::pair("digit", "<1a></1a>"sv), std::pair("minus", "<a -b=\"1\"></a>"sv), std::pair("no_name", "<></>"sv),
        std::pair("comment", "<a><!--b--></a>"sv), std::pair("instruction", "<a><?b?></a>"sv),
        std::pair("declaration", "<?xml version=\"1.0\"?><a></a>"sv),
        std::pair("dtd", "<!DOCTYPE a><a></a>"sv), std::pair("cdata", "<a><![CDATA[b]]></a>"sv), std::pair("greater", "<a>></a>"sv),
        std::pair("entity", "<a>&b;</a>"sv), std::pair("ampersand", "<a>& </a>"sv), std::pair("open_reference", "<a>&amp</a>"sv),
        std::pair("reference_at_the_end", "<a>&"sv), std::pair("quote_reference_in_text", "<a>&quot;</a>"sv),
        std::pair("apostrophe_reference", "<a>&apos;</a>"sv), std::pair("tab_reference_in_text", "<a>&#x9;</a>"sv),
        std::pair("decimal_reference", "<a>&#13;</a>"sv), std::pair("lower_case_reference", "<a>&#xd;</a>"sv),
        std::pair("carriage_return", "<a>\r</a>"sv),
        std::pair("greater_reference_in_value", "<a b=\"&gt;\"></a>"sv), std::pair("less_in_value", "<a b=\"<\"></a>"sv),
        std::pair("tab_in_value", "<a b=\"\t\"></a>"sv), std::pair("line_break_in_value", "<a b=\"\n\"></a>"sv),
        // What canonicalization by libxml2 up to 2.9 makes of `&amp;` in a namespace's name, and what that of others does.
        std::pair("decimal_reference_in_a_namespace", "<a xmlns=\"urn:a?b&#38;c\"></a>"sv),
        std::pair("reference_in_a_namespace", "<a xmlns=\"urn:a?b&amp;c\"></a>"sv),
        std::pair("reference_in_a_namespace_of_a_prefix", "<a xmlns:b=\"urn:a&lt;\"></a>"sv),
        std::pair("xml_by_another_prefix", "<a xmlns:b=\"http://www.w3.org/XML/1998/namespace\"></a>"sv),
        std::pair("xml_by_default", "<a xmlns=\"http://www.w3.org/XML/1998/namespace\"></a>"sv),
        std::pair("xmlns_by_another_prefix", "<a xmlns:b=\"http://www.w3.org/2000/xmlns/\"></a>"sv),
        std::pair("xmlns_by_default", "<a xmlns=\"http://www.w3.org/2000/xmlns/\"></a>"sv),
        std::pair("nul_in_text", "<a>b\0c</a>"sv), std::pair("nul_in_value", "<a b=\"c\0d\"></a>"sv),
        std::pair("nul_in_name", "<a\0b></a\0b>"sv),
        std::pair("nul_behind", "<a></a>\0"sv), std::pair("not_utf8", "<a>\xC3</a>"sv),
        std::pair("surrogate", "<a>\xED\xA0\x80</a>"sv)),
    kName);

// Whether each byte of ASCII may stand somewhere, as XML has it; `@` is where. Of its own meaning there it has none.
void expect_only(std::string_view allowed, std::string_view where) {
  for (char c = 0; c >= 0 && c < 0x7F; ++c) {
    std::string text(where);
    for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) text[at] = c;
    EXPECT_EQ(CanonicalTree::read(text, {}).ok(), allowed.find(c) != allowed.npos) << text << " with byte " << int{c};
  }
}

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kPunctuation = "!#$%'()*+,-./:;=?@[\\]^_`{|}~";
constexpr std::string_view kDigits = "0123456789";

std::string all_of(std::initializer_list<std::string_view> sets) {
  std::string all;
  for (const std::string_view set : sets) all += set;
  return all;
}

TEST(CanonicalTree, HoldsNoByteThatXmlDoesNotHold) {
  expect_only(all_of({kLetters, kDigits, kPunctuation, "\" \t\n"}), "<a>b@c</a>");
  expect_only(all_of({kLetters, kDigits, kPunctuation, "> "}), "<a b=\"c@d\"></a>");
  expect_only(all_of({kLetters, kDigits, kPunctuation, "> "}), "<a xmlns=\"urn:b@c\"></a>");
}

TEST(CanonicalTree, NamesHoldNoPunctuationOfOtherMeaning) {
  const std::string allowed = all_of({kLetters, kDigits, "-_."});
  expect_only(allowed, "<a@b></a@b>");
  expect_only(allowed, "<c:a@b xmlns:c=\"urn:c\"></c:a@b>");
  expect_only(allowed, "<c@d:a xmlns:c@d=\"urn:c\"></c@d:a>");
  expect_only(allowed, "<a b@c=\"d\"></a>");
  expect_only(all_of({kLetters, "_"}), "<@></@>");
}

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(CanonicalTree, DepthIsLimited) {
  Limits limits;
  EXPECT_TRUE(CanonicalTree::read(nested(limits.depth, "<a>", "</a>"), limits).ok());
  const auto deeper = CanonicalTree::read(nested(limits.depth + 1, "<a>", "</a>"), limits);
  ASSERT_FALSE(deeper.ok());
  EXPECT_EQ(deeper.error().reason, Reason::kXmlLimits);
}

TEST(CanonicalTree, LookupsOfNamespacesAreLimited) {
  Limits limits;
  limits.namespace_lookups = 10;
  std::string text = "<p:a xmlns:p=\"urn:p\">" + nested(1, "<p:b></p:b><p:b></p:b><p:b></p:b>", "") + "</p:a>";
  EXPECT_TRUE(CanonicalTree::read(text, limits).ok());
  limits.namespace_lookups = 3;
  const auto tree = CanonicalTree::read(text, limits);
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error().reason, Reason::kXmlLimits);
}

}  // namespace
}  // namespace sallyport::xml
