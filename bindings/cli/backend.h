// Where the things are that a verb works on: in a store that is opened here (LocalBackend), or
// behind a host (HostBackend). Both speak in the structs of the C API, so that every verb and what
// it prints is written once.
#pragma once

#include <latchkey/latchkey.h>

#include <memory>
#include <string>
#include <vector>

#include "globals.h"
#include "output.h"
#include "secret_text.h"

namespace latchkey::cli {

// A struct of the C API, zeroed and with its size set.
template <typename Struct>
Struct Sized() {
  Struct value = {};
  value.struct_size = sizeof value;
  return value;
}

// What a message says when a call fails: the thing it was about, and what to do.
struct Context {
  std::string thing;
  Remedies remedies = {};
};

// The kinds that have verbs of their own.
struct Noun {
  uint32_t kind;
  uint32_t owner_sort;
  const char* words;       // "user key"
  const char* command;     // "user key", "token"
  const char* owner_word;  // "user": also the JSON member that holds the owner
  const char* owner_name;  // "USER": the positional
};
inline constexpr Noun kUserToken = {
    LATCHKEY_KIND_USER_TOKEN, LATCHKEY_OWNER_USER, "user API token", "token", "user", "USER"};
inline constexpr Noun kUserKey = {
    LATCHKEY_KIND_USER_KEY, LATCHKEY_OWNER_USER, "user key", "user key", "user", "USER"};
inline constexpr Noun kProjectKey = {LATCHKEY_KIND_PROJECT_KEY,
                                     LATCHKEY_OWNER_PROJECT,
                                     "project key",
                                     "project key",
                                     "project",
                                     "PROJECT"};

struct Credential {
  latchkey_credential row = Sized<latchkey_credential>();
  std::string kind;   // "user_key", or what a host called its own
  std::string token;  // what may be shown of a user_token
};

struct Verdict {
  bool allowed = false;
  std::string reason;  // empty = a host did not say
  std::string kind;    // empty = unknown
  latchkey_uuid uuid = {};
  latchkey_uuid owner = {};
};

template <typename Row>
struct Page {
  std::vector<Row> rows;
  uint64_t total = 0;
};

// Owners and credentials are named as people name them: `owner`, `project`, `user` by slug, UUID
// or, for users, e-mail; `id` by UUID or slug. Every call throws a Refusal that begins with the
// context's thing, or, when the owner is not there, with the owner. Single-threaded.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual Json Stats() = 0;
  // The time that verdicts use. Never fails: what cannot be asked is this machine's time.
  virtual int64_t TimeS() = 0;

  // Deleted ones by UUID only.
  virtual latchkey_owner FindOwner(uint32_t sort, const std::string& id) = 0;
  virtual Page<latchkey_owner> ListOwners(const latchkey_list_options& options,
                                          const Context& context) = 0;
  virtual latchkey_owner CreateOwner(const latchkey_owner_create_options& options,
                                     const Context& context) = 0;
  // options.uuid is found from `id`.
  virtual latchkey_owner UpdateOwner(uint32_t sort, const std::string& id,
                                     latchkey_owner_update_options options,
                                     const Context& context) = 0;
  virtual void DeleteOwner(const latchkey_owner& owner, const Context& context) = 0;

  virtual latchkey_grant SetGrant(const std::string& project, const std::string& user,
                                  uint32_t role, const Context& context) = 0;
  virtual void RemoveGrant(const std::string& project, const std::string& user,
                           const Context& context) = 0;
  // All of them, by the users' UUIDs.
  virtual std::vector<latchkey_grant> ListGrants(const std::string& project,
                                                 const Context& context) = 0;

  // options.owner and options.kind are found from `owner` and `noun`, as below.
  virtual Page<Credential> ListCredentials(const Noun& noun, const std::string& owner,
                                           latchkey_list_options options,
                                           const Context& context) = 0;
  virtual Credential FindCredential(const Noun& noun, const std::string& owner,
                                    const std::string& id, const Context& context) = 0;
  virtual Credential CreateCredential(const Noun& noun, const std::string& owner,
                                      latchkey_credential_create_options options,
                                      SecretText* secret, const Context& context) = 0;
  virtual Credential RenameCredential(const Noun& noun, const Credential& credential,
                                      std::string_view name, const Context& context) = 0;
  virtual void RevokeCredential(const Noun& noun, const Credential& credential,
                                const Context& context) = 0;

  virtual Verdict Verify(const latchkey_bytes& secret, const latchkey_verify_options& options) = 0;
  virtual Credential Identify(const uint8_t digest[32], const Context& context) = 0;
};

// The store that is there, or the host that is named. Throws a Refusal that says what to do.
// `load` is one of LATCHKEY_LOAD_*, for a store that this process opens.
std::unique_ptr<Backend> OpenBackend(const Globals& globals, uint32_t load = LATCHKEY_LOAD_BEHIND);

// "user" or "project".
const char* OwnerWord(uint32_t sort);
// What is said when there is no such owner.
Context OwnerContext(uint32_t sort, const std::string& id);

}  // namespace latchkey::cli
