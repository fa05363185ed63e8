// Addresses, networks, and who stands behind a proxy.
#include "bindings/http/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

namespace latchkey::http {
namespace {

Address At(std::string_view text) {
  const std::optional<Address> address = Address::Parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(Address());
}

AddressSet Set(std::initializer_list<const char*> networks) {
  AddressSet set;
  for (const char* network : networks) EXPECT_TRUE(set.AddCidr(network)) << network;
  return set;
}

TEST(Address, IsPrintedInOneSpelling) {
  const std::pair<const char*, const char*> kCases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::FFFF:c000:0201", "192.0.2.1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero group is not shortened
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longer run is
      {"::", "::"},
      {"::1", "::1"},
  };
  for (const auto& [text, printed] : kCases) EXPECT_EQ(At(text).ToText(), printed) << text;
}

TEST(Address, RefusesWhatIsNoAddress) {
  const std::string kCases[] = {"",
                                "localhost",
                                "1.2.3",
                                "1.2.3.4.5",
                                "01.2.3.4",
                                "1.2.3.256",
                                "1.2.3.4 ",
                                " 1.2.3.4",
                                "0x7f.0.0.1",
                                "[::1]",
                                "::1%lo",
                                "1.2.3.4:80",
                                "::1::",
                                ":",
                                std::string("1.2.3.4\0", 8),
                                std::string("1.2.3.4\0.5", 10),
                                std::string(1000, '1')};
  for (const std::string& text : kCases) EXPECT_FALSE(Address::Parse(text)) << text;
}

TEST(Address, FromSockets) {
  sockaddr_storage storage;
  for (const char* text : {"192.0.2.7:80", "[2001:db8::7]:443", "127.0.0.1:0"}) {
    const std::optional<Endpoint> endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint);
    const socklen_t size = endpoint->ToSockaddr(&storage);
    EXPECT_EQ(size, endpoint->address.IsV4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto* address = reinterpret_cast<const sockaddr*>(&storage);
    EXPECT_EQ(Address::FromSockaddr(address), endpoint->address);
    EXPECT_EQ(endpoint->ToText(), text);
  }
  // An IPv4 client on an IPv6 socket is the same client.
  sockaddr_in6 mapped = {};
  mapped.sin6_family = AF_INET6;
  ASSERT_EQ(inet_pton(AF_INET6, "::ffff:192.0.2.7", &mapped.sin6_addr), 1);
  std::memcpy(&storage, &mapped, sizeof mapped);
  EXPECT_EQ(Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage)), At("192.0.2.7"));
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage)), Address());
  EXPECT_EQ(Address::FromSockaddr(nullptr), Address());
}

TEST(Address, LoopbackIsThisMachineOnly) {
  for (const char* text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(At(text).IsLoopback()) << text;
  }
  for (const char* text : {"0.0.0.0", "128.0.0.1", "::", "::2", "1::1", "::7f00:1", "10.0.0.1"}) {
    EXPECT_FALSE(At(text).IsLoopback()) << text;
  }
}

TEST(Address, NetworkIsWhatOneClientHolds) {
  EXPECT_EQ(At("2001:db8:1:2:3:4:5:6").Network(), At("2001:db8:1:2::"));
  EXPECT_EQ(At("2001:db8:1:2:ffff::").Network(), At("2001:db8:1:2::9").Network());
  EXPECT_NE(At("2001:db8:1:2::").Network(), At("2001:db8:1:3::").Network());
  EXPECT_EQ(At("192.0.2.1").Network(), At("192.0.2.1"));
  EXPECT_NE(At("192.0.2.1").Network(), At("192.0.2.2").Network());
}

TEST(AddressSet, HoldsWholeNetworks) {
  const AddressSet set = Set({"10.0.0.0/8", "192.0.2.128/25", "198.51.100.7", "2001:db8::/33"});
  for (const char* text : {"10.0.0.0", "10.255.255.255", "192.0.2.128", "192.0.2.255",
                           "198.51.100.7", "2001:db8::", "2001:db8:7fff:ffff::1"}) {
    EXPECT_TRUE(set.Contains(At(text))) << text;
  }
  for (const char* text : {"9.255.255.255", "11.0.0.0", "192.0.2.127", "198.51.100.6",
                           "2001:db8:8000::", "2001:db7:ffff::", "::10.0.0.1", "::"}) {
    EXPECT_FALSE(set.Contains(At(text))) << text;
  }
  EXPECT_FALSE(AddressSet().Contains(At("::1")));
}

TEST(AddressSet, FamiliesStayApart) {
  const AddressSet all_v6 = Set({"::/0"});
  EXPECT_TRUE(all_v6.Contains(At("2001:db8::1")));
  EXPECT_FALSE(all_v6.Contains(At("192.0.2.1")));
  const AddressSet all_v4 = Set({"0.0.0.0/0"});
  EXPECT_TRUE(all_v4.Contains(At("192.0.2.1")));
  EXPECT_FALSE(all_v4.Contains(At("::1")));
  EXPECT_TRUE(Set({"::ffff:10.0.0.0/104"}).Contains(At("10.1.2.3")));
}

