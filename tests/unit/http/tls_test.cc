// The certificate: which files are taken, and that a handshake gets the one of its moment.
#include "bindings/http/tls.h"

#include <gnutls/x509.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/temp_dir.h"

namespace latchkey::http {
namespace {

struct Pem {
  std::string cert;
  std::string key;
};

std::string Taken(gnutls_datum_t* datum) {
  std::string text(reinterpret_cast<const char*>(datum->data), datum->size);
  gnutls_free(datum->data);
  return text;
}

// A key and a certificate that it signed for itself; `serial` tells one from another.
Pem Make(unsigned char serial) {
  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_crt_t cert = nullptr;
  EXPECT_EQ(gnutls_x509_privkey_init(&key), 0);
  EXPECT_EQ(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                         GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
            0);
  EXPECT_EQ(gnutls_x509_crt_init(&cert), 0);
  const std::time_t now = std::time(nullptr);
  EXPECT_EQ(gnutls_x509_crt_set_version(cert, 3), 0);
  EXPECT_EQ(gnutls_x509_crt_set_serial(cert, &serial, 1), 0);
  EXPECT_EQ(gnutls_x509_crt_set_activation_time(cert, now - 60), 0);
  EXPECT_EQ(gnutls_x509_crt_set_expiration_time(cert, now + 86400), 0);
  EXPECT_EQ(gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, "localhost", 9), 0);
  EXPECT_EQ(gnutls_x509_crt_set_key(cert, key), 0);
  EXPECT_EQ(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
  gnutls_datum_t datum;
  Pem pem;
  EXPECT_EQ(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &datum), 0);
  pem.cert = Taken(&datum);
  EXPECT_EQ(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN,
                                              &datum),
            0);
  pem.key = Taken(&datum);
  gnutls_x509_crt_deinit(cert);
  gnutls_x509_privkey_deinit(key);
  return pem;
}

class TlsTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = dir_ / name;
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }
  void WriteBoth(const Pem& pem) {
    Write("cert", pem.cert, 0644);
    Write("key", pem.key);
  }
  std::string WhyNot() {
    try {
      Tls tls(dir_ / "cert", dir_ / "key");
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  test::TempDir dir_;
};

// Both ends of a connection in one process, each driven a step at a time.
class Connection {
 public:
  Connection() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    EXPECT_EQ(gnutls_certificate_allocate_credentials(&server_cred_), 0);
    EXPECT_EQ(gnutls_certificate_allocate_credentials(&client_cred_), 0);
    gnutls_certificate_set_retrieve_function2(server_cred_, &Tls::Retrieve);
    Start(&server_, GNUTLS_SERVER, server_cred_, fds[0]);
    Start(&client_, GNUTLS_CLIENT, client_cred_, fds[1]);
    fds_[0] = fds[0];
    fds_[1] = fds[1];
  }
  ~Connection() {
    gnutls_deinit(server_);
    gnutls_deinit(client_);
    gnutls_certificate_free_credentials(server_cred_);
    gnutls_certificate_free_credentials(client_cred_);
    close(fds_[0]);
    close(fds_[1]);
  }

  // The client's first words, and the server's answer with its certificate.
  void Begin() {
    EXPECT_EQ(gnutls_handshake(client_), GNUTLS_E_AGAIN);
    EXPECT_EQ(gnutls_handshake(server_), GNUTLS_E_AGAIN);
  }
  // Goes on to the end; the serial number that the client saw, or 0.
  int Finish() {
    int client = GNUTLS_E_AGAIN;
    int server = GNUTLS_E_AGAIN;
    for (int i = 0; i < 100 && (client == GNUTLS_E_AGAIN || server == GNUTLS_E_AGAIN); ++i) {
      if (client == GNUTLS_E_AGAIN) client = gnutls_handshake(client_);
      if (server == GNUTLS_E_AGAIN) server = gnutls_handshake(server_);
    }
    if (client != 0 || server != 0) return 0;
    unsigned n = 0;
    const gnutls_datum_t* peers = gnutls_certificate_get_peers(client_, &n);
    gnutls_x509_crt_t cert = nullptr;
    unsigned char serial[8] = {};
    size_t size = sizeof serial;
    EXPECT_EQ(gnutls_x509_crt_init(&cert), 0);
    EXPECT_EQ(gnutls_x509_crt_import(cert, peers, GNUTLS_X509_FMT_DER), 0);
    EXPECT_EQ(gnutls_x509_crt_get_serial(cert, serial, &size), 0);
    gnutls_x509_crt_deinit(cert);
    return serial[0];
  }

 private:
  static void Start(gnutls_session_t* session, unsigned flags,
                    gnutls_certificate_credentials_t credentials, int fd) {
    EXPECT_EQ(gnutls_init(session, flags | GNUTLS_NONBLOCK), 0);
    EXPECT_EQ(gnutls_priority_set_direct(*session, Tls::kPriorities, nullptr), 0);
    EXPECT_EQ(gnutls_credentials_set(*session, GNUTLS_CRD_CERTIFICATE, credentials), 0);
    gnutls_transport_set_int(*session, fd);
  }

  gnutls_certificate_credentials_t server_cred_ = nullptr;
  gnutls_certificate_credentials_t client_cred_ = nullptr;
  gnutls_session_t server_ = nullptr;
  gnutls_session_t client_ = nullptr;
  int fds_[2];
};

