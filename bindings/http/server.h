// Requests in, replies out: libmicrohttpd, behind this header alone. Knows HTTP and nothing of
// credentials.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "log.h"
#include "request.h"
#include "tls.h"

namespace latchkey::http {

// What a server serves. All methods are called from many threads.
class Handler {
 public:
  virtual ~Handler() = default;
  // The line and the headers are there; the body is not. Never throws.
  virtual void Begin(Request* request) = 0;
  // Whether Answer() may wait for the device, or work for long. Then it runs on a thread of its
  // own, and the connection waits without holding up others.
  virtual bool MayWait(const Request& request) const = 0;
  // Never throws.
  virtual Reply Answer(Request* request) = 0;
  // The reply to a request that the server itself refuses (400, 413, 414, 431, 503).
  virtual Reply Refuse(const Request& request, unsigned status) = 0;
  // The reply is sent, or could not be; `status` 0 = the client was gone before there was one.
  virtual void Done(const Request& request, unsigned status, uint64_t bytes,
                    int64_t duration_us) = 0;
  virtual void ConnectionOpened() = 0;
  virtual void ConnectionClosed() = 0;
};

struct ServerSettings {
  int listen_fd = -1;  // taken over
  unsigned threads = 1;
  unsigned workers = 0;  // threads for what may wait; 0 = nothing does
  int64_t request_timeout_s = 0;
  bool limit_per_address = true;  // not behind a proxy, whose address all have
  Tls* tls = nullptr;             // NULL = plain HTTP
  AddressSet trusted_proxies = {};
};

class Server {
 public:
  // Serves from now on. Borrows `handler` and `log`. Throws std::runtime_error.
  Server(ServerSettings settings, Handler* handler, const Log* log);
  // Stops at once: open connections are cut, what runs is waited for.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Accepts no more connections, and waits until the requests that have begun are answered, at most
  // so long. Whether all were.
  bool Drain(int64_t timeout_s);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::http
