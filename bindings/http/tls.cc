#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

namespace latchkey::http {
namespace {

constexpr size_t kFileBytesMax = size_t{256} << 10;
constexpr unsigned kChainMax = 16;
constexpr mode_t kKeyModeRefused = 037;  // all but reading by the group
constexpr const char* kCertFile = "the TLS certificate file ";
constexpr const char* kKeyFile = "the TLS key file ";

[[noreturn]] void Refuse(const std::string& file, const std::string& why) {
  throw std::runtime_error(file + ": " + why);
}

// A file's content, wiped when it goes.
class Content {
 public:
  // `refused_mode` has the permission bits that the file must not have.
  Content(const std::string& name, const std::string& path, mode_t refused_mode) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) Refuse(name, std::strerror(errno));
    struct stat info;
    std::string why;
    if (fstat(fd, &info) != 0) {
      why = std::strerror(errno);
    } else if (!S_ISREG(info.st_mode)) {
      why = "it is not a regular file";
    } else if ((info.st_mode & refused_mode) != 0) {
      why = "others than its owner can use it: chmod 600 it, or 640";
    } else {
      why = ReadAll(fd);
    }
    close(fd);
    if (!why.empty()) {
      Wipe();
      Refuse(name, why);
    }
  }
  ~Content() { Wipe(); }
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  gnutls_datum_t datum() { return {bytes_.data(), static_cast<unsigned>(size_)}; }

 private:
  // Empty, or what went wrong.
  std::string ReadAll(int fd) {
    while (size_ < bytes_.size()) {
      const ssize_t got = read(fd, bytes_.data() + size_, bytes_.size() - size_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::strerror(errno);
      if (got == 0) return size_ == 0 ? "it is empty" : "";
      size_ += static_cast<size_t>(got);
    }
    return "it is longer than 256 KiB";
  }
  void Wipe() { gnutls_memset(bytes_.data(), 0, bytes_.size()); }

  std::vector<unsigned char> bytes_ = std::vector<unsigned char>(kFileBytesMax + 1);
  size_t size_ = 0;
};

using KeyId = std::array<unsigned char, 32>;

KeyId KeyIdOf(gnutls_pubkey_t key) {
  KeyId id = {};
  size_t size = id.size();
  if (gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id.data(), &size) < 0) {
    throw std::runtime_error("the public key of the TLS certificate cannot be used");
  }
  return id;
}

}  // namespace

struct Tls::Identity {
  Identity(const std::string& cert_path, const std::string& key_path) {
    const std::string cert_name = kCertFile + cert_path;
    const std::string key_name = kKeyFile + key_path;
    if (gnutls_privkey_init(&key) < 0) throw std::bad_alloc();
    try {
      Content cert_content(cert_name, cert_path, 0);
      gnutls_datum_t datum = cert_content.datum();
      unsigned n = kChainMax;
      int result = gnutls_pcert_list_import_x509_raw(chain.data(), &n, &datum, GNUTLS_X509_FMT_PEM,
                                                     GNUTLS_X509_CRT_LIST_SORT);
      if (result < 0) Refuse(cert_name, gnutls_strerror(result));
      chain_size = n;
      if (chain_size == 0) Refuse(cert_name, "it holds no certificate");
      Content key_content(key_name, key_path, kKeyModeRefused);
      datum = key_content.datum();
      result = gnutls_privkey_import_x509_raw(key, &datum, GNUTLS_X509_FMT_PEM, nullptr, 0);
      if (result < 0) Refuse(key_name, gnutls_strerror(result));
      key_id = KeyIdOf(chain[0].pubkey);
      if (key_id != IdOfPrivateKey()) Refuse(key_name, "it is not the key of the certificate");
    } catch (...) {
      Free();
      throw;
    }
  }
  ~Identity() { Free(); }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  KeyId IdOfPrivateKey() const {
    gnutls_pubkey_t pubkey = nullptr;
    if (gnutls_pubkey_init(&pubkey) < 0) throw std::bad_alloc();
    KeyId id = {};
    size_t size = id.size();
    const bool done =
        gnutls_pubkey_import_privkey(pubkey, key, 0, 0) >= 0 &&
        gnutls_pubkey_get_key_id(pubkey, GNUTLS_KEYID_USE_SHA256, id.data(), &size) >= 0;
    gnutls_pubkey_deinit(pubkey);
    if (!done) throw std::runtime_error("the public part of the TLS key cannot be found");
    return id;
  }

  bool IsSameAs(const Identity& other) const {
    const auto same = [](const gnutls_pcert_st& a, const gnutls_pcert_st& b) {
      return a.cert.size == b.cert.size && std::memcmp(a.cert.data, b.cert.data, a.cert.size) == 0;
    };
    return key_id == other.key_id && chain_size == other.chain_size &&
           std::equal(chain.begin(), chain.begin() + chain_size, other.chain.begin(), same);
  }

  void Free() {
    for (unsigned i = 0; i < chain_size; ++i) gnutls_pcert_deinit(&chain[i]);
    gnutls_privkey_deinit(key);
  }

  std::array<gnutls_pcert_st, kChainMax> chain = {};
  unsigned chain_size = 0;
  gnutls_privkey_t key = nullptr;
  KeyId key_id = {};
};

std::atomic<Tls*> Tls::instance_ = nullptr;

Tls::Tls(std::string cert_path, std::string key_path)
    : cert_path_(std::move(cert_path)), key_path_(std::move(key_path)) {
  Reload();
  Tls* none = nullptr;
  if (!instance_.compare_exchange_strong(none, this)) throw std::logic_error("a second Tls");
}

Tls::~Tls() { instance_.store(nullptr); }

void Tls::Reload() {
  const std::lock_guard lock(reload_mutex_);
  auto identity = std::make_unique<Identity>(cert_path_, key_path_);
  // A reload without a change keeps nothing more in memory.
  if (!identities_.empty() && identities_.back()->IsSameAs(*identity)) return;
  identities_.push_back(std::move(identity));
  current_.store(identities_.back().get(), std::memory_order_release);
}

int Tls::Retrieve(gnutls_session_t /*session*/, const gnutls_datum_t* /*authorities*/,
                  int /*authorities_n*/, const gnutls_pk_algorithm_t* /*algorithms*/,
                  int /*algorithms_n*/, gnutls_pcert_st** certificates,
                  unsigned int* certificates_n, gnutls_privkey_t* key) {
  Tls* self = instance_.load(std::memory_order_acquire);
  if (self == nullptr) return -1;
  Identity* identity = self->current_.load(std::memory_order_acquire);
  *certificates = identity->chain.data();
  *certificates_n = identity->chain_size;
  *key = identity->key;
  return 0;
}

}  // namespace latchkey::http
