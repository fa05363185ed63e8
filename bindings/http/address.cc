#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace latchkey::http {
namespace {

constexpr size_t kV4Offset = 12;        // of an IPv4 address among the 16 bytes
constexpr unsigned kV4PrefixBits = 96;  // of ::ffff:0:0/96
constexpr unsigned kAddressBits = 128;
constexpr size_t kForwardedEntriesMax = 64;
constexpr size_t kEntryBytesMax = 64;  // an address, a port, and some spaces

using Bytes = std::array<uint8_t, 16>;

constexpr Bytes kV4Mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Digits alone, and no more of them than the largest value needs.
bool ParseWhole(std::string_view text, size_t digits_max, unsigned* value) {
  if (text.empty() || text.size() > digits_max) return false;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && stopped == end;
}

// `bytes` with the bits behind the first `prefix_bits` cleared.
Bytes Masked(const Bytes& bytes, unsigned prefix_bits) {
  Bytes masked = {};
  for (unsigned i = 0; i < masked.size(); ++i) {
    const unsigned kept = std::clamp(prefix_bits, 8 * i, 8 * i + 8) - 8 * i;
    masked[i] = static_cast<uint8_t>(bytes[i] & (0xff00u >> kept));
  }
  return masked;
}

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// An entry of X-Forwarded-For: an address, perhaps with a port, perhaps in brackets.
std::optional<Address> ParseForwarded(std::string_view text) {
  text = Trimmed(text);
  if (text.empty()) return std::nullopt;
  if (text.front() == '[' && text.back() == ']') {
    return Address::Parse(text.substr(1, text.size() - 2));
  }
  if (const std::optional<Endpoint> endpoint = ParseEndpoint(text)) return endpoint->address;
  return Address::Parse(text);
}

}  // namespace

Address Address::FromSockaddr(const sockaddr* address) {
  Address result;
  if (address == nullptr) return result;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    result.bytes_ = kV4Mapped;
    std::memcpy(result.bytes_.data() + kV4Offset, &v4.sin_addr, sizeof v4.sin_addr);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(result.bytes_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  }
  return result;
}

std::optional<Address> Address::Parse(std::string_view text) {
  char copy[INET6_ADDRSTRLEN] = {};
  // A NUL would end the text for inet_pton, and what follows would be taken for nothing.
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return std::nullopt;
  text.copy(copy, text.size());
  Address result;
  if (inet_pton(AF_INET6, copy, result.bytes_.data()) == 1) return result;
  result.bytes_ = kV4Mapped;
  if (inet_pton(AF_INET, copy, result.bytes_.data() + kV4Offset) == 1) return result;
  return std::nullopt;
}

Address Address::FromBytes(const std::array<uint8_t, 16>& bytes) {
  Address result;
  result.bytes_ = bytes;
  return result;
}

std::string Address::ToText() const {
  char text[INET6_ADDRSTRLEN] = {};
  const bool v4 = IsV4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes_.data() + (v4 ? kV4Offset : 0), text, sizeof text);
  return text;
}

bool Address::IsV4() const { return Masked(bytes_, kV4PrefixBits) == kV4Mapped; }

bool Address::IsLoopback() const {
  if (IsV4()) return bytes_[kV4Offset] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; }) &&
         bytes_.back() == 1;
}

Address Address::Network() const { return IsV4() ? *this : FromBytes(Masked(bytes_, 64)); }

bool AddressSet::AddCidr(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<Address> first = Address::Parse(text.substr(0, slash));
  if (!first) return false;
  // As it is written, not as it is held: ::ffff:10.0.0.0/104 is counted from the left like any.
  const bool dotted = text.find(':') == std::string_view::npos;
  unsigned prefix_bits = kAddressBits;
  if (slash != std::string_view::npos) {
    if (!ParseWhole(text.substr(slash + 1), 3, &prefix_bits)) return false;
    if (dotted) prefix_bits += kV4PrefixBits;
    if (prefix_bits > kAddressBits) return false;
  }
  if (Masked(first->bytes(), prefix_bits) != first->bytes()) return false;
  networks_.push_back({*first, prefix_bits});
  return true;
}

bool AddressSet::Contains(const Address& address) const {
  const bool v4 = address.IsV4();
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return (!v4 || network.prefix_bits >= kV4PrefixBits) &&
           Masked(address.bytes(), network.prefix_bits) == network.first.bytes();
  });
}

std::string Endpoint::ToText() const {
  const std::string host = address.ToText();
  const std::string port_text = std::to_string(port);
  return address.IsV4() ? host + ":" + port_text : "[" + host + "]:" + port_text;
}

socklen_t Endpoint::ToSockaddr(sockaddr_storage* out) const {
  std::memset(out, 0, sizeof *out);
  if (address.IsV4()) {
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data() + kV4Offset, sizeof v4.sin_addr);
    std::memcpy(out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof v6.sin6_addr);
  std::memcpy(out, &v6, sizeof v6);
  return sizeof v6;
}

std::optional<Endpoint> ParseEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  unsigned port = 0;
  if (!ParseWhole(text.substr(colon + 1), 5, &port) || port > UINT16_MAX) return std::nullopt;
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  // Brackets around IPv6 and around nothing else: "::1:80" could be an address without a port.
  if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  const std::optional<Address> address = Address::Parse(host);
  if (!address) return std::nullopt;
  return Endpoint{*address, static_cast<uint16_t>(port)};
}

Address ClientAddress(const Address& peer, std::string_view x_forwarded_for,
                      const AddressSet& trusted) {
  Address client = peer;
  std::string_view rest = x_forwarded_for;
  for (size_t i = 0; i < kForwardedEntriesMax && trusted.Contains(client); ++i) {
    // What is longer than any entry is not searched for its beginning.
    const std::string_view tail = rest.substr(rest.size() - std::min(rest.size(), kEntryBytesMax));
    const size_t comma = tail.rfind(',');
    if (comma == std::string_view::npos && tail.size() < rest.size()) break;
    const std::optional<Address> entry =
        ParseForwarded(comma == std::string_view::npos ? tail : tail.substr(comma + 1));
    if (!entry) break;
    client = *entry;
    if (comma == std::string_view::npos) break;
    rest.remove_suffix(tail.size() - comma);
  }
  return client;
}

}  // namespace latchkey::http
