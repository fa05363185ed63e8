// Redis over a unix socket: one GET by digest a question. Its protocol is so small that a client
// library would only be in the way.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "figures/engines.h"

namespace latchkey_bench {
namespace {

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "redis: %s\n", what);
  std::exit(1);
}

struct Record {
  int64_t expiration;
  uint64_t owner;
  uint64_t state;
};

class Redis : public Engine {
 public:
  Redis(const std::string& path, Group group, size_t population)
      : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) Fail("the path of the socket is too long");
    path.copy(address.sun_path, path.size());
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      Fail("no connection");
    }
    Load(group, population);
  }
  ~Redis() override { close(socket_); }
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  bool Verify(std::string_view secret) override {
    static constexpr char kGet[] = "*2\r\n$3\r\nGET\r\n$32\r\n";
    char request[sizeof kGet - 1 + 32 + 2];
    std::memcpy(request, kGet, sizeof kGet - 1);
    Sha256(secret, reinterpret_cast<uint8_t*>(request + sizeof kGet - 1));
    std::memcpy(request + sizeof request - 2, "\r\n", 2);
    Send(request, sizeof request);
    // "$24\r\n", the record, "\r\n"; or "$-1\r\n".
    char reply[64];
    size_t size = 0;
    while (size < 5 || (reply[1] != '-' && size < 5 + sizeof(Record) + 2)) {
      size += Receive(reply + size, sizeof reply - size);
    }
    if (std::memcmp(reply, "$24\r\n", 5) != 0) return false;
    Record record;
    std::memcpy(&record, reply + 5, sizeof record);
    return record.state == 1 && record.expiration > 1795000000 && record.owner != 0;
  }

 private:
  void Load(Group group, size_t population) {
    constexpr size_t kPipelined = 1000;
    const Record record{6049976706, 1, 1};
    char secret[kSecretSize];
    for (size_t first = 0; first < population; first += kPipelined) {
      std::string requests;
      size_t due = 0;
      for (size_t i = first; i < first + kPipelined && i < population; ++i) {
        char digest[32];
        WriteSecret(group, i, secret);
        Sha256({secret, sizeof secret}, reinterpret_cast<uint8_t*>(digest));
        requests += "*3\r\n$3\r\nSET\r\n$32\r\n";
        requests.append(digest, sizeof digest);
        requests += "\r\n$24\r\n";
        requests.append(reinterpret_cast<const char*>(&record), sizeof record);
        requests += "\r\n";
        due += 5;  // "+OK\r\n"
      }
      Send(requests.data(), requests.size());
      for (char replies[4096]; due > 0;) {
        due -= Receive(replies, due < sizeof replies ? due : sizeof replies);
        if (replies[0] == '-') Fail("it refuses to store");
      }
    }
  }

  void Send(const char* bytes, size_t size) {
    while (size > 0) {
      const ssize_t sent = send(socket_, bytes, size, MSG_NOSIGNAL);
      if (sent <= 0) Fail("the connection broke");
      bytes += sent;
      size -= static_cast<size_t>(sent);
    }
  }

  size_t Receive(char* bytes, size_t size) {
    const ssize_t received = recv(socket_, bytes, size, 0);
    if (received <= 0) Fail("the connection broke");
    return static_cast<size_t>(received);
  }

  const int socket_;
};

}  // namespace

std::unique_ptr<Engine> MakeRedis(const std::string& socket, Group group, size_t population) {
  return std::make_unique<Redis>(socket, group, population);
}

}  // namespace latchkey_bench
