// Logins as pieces of work, and what else is made elsewhere for core_work().
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "core_work.h"
#include "login/trust.h"
#include "test_identity.h"

namespace sallyport::testing {

std::string refused(const Error& error);

// A login at `idp` with this message. The keys of rsa_identity() are ours for encryption too; `change` makes another trust
// of the usual one.
Work login_work(std::string name, const std::string& message, const Identity& idp,
                const std::function<void(login::Trust&)>& change = {});

// What is encrypted, and how; signatures of other kinds than the usual one.
std::vector<Work> encryption_work();
std::vector<Work> algorithm_work();
// Of an IdP, of one out of many, signed and not; ours.
std::vector<Work> metadata_work();

}  // namespace sallyport::testing
