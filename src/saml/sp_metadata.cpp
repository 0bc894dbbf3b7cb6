#include "saml/sp_metadata.h"

#include "base/encoding.h"
#include "saml/names.h"
#include "xml/names.h"

namespace sallyport::saml {

namespace {

// Writes indented elements; metadata is read by people too.
class Writer {
 public:
  using Attribute = std::pair<std::string_view, std::string_view>;
  using Attributes = std::initializer_list<Attribute>;

  void open(std::string_view name, Attributes attributes = {}) {
    begin(name, attributes);
    out_ += ">\n";
    ++depth_;
  }
  void close(std::string_view name) {
    --depth_;
    indent();
    out_ += "</";
    out_ += name;
    out_ += ">\n";
  }
  void empty(std::string_view name, Attributes attributes) {
    begin(name, attributes);
    out_ += "/>\n";
  }
  void leaf(std::string_view name, Attributes attributes, std::string_view text) {
    begin(name, attributes);
    out_ += '>';
    out_ += xml_escape(text);
    out_ += "</";
    out_ += name;
    out_ += ">\n";
  }
  std::string take() { return std::move(out_); }

 private:
  void indent() { out_.append(2 * depth_, ' '); }
  // An attribute with an empty value is left out.
  void begin(std::string_view name, Attributes attributes) {
    indent();
    out_ += '<';
    out_ += name;
    for (const Attribute& attribute : attributes) {
      if (attribute.second.empty()) continue;
      out_ += ' ';
      out_ += attribute.first;
      out_ += "=\"";
      out_ += xml_escape(attribute.second);
      out_ += '"';
    }
  }

  std::string out_;
  std::size_t depth_ = 0;
};

std::string_view boolean(bool value) { return value ? "true" : "false"; }

// What the IdP may choose from, the best first (Metadata 2.4.1.1): Shibboleth, SimpleSAMLphp and others
// read it.
void write_encryption_methods(Writer& out, const xml::EncryptionSet& encryption) {
  using xml::DataCipher;
  for (const DataCipher cipher :
       {DataCipher::kAes256Gcm, DataCipher::kAes128Gcm, DataCipher::kAes192Gcm,
        DataCipher::kAes256Cbc, DataCipher::kAes128Cbc, DataCipher::kAes192Cbc}) {
    if (encryption.has(cipher)) {
      out.empty("md:EncryptionMethod", {{"Algorithm", xml::uri_of(cipher)}});
    }
  }
  if (encryption.has(xml::KeyTransport::kRsaOaep)) {
    out.empty("md:EncryptionMethod", {{"Algorithm", xml::kRsaOaepMgf1p}});
    out.empty("md:EncryptionMethod", {{"Algorithm", xml::kRsaOaep11}});
  }
  if (encryption.has(xml::KeyTransport::kRsa15)) {
    out.empty("md:EncryptionMethod", {{"Algorithm", xml::kRsa15Uri}});
  }
}

// No `use` means both uses; an EC key cannot be encrypted to with what SAML peers support.
void write_key(Writer& out, const xml::Certificate& certificate, const SpMetadata& sp) {
  const bool signs_only = !sp.can_decrypt || certificate.key().is_ec();
  out.open("md:KeyDescriptor", {{"use", signs_only ? "signing" : ""}});
  out.open("ds:KeyInfo");
  out.open("ds:X509Data");
  out.leaf("ds:X509Certificate", {}, certificate.base64());
  out.close("ds:X509Data");
  out.close("ds:KeyInfo");
  if (!signs_only) write_encryption_methods(out, sp.encryption);
  out.close("md:KeyDescriptor");
}

void write_logout_services(Writer& out, const SpMetadata& sp) {
  for (const std::string& url : sp.slo_urls) {
    out.empty("md:SingleLogoutService", {{"Binding", kBindingRedirect}, {"Location", url}});
    out.empty("md:SingleLogoutService", {{"Binding", kBindingPost}, {"Location", url}});
  }
}

void write_consumer_services(Writer& out, const SpMetadata& sp) {
  std::size_t index = 0;
  for (const std::string& url : sp.acs_urls) {
    out.empty("md:AssertionConsumerService", {{"Binding", kBindingPost},
                                              {"Location", url},
                                              {"index", std::to_string(index)},
                                              {"isDefault", index == 0 ? "true" : ""}});
    ++index;
  }
}

void write_requested_attributes(Writer& out, const SpMetadata& sp) {
  if (sp.requested_attributes.empty()) return;
  out.open("md:AttributeConsumingService", {{"index", "0"}, {"isDefault", "true"}});
  out.leaf("md:ServiceName", {{"xml:lang", "en"}},
           sp.service_name.empty() ? sp.entity_id : sp.service_name);
  for (const std::string& name : sp.requested_attributes) {
    const bool is_uri = name.find(':') != std::string::npos;
    out.empty("md:RequestedAttribute",
              {{"Name", name}, {"NameFormat", is_uri ? kNameFormatUri : std::string_view{}}});
  }
  out.close("md:AttributeConsumingService");
}

}  // namespace

std::string sp_metadata_document(const SpMetadata& sp, std::string_view id) {
  Writer out;
  out.open("md:EntityDescriptor", {{"xmlns:md", xml::kNsMetadata},
                                   {"xmlns:ds", xml::kNsDsig},
                                   {"ID", id},
                                   {"entityID", sp.entity_id}});
  out.open("md:SPSSODescriptor", {{"AuthnRequestsSigned", boolean(sp.authn_requests_signed)},
                                  {"WantAssertionsSigned", boolean(sp.want_assertions_signed)},
                                  {"protocolSupportEnumeration", xml::kNsSamlp}});
  for (const xml::Certificate* certificate : sp.certificates) {
    write_key(out, *certificate, sp);
  }
  write_logout_services(out, sp);
  for (const std::string& format : sp.name_id_formats) out.leaf("md:NameIDFormat", {}, format);
  write_consumer_services(out, sp);
  write_requested_attributes(out, sp);
  out.close("md:SPSSODescriptor");
  out.close("md:EntityDescriptor");
  return out.take();
}

}  // namespace sallyport::saml
