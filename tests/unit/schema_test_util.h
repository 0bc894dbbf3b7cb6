// The OASIS schemas, where the machine has them: Debian's simplesamlphp brings them with imports
// that lead to files beside them (those of opensaml-schemas lead to the network).
#pragma once

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <cstdarg>
#include <cstdio>
#include <string>
#include <unistd.h>

#include "base/c_ptr.h"

namespace sallyport::testing {

inline const char* const kSchemaFolder = "/usr/share/simplesamlphp/schemas/";

inline bool has_schemas() {
  return access((std::string(kSchemaFolder) + "saml-schema-metadata-2.0.xsd").c_str(), R_OK) == 0;
}

inline void collect_schema_error(void* context, const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  *static_cast<std::string*>(context) += line;
}

// What the schema finds wrong with the document; empty: valid.
inline std::string schema_errors(const std::string& document, const std::string& schema_file) {
  std::string errors;
  const CPtr<xmlSchemaParserCtxt, xmlSchemaFreeParserCtxt> parser(
      xmlSchemaNewParserCtxt((kSchemaFolder + schema_file).c_str()));
  xmlSchemaSetParserErrors(parser.get(), collect_schema_error, collect_schema_error, &errors);
  const CPtr<xmlSchema, xmlSchemaFree> schema(xmlSchemaParse(parser.get()));
  if (!schema) return "schema not usable: " + errors;
  const CPtr<xmlSchemaValidCtxt, xmlSchemaFreeValidCtxt> validator(
      xmlSchemaNewValidCtxt(schema.get()));
  xmlSchemaSetValidErrors(validator.get(), collect_schema_error, collect_schema_error, &errors);
  const CPtr<xmlDoc, xmlFreeDoc> parsed(
      xmlReadMemory(document.data(), static_cast<int>(document.size()), nullptr, nullptr,
                    XML_PARSE_NONET));
  if (!parsed) return "not well-formed";
  const int status = xmlSchemaValidateDoc(validator.get(), parsed.get());
  if (status == 0) return "";
  return errors.empty() ? "invalid" : errors;
}

}  // namespace sallyport::testing
