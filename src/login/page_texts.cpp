#include "login/page_texts.h"

namespace sallyport::login {
namespace {

constexpr PageText kNotAPage = {
    "There is nothing to see here",
    "This address only receives answers from a login service; it is not a page.",
    "Go to the page you wanted and open it again."};

constexpr PageText kUnreadable = {
    "The login did not work",
    "The answer of your organization's login service could not be read.",
    "Try again. If it happens again, give the reference number below to your administrator."};

constexpr PageText kTooLarge = {
    "The login did not work",
    "The answer of your organization's login service is larger than this site accepts.",
    "Give the reference number below to your administrator, who can raise the limit or have less "
    "sent."};

constexpr PageText kUntrusted = {
    "The login could not be verified",
    "The answer of the login service did not pass this site's checks, so you were not logged in.",
    "Try again from the page you wanted. If it happens again, give the reference number below to "
    "your administrator."};

constexpr PageText kRefusedByIdp = {
    "Your login service did not log you in",
    "It may have been cancelled, or your account may not be allowed to use this application.",
    "Try again. If it happens again, ask your administrator for access to this application."};

constexpr PageText kOutOfTime = {
    "The login arrived at the wrong time",
    "The answer of the login service was too old or too new when it reached this site.",
    "Try again. If it happens again, give the reference number below to your administrator: a "
    "clock may be wrong."};

constexpr PageText kWeakLogin = {
    "A different kind of login is needed",
    "This page asks for a stronger login, such as a second factor, than the one you used.",
    "Try again with that kind of login, or ask your administrator how to set it up."};

constexpr PageText kOldLogin = {
    "Please enter your password again",
    "This page asks for a fresh login, but your login service used an earlier one.",
    "Log out of your organization's login service, then try again."};

constexpr PageText kUsedBefore = {
    "This login has been used already",
    "Each login works once. This happens with the Back button or when a page is sent again.",
    "Go to the page you wanted and open it again. You may be logged in already."};

constexpr PageText kUnsolicited = {
    "Please start from this site",
    "The login service sent you here without being asked, which this site does not accept.",
    "Log in from here, or open the page you wanted on this site: you may not have to enter your password again."};

constexpr PageText kAttemptLost = {
    "Your browser did not remember the login",
    "The cookie that was set when the login began did not come back with the answer.",
    "Allow cookies for this site, then try again. If you opened the login from a bookmark or on "
    "another device, start from the page you wanted."};

constexpr PageText kAttemptExpired = {
    "The login took too long",
    "A login must be finished within an hour of its start.",
    "Try again."};

constexpr PageText kLoginLoop = {
    "You are logged in, but your browser does not keep it",
    "The login worked several times in a row, and each time the browser came back without this "
    "site's cookie.",
    "Allow cookies for this site and check that the address begins with https. If that does not "
    "help, give the reference number below to your administrator."};

constexpr PageText kNoAccount = {
    "Your account could not be recognized",
    "The login service did not say who you are in the way this site needs.",
    "Give the reference number below to your administrator."};

constexpr PageText kWrongDomain = {
    "This e-mail address cannot be used here",
    "Your login worked, but your e-mail address is not one of those that may log in this way.",
    "If you have another account, log out of your organization's login service and use that one. "
    "Otherwise ask your administrator."};

constexpr PageText kNotProvisioned = {
    "You have not been invited yet",
    "Your login worked, but only people who were invited may use this application, and you are not on "
    "its list.",
    "Ask your administrator to invite you, then try again."};

constexpr PageText kDisabled = {
    "Your account is disabled",
    "Your login worked, but your account in this application is turned off.",
    "Ask your administrator to enable it."};

constexpr PageText kIdentityTooLarge = {
    "Your account holds more than this site can pass on",
    "The login service sent too much about you, for example very many groups.",
    "Give the reference number below to your administrator, who can raise the limit or have less "
    "sent."};

constexpr PageText kGroupOverage = {
    "Your groups could not be read",
    "You are in more groups than your login service names to this site, so it cannot tell what you may do here.",
    "Give the reference number below to your administrator, who can have the login service send only the groups "
    "of this application."};

constexpr PageText kUnknownIdp = {
    "There is no login for this address",
    "This site does not know which login service belongs to the address you opened.",
    "Check the address for typing mistakes, or ask whoever gave it to you."};

constexpr PageText kNoMetadata = {
    "Your login service is not known yet",
    "This site is still waiting for the description of your organization's login service.",
    "Try again in a minute. If it happens again, give the reference number below to your administrator."};

constexpr PageText kForbidden = {
    "You do not have access to this page",
    "You are logged in, but this page is for other users.",
    "Ask your administrator for access."};

constexpr PageText kLoginRequired = {
    "Please log in",
    "This page is only for users who are logged in.",
    "Log in, then open the page again."};

constexpr PageText kCrossSite = {
    "This request came from another site",
    "For your safety it was not carried out.",
    "If this is what you wanted, go to this site and do it there."};

constexpr PageText kFormNotSent = {
    "Your form was not sent",
    "You are not logged in, or your login has expired, so what you entered was not delivered.",
    "Go back to copy what you entered if you need it. Then log in and send the form again."};

constexpr PageText kBusy = {
    "Logging in is not possible at the moment",
    "This is a temporary problem on our side.",
    "Try again in a minute."};

constexpr PageText kOurFault = {
    "Something went wrong on our side",
    "The site could not complete your request.",
    "Try again later. If it happens again, give the reference number below to your administrator."};

}  // namespace

PageText page_text(Reason reason) {
  switch (reason) {
    case Reason::kMethodNotAllowed: return kNotAPage;
    case Reason::kContentTypeInvalid:
    case Reason::kFormInvalid:
    case Reason::kResponseMissing:
    case Reason::kBase64Invalid:
    case Reason::kXmlInvalid:
    case Reason::kXmlForbidden:
    case Reason::kXmlLimits:
    case Reason::kStructureInvalid:
    case Reason::kVersionMismatch: return kUnreadable;
    case Reason::kTooLarge: return kTooLarge;
    case Reason::kSignatureMissing:
    case Reason::kSignatureMalformed:
    case Reason::kSignatureInvalid:
    case Reason::kAlgorithmNotAllowed:
    case Reason::kDecryptionFailed:
    case Reason::kEncryptionMissing:
    case Reason::kDestinationMismatch:
    case Reason::kRecipientMismatch:
    case Reason::kInResponseToMismatch:
    case Reason::kIssuerMismatch:
    case Reason::kAudienceMismatch:
    case Reason::kConfirmationInvalid:
    case Reason::kConditionUnknown: return kUntrusted;
    case Reason::kStatusNotSuccess: return kRefusedByIdp;
    case Reason::kNotYetValid:
    case Reason::kExpired:
    case Reason::kLifetimeTooLong: return kOutOfTime;
    case Reason::kAuthnContextMismatch: return kWeakLogin;
    case Reason::kAuthnTooOld: return kOldLogin;
    case Reason::kReplayed: return kUsedBefore;
    case Reason::kUnsolicited: return kUnsolicited;
    case Reason::kAttemptLost: return kAttemptLost;
    case Reason::kAttemptExpired: return kAttemptExpired;
    case Reason::kLoginLoop: return kLoginLoop;
    case Reason::kNoStableUser:
    case Reason::kNoUser: return kNoAccount;
    case Reason::kEmailDomainNotAllowed: return kWrongDomain;
    case Reason::kNotProvisioned: return kNotProvisioned;
    case Reason::kUserDisabled: return kDisabled;
    case Reason::kGroupOverage: return kGroupOverage;
    case Reason::kIdentityTooLarge: return kIdentityTooLarge;
    case Reason::kUnknownIdp: return kUnknownIdp;
    case Reason::kIdpUnavailable: return kNoMetadata;
    case Reason::kForbidden: return kForbidden;
    case Reason::kLoginRequired: return kLoginRequired;
    case Reason::kCrossSite: return kCrossSite;
    case Reason::kFormNotSent: return kFormNotSent;
    case Reason::kStoreFull:
    case Reason::kStoreUnavailable: return kBusy;
    case Reason::kConfigInvalid:
    case Reason::kInternal: return kOurFault;
  }
  return kOurFault;
}

}  // namespace sallyport::login
