// Listening sockets.
#pragma once

#include "address.h"

namespace latchkey::http {

// A listening TCP socket. Throws std::runtime_error that says which address and why.
int Listen(const Endpoint& endpoint);
// The socket that systemd hands over, if it does; else Listen(endpoint).
int ListenOrTakeOver(const Endpoint& endpoint);
// Where it listens: the port that the system chose, if it was 0.
Endpoint LocalEndpoint(int listen_fd);

}  // namespace latchkey::http