TEST_F(TlsTest, ServesWhatItHasRead) {
  WriteBoth(Make(1));
  const Tls tls(dir_ / "cert", dir_ / "key");
  EXPECT_EQ(Connection().Finish(), 1);
}

TEST_F(TlsTest, AHandshakeUnderWayKeepsItsCertificate) {
  WriteBoth(Make(1));
  Tls tls(dir_ / "cert", dir_ / "key");
  Connection old;
  old.Begin();
  WriteBoth(Make(2));
  EXPECT_EQ(Connection().Finish(), 1);  // nobody has asked for it yet
  tls.Reload();
  tls.Reload();
  EXPECT_EQ(Connection().Finish(), 2);
  for (unsigned char i = 3; i < 20; ++i) {
    WriteBoth(Make(i));
    tls.Reload();
  }
  EXPECT_EQ(old.Finish(), 1);
  EXPECT_EQ(Connection().Finish(), 19);
}

TEST_F(TlsTest, AFailedReloadChangesNothing) {
  WriteBoth(Make(1));
  Tls tls(dir_ / "cert", dir_ / "key");
  Write("cert", Make(2).cert);  // of another key
  EXPECT_THROW(tls.Reload(), std::runtime_error);
  Write("cert", "");
  EXPECT_THROW(tls.Reload(), std::runtime_error);
  EXPECT_EQ(Connection().Finish(), 1);
  WriteBoth(Make(3));
  tls.Reload();
  EXPECT_EQ(Connection().Finish(), 3);
}

TEST_F(TlsTest, WithoutOneThereIsNoHandshake) { EXPECT_EQ(Connection().Finish(), 0); }

TEST_F(TlsTest, ReloadsWhileHandshakesRun) {
  const Pem pems[] = {Make(1), Make(2)};
  WriteBoth(pems[0]);
  Tls tls(dir_ / "cert", dir_ / "key");
  std::thread reloads([&] {
    for (int i = 1; i <= 20; ++i) {
      WriteBoth(pems[i % 2]);
      tls.Reload();
    }
  });
  for (int i = 0; i < 20; ++i) {
    const int serial = Connection().Finish();
    EXPECT_TRUE(serial == 1 || serial == 2) << serial;
  }
  reloads.join();
}

TEST_F(TlsTest, SaysWhichFileAndWhy) {
  const Pem pem = Make(1);
  const std::string cert = "the TLS certificate file " + (dir_ / "cert") + ": ";
  const std::string key = "the TLS key file " + (dir_ / "key") + ": ";
  EXPECT_EQ(WhyNot(), cert + "No such file or directory");
  Write("cert", pem.cert);
  EXPECT_EQ(WhyNot(), key + "No such file or directory");
  for (mode_t mode : {0604, 0644, 0660, 0610, 0601, 0602}) {
    Write("key", pem.key, mode);
    EXPECT_EQ(WhyNot(), key + "others than its owner can use it: chmod 600 it, or 640") << mode;
  }
  for (mode_t mode : {0400, 0440, 0600, 0640}) {
    unlink((dir_ / "key").c_str());
    Write("key", pem.key, mode);
    EXPECT_EQ(WhyNot(), "") << mode;
  }
  unlink((dir_ / "key").c_str());
  Write("key", "");
  EXPECT_EQ(WhyNot(), key + "it is empty");
  Write("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_TRUE(WhyNot().starts_with(key));
  Write("key", Make(2).key);
  EXPECT_EQ(WhyNot(), key + "it is not the key of the certificate");
  Write("key", pem.key);
  Write("cert", pem.key);
  EXPECT_TRUE(WhyNot().starts_with(cert)) << WhyNot();
  Write("cert", std::string(300 << 10, 'x'));
  EXPECT_EQ(WhyNot(), cert + "it is longer than 256 KiB");
  unlink((dir_ / "cert").c_str());
  ASSERT_EQ(mkfifo((dir_ / "cert").c_str(), 0600), 0);
  EXPECT_EQ(WhyNot(), cert + "it is not a regular file");
}

TEST_F(TlsTest, NoComplaintRepeatsAKey) {
  const Pem pem = Make(1);
  const std::string middle = pem.key.substr(40, 20);
  Write("cert", pem.key);
  Write("key", pem.key);
  EXPECT_EQ(WhyNot().find(middle), std::string::npos);
  Write("cert", pem.cert);
  Write("key", pem.key.substr(0, pem.key.size() / 2));
  EXPECT_NE(WhyNot(), "");
  EXPECT_EQ(WhyNot().find(middle), std::string::npos);
}

TEST_F(TlsTest, ThereIsOneInAProcess) {
  WriteBoth(Make(1));
  {
    const Tls tls(dir_ / "cert", dir_ / "key");
    EXPECT_THROW(Tls(dir_ / "cert", dir_ / "key"), std::logic_error);
    EXPECT_EQ(Connection().Finish(), 1);
  }
  const Tls again(dir_ / "cert", dir_ / "key");
  EXPECT_EQ(Connection().Finish(), 1);
}

}  // namespace
}  // namespace latchkey::http