TEST(AddressSet, RefusesWhatIsNoNetwork) {
  AddressSet set;
  for (const char* text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8",
        "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/0x8", "10.0.0.0/4294967304", "10.1.0.0/8",
        "2001:db8::1/64", "10.0.0/8", "proxy", "10.0.0.0/255.0.0.0"}) {
    EXPECT_FALSE(set.AddCidr(text)) << text;
  }
  EXPECT_TRUE(set.empty());
}

TEST(Endpoint, IsAnAddressAndAPort) {
  const std::optional<Endpoint> v4 = ParseEndpoint("127.0.0.1:61016");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->address, At("127.0.0.1"));
  EXPECT_EQ(v4->port, 61016);
  const std::optional<Endpoint> v6 = ParseEndpoint("[::1]:0");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->address, At("::1"));
  EXPECT_EQ(v6->port, 0);
  EXPECT_EQ(ParseEndpoint("0.0.0.0:65535")->port, 65535);
  for (const char* text : {"",
                           ":",
                           ":80",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1: 1",
                           "127.0.0.1:1 ",
                           "127.0.0.1:000080",
                           "localhost:1",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[127.0.0.1]:80",
                           "[]:80",
                           "[[::1]]:80",
                           "[::1%lo]:80",
                           "127.0.0.1:80:80"}) {
    EXPECT_FALSE(ParseEndpoint(text)) << text;
  }
}

struct Forwarded {
  const char* peer;
  const char* header;
  const char* client;
};

TEST(ClientAddress, IsTheRightmostThatIsNotTrusted) {
  const AddressSet trusted = Set({"10.0.0.0/8", "2001:db8:1::/48"});
  const Forwarded kCases[] = {
      {"192.0.2.1", "198.51.100.1", "192.0.2.1"},  // an untrusted peer says what it likes
      {"192.0.2.1", "10.0.0.1", "192.0.2.1"},
      {"10.0.0.1", "", "10.0.0.1"},
      {"10.0.0.1", "198.51.100.1", "198.51.100.1"},
      {"10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"},  // the left one was forged
      {"10.0.0.1", "198.51.100.1,10.0.0.2", "198.51.100.1"},
      {"10.0.0.1", "198.51.100.1 ,\t10.0.0.2 , 10.0.0.3 ", "198.51.100.1"},
      {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},  // all trusted: the first of them
      {"10.0.0.1", "198.51.100.1:4711", "198.51.100.1"},
      {"10.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"},
      {"10.0.0.1", "[2001:db8::9]", "2001:db8::9"},
      {"10.0.0.1", "2001:db8::9", "2001:db8::9"},
      {"10.0.0.1", "2001:db8::9, 2001:db8:1::5", "2001:db8::9"},
      {"2001:db8:1::1", "::ffff:198.51.100.1", "198.51.100.1"},
      {"10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"},  // garbage: no further than the last good
      {"10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"},
      {"10.0.0.1", "198.51.100.1,", "10.0.0.1"},
      {"10.0.0.1", ",,,", "10.0.0.1"},
      {"10.0.0.1", "198.51.100.1, ,10.0.0.2", "10.0.0.2"},
      {"10.0.0.1", "\"198.51.100.1\"", "10.0.0.1"},
      {"10.0.0.1", "for=198.51.100.1", "10.0.0.1"},
      {"10.0.0.1", "198.51.100.1:99999", "10.0.0.1"},
      {"10.0.0.1", "[", "10.0.0.1"},
  };
  for (const Forwarded& c : kCases) {
    EXPECT_EQ(ClientAddress(At(c.peer), c.header, trusted).ToText(), c.client) << c.header;
  }
  EXPECT_EQ(ClientAddress(At("10.0.0.1"), "198.51.100.1", AddressSet()), At("10.0.0.1"));
}

TEST(ClientAddress, LongHeadersAreReadToALimit) {
  const AddressSet trusted = Set({"10.0.0.0/8"});
  std::string header = "198.51.100.1";
  for (int i = 0; i < 40; ++i) header += ", 10.0.0.2";
  EXPECT_EQ(ClientAddress(At("10.0.0.1"), header, trusted), At("198.51.100.1"));
  for (int i = 0; i < 100'000; ++i) header += ", 10.0.0.2";
  EXPECT_EQ(ClientAddress(At("10.0.0.1"), header, trusted), At("10.0.0.2"));
  // An entry that is too long is garbage, whatever its end looks like.
  for (char filler : {'x', ' '}) {
    header = "203.0.113.5," + std::string(1'000'000, filler) + "198.51.100.1";
    EXPECT_EQ(ClientAddress(At("10.0.0.1"), header, trusted), At("10.0.0.1"));
    header += ",10.0.0.9";
    EXPECT_EQ(ClientAddress(At("10.0.0.1"), header, trusted), At("10.0.0.9"));
  }
}

}  // namespace
}  // namespace latchkey::http
