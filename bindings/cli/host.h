// A REST host, asked over HTTP: the same verbs on a store that another process holds.
#pragma once

#include <functional>

#include "backend.h"
#include "http_client.h"

namespace latchkey::cli {

class HostBackend : public Backend {
 public:
  // Takes the address, and what to ask with, from the flags and the variables.
  explicit HostBackend(const Globals& globals);

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
  // Sends, throws unless the host did it, and gives what `read` makes of its answer.
  template <typename Read>
  auto Ask(const char* method, const std::string& path, const Json& body, const Context& context,
           Read read);
  // As Ask(), for what has no answer.
  void Tell(const char* method, const std::string& path, const Context& context);
  HttpReply Send(const char* method, const std::string& path, const Json& body,
                 const Context& context);
  template <typename Row>
  Page<Row> AskPage(const std::string& path, const Context& context,
                    const std::function<Row(const Json&)>& read);

  // "/v0/users/muriel-bagge": an e-mail, which no path takes, is looked up first.
  std::string OwnerPath(uint32_t sort, const std::string& id);
  latchkey_owner FindByEmail(const std::string& email);
  HttpReply SendVerify(std::string_view body);

  HttpClient client_;
  bool reasons_refused_ = false;  // only an administrator is told why a secret is denied
};

}  // namespace latchkey::cli
