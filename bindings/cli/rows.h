// How each thing looks to people: as a row of a table, and as fields. How it looks to programs is
// in <wire/wire.h>, which the REST host shares.
#pragma once

#include "backend.h"

namespace latchkey::cli {

std::string NameOf(const latchkey_owner& owner);
std::string NameOf(const latchkey_credential& credential);

std::vector<std::string> OwnerHeadings(uint32_t sort);
std::vector<std::string> OwnerRow(const latchkey_owner& owner);
std::vector<Field> OwnerFields(const latchkey_owner& owner);

std::vector<std::string> CredentialHeadings();
// `now_s` is the time that verdicts use, here and below.
std::vector<std::string> CredentialRow(const latchkey_credential& credential, int64_t now_s);
std::vector<Field> CredentialFields(const Credential& credential, int64_t now_s);

}  // namespace latchkey::cli
