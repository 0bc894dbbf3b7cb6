// Why something was refused: one reason word for logs, metrics and `$saml_error`, and a private
// detail (expected and received values) for the operator's log only.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sallyport {

// Reason, its word, the HTTP status of its page. The words are part of the public contract: they
// stand in operators' alerts and in the README's failure table, so they are never renamed.
#define SALLYPORT_REASONS(X)                                   \
  /* how the answer arrived */                                 \
  X(kMethodNotAllowed, "method_not_allowed", 405)              \
  X(kContentTypeInvalid, "content_type_invalid", 415)          \
  X(kTooLarge, "too_large", 413)                               \
  X(kFormInvalid, "form_invalid", 400)                         \
  X(kResponseMissing, "response_missing", 400)                 \
  X(kBase64Invalid, "base64_invalid", 400)                     \
  /* the XML layer */                                          \
  X(kXmlInvalid, "xml_invalid", 400)                           \
  X(kXmlForbidden, "xml_forbidden", 400)                       \
  X(kXmlLimits, "xml_limits", 400)                             \
  X(kStructureInvalid, "structure_invalid", 400)               \
  X(kVersionMismatch, "version_mismatch", 400)                 \
  /* the signature */                                          \
  X(kSignatureMissing, "signature_missing", 403)               \
  X(kSignatureMalformed, "signature_malformed", 403)           \
  X(kSignatureInvalid, "signature_invalid", 403)               \
  X(kAlgorithmNotAllowed, "algorithm_not_allowed", 403)        \
  /* encryption */                                             \
  X(kDecryptionFailed, "decryption_failed", 403)               \
  X(kEncryptionMissing, "encryption_missing", 403)             \
  /* the Web Browser SSO profile */                            \
  X(kStatusNotSuccess, "status_not_success", 403)              \
  X(kDestinationMismatch, "destination_mismatch", 403)         \
  X(kRecipientMismatch, "recipient_mismatch", 403)             \
  X(kInResponseToMismatch, "in_response_to_mismatch", 403)     \
  X(kIssuerMismatch, "issuer_mismatch", 403)                   \
  X(kAudienceMismatch, "audience_mismatch", 403)               \
  X(kConfirmationInvalid, "confirmation_invalid", 403)         \
  X(kConditionUnknown, "condition_unknown", 403)               \
  X(kNotYetValid, "not_yet_valid", 403)                        \
  X(kExpired, "expired", 403)                                  \
  X(kLifetimeTooLong, "lifetime_too_long", 403)                \
  X(kAuthnContextMismatch, "authn_context_mismatch", 403)      \
  X(kAuthnTooOld, "authn_too_old", 403)                        \
  X(kReplayed, "replayed", 403)                                \
  X(kUnsolicited, "unsolicited", 403)                          \
  X(kAttemptLost, "attempt_lost", 403)                         \
  X(kAttemptExpired, "attempt_expired", 403)                   \
  X(kLoginLoop, "login_loop", 403)                             \
  /* the user */                                               \
  X(kNoStableUser, "no_stable_user", 403)                      \
  X(kNoUser, "no_user", 403)                                   \
  X(kEmailDomainNotAllowed, "email_domain_not_allowed", 403)   \
  X(kNotProvisioned, "not_provisioned", 403)                   \
  X(kUserDisabled, "user_disabled", 403)                       \
  X(kGroupOverage, "group_overage", 403)                       \
  X(kIdentityTooLarge, "identity_too_large", 403)              \
  /* access */                                                 \
  X(kUnknownIdp, "unknown_idp", 403)                           \
  X(kForbidden, "forbidden", 403)                              \
  X(kLoginRequired, "login_required", 401)                     \
  X(kCrossSite, "cross_site", 403)                             \
  X(kFormNotSent, "form_not_sent", 403)                        \
  /* ourselves */                                              \
  X(kStoreFull, "store_full", 503)                             \
  X(kStoreUnavailable, "store_unavailable", 503)               \
  X(kIdpUnavailable, "idp_unavailable", 503)                   \
  X(kConfigInvalid, "config_invalid", 500)                     \
  X(kInternal, "internal", 500)

enum class Reason {
#define SALLYPORT_REASON_ENUM(name, word, status) name,
  SALLYPORT_REASONS(SALLYPORT_REASON_ENUM)
#undef SALLYPORT_REASON_ENUM
};

// The word for logs and metrics: lower case, underscores; a string literal.
std::string_view reason_word(Reason reason);

// The HTTP status that a refusal for this reason is answered with.
int reason_http_status(Reason reason);

struct Error {
  Reason reason;
  // For the operator's log, never for the page: what was expected and what came. May hold bytes
  // of the sender; the logger escapes and cuts it.
  std::string detail;
};

// Builds "what: expected <X>, received <Y>", each value cut at 256 bytes.
std::string expected_received(std::string_view what, std::string_view expected,
                              std::string_view received);

}  // namespace sallyport
