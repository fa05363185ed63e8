// Network addresses: reading them, printing them, and finding the client behind trusted proxies.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::http {

// An IPv6 address; an IPv4 address is held as ::ffff:a.b.c.d, so that the same client is the same
// address on a socket of either family.
class Address {
 public:
  Address() = default;  // ::

  // All zero when `address` is neither IPv4 nor IPv6: such peers count as one.
  static Address FromSockaddr(const sockaddr* address);
  // "192.0.2.1" or "2001:db8::1". No port, no brackets, no zone, no name.
  static std::optional<Address> Parse(std::string_view text);
  static Address FromBytes(const std::array<uint8_t, 16>& bytes);

  // Dotted for IPv4, RFC 5952 for IPv6.
  std::string ToText() const;
  bool IsV4() const;
  bool IsLoopback() const;
  // What one client can be assumed to hold: the /64 of an IPv6 address, an IPv4 address itself.
  Address Network() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  std::array<uint8_t, 16> bytes_ = {};
};

// A set of networks.
class AddressSet {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address. False, and nothing added, when it is none of
  // these or has bits beyond its prefix: whoever wrote it meant something else.
  bool AddCidr(std::string_view text);
  // An IPv4 address is in IPv4 networks only, also where there is ::/0.
  bool Contains(const Address& address) const;
  bool empty() const { return networks_.empty(); }

 private:
  struct Network {
    Address first;
    unsigned prefix_bits;  // of 128
  };
  std::vector<Network> networks_;
};

struct Endpoint {
  Address address = {};
  uint16_t port = 0;

  // "127.0.0.1:61016", "[::1]:61016".
  std::string ToText() const;
  // For bind(2): fills `out` and returns how many bytes of it count.
  socklen_t ToSockaddr(sockaddr_storage* out) const;
};

// "127.0.0.1:61016" or "[::1]:0". An address and a port, both given; no names.
std::optional<Endpoint> ParseEndpoint(std::string_view text);

// Whose request it is. `peer` unless it is in `trusted`; then the right-most entry of
// X-Forwarded-For that is not, since only what a trusted proxy has appended can be believed.
// `x_forwarded_for` holds the values of all headers of that name, in order, joined by commas.
// What is not an address ends the search at the last good entry. Reads the last 64 entries.
Address ClientAddress(const Address& peer, std::string_view x_forwarded_for,
                      const AddressSet& trusted);

}  // namespace latchkey::http
