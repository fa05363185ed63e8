// The host's certificate, which can be replaced while it serves.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace latchkey::http {

// For libmicrohttpd:
//   MHD_OPTION_HTTPS_PRIORITIES, Tls::kPriorities,
//   MHD_OPTION_HTTPS_CERT_CALLBACK, &Tls::Retrieve
// The callback has no argument of ours, so it serves the one Tls of the process. Must outlive the
// daemon. What was replaced by Reload() stays in memory until then, since a handshake that has
// begun goes on with it and nothing says when it ends; that is a few kilobytes a new certificate.
class Tls {
 public:
  static constexpr const char* kPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

  // PEM files: the certificate first, then those that lead to its root; the key without a
  // passphrase, readable by its owner and group at most (0640). Throws std::runtime_error that
  // says which file and why. A second Tls at the same time is a defect: std::logic_error.
  Tls(std::string cert_path, std::string key_path);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Reads both files again, for handshakes that begin from now on. Throws as the constructor, and
  // then the old certificate stays. Any thread.
  void Reload();

  // A gnutls_certificate_retrieve_function2.
  static int Retrieve(gnutls_session_t session, const gnutls_datum_t* authorities,
                      int authorities_n, const gnutls_pk_algorithm_t* algorithms, int algorithms_n,
                      gnutls_pcert_st** certificates, unsigned int* certificates_n,
                      gnutls_privkey_t* key);

 private:
  struct Identity;  // a certificate chain and its key

  static std::atomic<Tls*> instance_;

  const std::string cert_path_;
  const std::string key_path_;
  std::mutex reload_mutex_;
  std::vector<std::unique_ptr<Identity>> identities_;  // all that were ever served
  std::atomic<Identity*> current_ = nullptr;
};

}  // namespace latchkey::http
