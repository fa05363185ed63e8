// The store, opened by this process: the C API behind every verb that names no host.
#pragma once

#include "backend.h"

namespace latchkey::cli {

// An open store, closed at the end. Single-threaded.
class Store {
 public:
  // Opens the store that is there, or throws a Refusal that says how to make one.
  explicit Store(const Globals& globals) : Store(globals, LATCHKEY_OPEN_EXISTING) {}
  // `mode` is one of LATCHKEY_OPEN_*, `load` of LATCHKEY_LOAD_*.
  // With `epoch`, the store must hold it.
  Store(const Globals& globals, uint32_t mode, uint32_t load = LATCHKEY_LOAD_BEHIND,
        const latchkey_epoch* epoch = nullptr);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  latchkey_store* get() const { return handle_; }
  latchkey_stats Stats() const;

 private:
  latchkey_store* handle_ = nullptr;
};

class LocalBackend : public Backend {
 public:
  LocalBackend(const Globals& globals, uint32_t load)
      : store_(globals, LATCHKEY_OPEN_EXISTING, load) {}

  Json Stats() override;
  int64_t TimeS() override;
  latchkey_owner FindOwner(uint32_t sort, const std::string& id) override;
  Page<latchkey_owner> ListOwners(const latchkey_list_options& options,
                                  const Context& context) override;
  latchkey_owner CreateOwner(const latchkey_owner_create_options& options,
                             const Context& context) override;
  latchkey_owner UpdateOwner(uint32_t sort, const std::string& id,
                             latchkey_owner_update_options options,
                             const Context& context) override;
  void DeleteOwner(const latchkey_owner& owner, const Context& context) override;
  latchkey_grant SetGrant(const std::string& project, const std::string& user, uint32_t role,
                          const Context& context) override;
  void RemoveGrant(const std::string& project, const std::string& user,
                   const Context& context) override;
  std::vector<latchkey_grant> ListGrants(const std::string& project,
                                         const Context& context) override;
  Page<Credential> ListCredentials(const Noun& noun, const std::string& owner,
                                   latchkey_list_options options, const Context& context) override;
  Credential FindCredential(const Noun& noun, const std::string& owner, const std::string& id,
                            const Context& context) override;
  Credential CreateCredential(const Noun& noun, const std::string& owner,
                              latchkey_credential_create_options options, SecretText* secret,
                              const Context& context) override;
  Credential RenameCredential(const Noun& noun, const Credential& credential, std::string_view name,
                              const Context& context) override;
  void RevokeCredential(const Noun& noun, const Credential& credential,
                        const Context& context) override;
  Verdict Verify(const latchkey_bytes& secret, const latchkey_verify_options& options) override;
  Credential Identify(const uint8_t digest[32], const Context& context) override;

 private:
  latchkey_uuid OwnerUuid(uint32_t sort, const std::string& id) { return FindOwner(sort, id).uuid; }
  std::string KindWord(uint32_t kind) const;
  // With what is printed besides the row.
  Credential Whole(const latchkey_credential& row) const;

  Store store_;
};

}  // namespace latchkey::cli
