#include "listen.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace latchkey::http {

int Listen(const Endpoint& endpoint) {
  sockaddr_storage address = {};
  const socklen_t size = endpoint.ToSockaddr(&address);
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    throw std::runtime_error("cannot listen on " + endpoint.ToText() + ": " + strerror(error));
  }
  return fd;
}

int ListenOrTakeOver(const Endpoint& endpoint) {
  const int handed = sd_listen_fds(/*unset_environment=*/1);
  if (handed > 1) throw std::runtime_error("systemd hands over more than one socket");
  if (handed < 1) return Listen(endpoint);
  const int fd = SD_LISTEN_FDS_START;
  // Were it to block, so would the thread that takes connections from it until there are none.
  if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
    throw std::runtime_error("what systemd hands over is no listening stream socket");
  }
  return fd;
}

Endpoint LocalEndpoint(int listen_fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  Endpoint endpoint;
  if (getsockname(listen_fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return endpoint;
  endpoint.address = Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&address));
  endpoint.port = ntohs(address.ss_family == AF_INET6
                            ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                            : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  return endpoint;
}

}  // namespace latchkey::http
