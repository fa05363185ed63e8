// latchkeyd's flags and environment, and what is said about wrong ones.
#include "bindings/http/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

namespace latchkey::http {
namespace {

// Variables of the machine that runs the test are not the test's.
class OptionsTest : public testing::Test {
 protected:
  OptionsTest() { Clear(); }
  ~OptionsTest() override { Clear(); }

  static Options Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "latchkeyd");
    return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
  }
  // What is said about a wrong line; empty if it is not wrong.
  static std::string Complaint(const std::vector<const char*>& arguments) {
    try {
      Parse(arguments);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
  static std::string Help(const char* flag) {
    try {
      Parse({flag});
    } catch (const HelpAsked& help) {
      return help.what();
    }
    return "";
  }

 private:
  static void Clear() {
    for (const char* name : {"STORE",
                             "PEPPER_FILE",
                             "CREATE",
                             "LISTEN",
                             "METRICS_LISTEN",
                             "TLS_CERT",
                             "TLS_KEY",
                             "REQUIRE_TLS",
                             "JWT_SECRET_FILE",
                             "ISSUER",
                             "ACCEPT_UNTRACKED_TOKENS",
                             "LOG",
                             "API_VERSION",
                             "GUESS_BURST",
                             "GUESS_RATE",
                             "TRUSTED_PROXY",
                             "THREADS",
                             "DRAIN",
                             "REQUEST_TIMEOUT",
                             "CLOCK_FILE"}) {
      unsetenv((std::string("LATCHKEY_") + name).c_str());
    }
  }
};

TEST_F(OptionsTest, Defaults) {
  const Options options = Parse({});
  EXPECT_EQ(options.store_path, "./latchkey-data");
  EXPECT_EQ(options.pepper_path, "");
  EXPECT_FALSE(options.create);
  EXPECT_EQ(options.listen.ToText(), "127.0.0.1:61016");
  ASSERT_TRUE(options.metrics_listen);
  EXPECT_EQ(options.metrics_listen->ToText(), "127.0.0.1:61017");
  EXPECT_FALSE(options.tls());
  EXPECT_FALSE(options.require_tls);
  EXPECT_EQ(options.jwt_secret_path, "");
  EXPECT_EQ(options.issuer, "http://localhost:3000/");
  EXPECT_FALSE(options.accept_untracked_tokens);
  EXPECT_EQ(options.log, Log::Format::kText);
  EXPECT_EQ(options.api_version, "0.6.12");
  EXPECT_EQ(options.guess_burst, 200u);
  EXPECT_EQ(options.guess_rate_per_s, 10u);
  EXPECT_TRUE(options.trusted_proxies.empty());
  EXPECT_GE(options.threads, 1u);
  EXPECT_EQ(options.request_timeout_s, 30u);
  EXPECT_EQ(options.drain_s, 30u);
  EXPECT_EQ(options.clock_path, "");
  EXPECT_FALSE(options.routes);
}

TEST_F(OptionsTest, EveryFlag) {
  const Options options = Parse({"--store",
                                 "data//",
                                 "--pepper-file=pepper",
                                 "--create",
                                 "--listen",
                                 "[::]:8443",
                                 "--metrics-listen",
                                 "off",
                                 "--tls-cert",
                                 "cert.pem",
                                 "--tls-key",
                                 "key.pem",
                                 "--require-tls",
                                 "--jwt-secret-file",
                                 "secret",
                                 "--issuer",
                                 "https://example.org/",
                                 "--accept-untracked-tokens",
                                 "--log",
                                 "json",
                                 "--api-version",
                                 "1.2.3-rc.1",
                                 "--guess-burst",
                                 "7",
                                 "--guess-rate",
                                 "3",
                                 "--trusted-proxy",
                                 "10.0.0.0/8",
                                 "--trusted-proxy",
                                 "::1",
                                 "--threads",
                                 "4",
                                 "--request-timeout",
                                 "5",
                                 "--drain",
                                 "0",
                                 "--memory-budget",
                                 "64",
                                 "--directory-budget",
                                 "1048576",
                                 "--backup-dir",
                                 "backups",
                                 "--backup-every",
                                 "3600",
                                 "--backup-keep",
                                 "24",
                                 "--clock-file",
                                 "clock",
                                 "--routes"});
  EXPECT_EQ(options.store_path, "data");
  EXPECT_EQ(options.pepper_path, "pepper");
  EXPECT_TRUE(options.create);
  EXPECT_EQ(options.memory_budget_bytes, uint64_t{64} << 20);
  EXPECT_EQ(options.directory_budget_bytes, uint64_t{1} << 40);
  EXPECT_EQ(options.backup_path, "backups");
  EXPECT_EQ(options.backup_every_s, 3600u);
  EXPECT_EQ(options.backup_keep, 24u);
  EXPECT_EQ(options.listen.ToText(), "[::]:8443");
  EXPECT_FALSE(options.metrics_listen);
  EXPECT_TRUE(options.tls());
  EXPECT_EQ(options.tls_cert_path, "cert.pem");
  EXPECT_EQ(options.tls_key_path, "key.pem");
  EXPECT_TRUE(options.require_tls);
  EXPECT_EQ(options.jwt_secret_path, "secret");
  EXPECT_EQ(options.issuer, "https://example.org/");
  EXPECT_TRUE(options.accept_untracked_tokens);
  EXPECT_EQ(options.log, Log::Format::kJson);
  EXPECT_EQ(options.api_version, "1.2.3-rc.1");
  EXPECT_EQ(options.guess_burst, 7u);
  EXPECT_EQ(options.guess_rate_per_s, 3u);
  EXPECT_TRUE(options.trusted_proxies.Contains(*Address::Parse("10.9.9.9")));
  EXPECT_TRUE(options.trusted_proxies.Contains(*Address::Parse("::1")));
  EXPECT_EQ(options.threads, 4u);
  EXPECT_EQ(options.request_timeout_s, 5u);
  EXPECT_EQ(options.drain_s, 0u);
  EXPECT_EQ(options.clock_path, "clock");
  EXPECT_TRUE(options.routes);
}

TEST_F(OptionsTest, TheEnvironmentSpeaksWhereNoFlagDoes) {
  setenv("LATCHKEY_STORE", "from-environment", 1);
  setenv("LATCHKEY_LISTEN", "127.0.0.1:0", 1);
  setenv("LATCHKEY_METRICS_LISTEN", "off", 1);
  setenv("LATCHKEY_CREATE", "true", 1);
  setenv("LATCHKEY_REQUIRE_TLS", "0", 1);
  setenv("LATCHKEY_TRUSTED_PROXY", "10.0.0.0/8,192.0.2.1", 1);
  setenv("LATCHKEY_LOG", "", 1);  // empty is not given
  Options options = Parse({});
  EXPECT_EQ(options.store_path, "from-environment");
  EXPECT_EQ(options.listen.port, 0);
  EXPECT_FALSE(options.metrics_listen);
  EXPECT_TRUE(options.create);
  EXPECT_FALSE(options.require_tls);
  EXPECT_TRUE(options.trusted_proxies.Contains(*Address::Parse("192.0.2.1")));
  EXPECT_EQ(options.log, Log::Format::kText);
  options = Parse({"--store", "from-flag", "--trusted-proxy", "::1"});
  EXPECT_EQ(options.store_path, "from-flag");
  EXPECT_FALSE(options.trusted_proxies.Contains(*Address::Parse("192.0.2.1")));
}

TEST_F(OptionsTest, AWrongValueNamesItsFlagAndTheRule) {
  const struct {
    const char* flag;
    const char* value;
    const char* rule;
  } kCases[] = {
      {"--listen", "localhost:1", "an address and a port"},
      {"--listen", "127.0.0.1", "an address and a port"},
      {"--listen", "off", "an address and a port"},
      {"--metrics-listen", "none", "an address and a port"},
      {"--log", "xml", "text, json or off"},
      {"--threads", "0", "a whole number from 1 to 256"},
      {"--threads", "257", "a whole number from 1 to 256"},
      {"--threads", "4x", "a whole number from 1 to 256"},
      {"--request-timeout", "0", "a whole number from 1 to 3600"},
      {"--drain", "3601", "a whole number from 0 to 3600"},
      {"--guess-burst", "-1", "a whole number from 0 to 1000000"},
      {"--guess-burst", "4294967296", "a whole number from 0 to 1000000"},
      {"--guess-rate", "1.5", "a whole number from 0 to 1000000"},
      {"--memory-budget", "0", "a whole number from 1 to 1048576"},
      {"--directory-budget", "1048577", "a whole number from 1 to 1048576"},
      {"--backup-every", "3600", "no backups without --backup-dir"},
      {"--backup-keep", "7", "no backups without --backup-dir"},
      {"--trusted-proxy", "10.0.0.1/8", "no bit set behind the /"},
      {"--trusted-proxy", "10.0.0.0/8,", "no bit set behind the /"},
      {"--api-version", "1 2", "a version such as"},
      {"--issuer", "a\nb", "without control characters"},
      {"--store", "", "a text of 1 to"},
  };
  for (const auto& c : kCases) {
    const std::string told = Complaint({c.flag, c.value});
    EXPECT_TRUE(told.starts_with(std::string("latchkeyd: ") + c.flag + ": ")) << told;
    EXPECT_NE(told.find(c.rule), std::string::npos) << c.flag << ' ' << c.value << ": " << told;
    EXPECT_TRUE(told.ends_with("\nlatchkeyd: See latchkeyd --help\n")) << told;
  }
  setenv("LATCHKEY_THREADS", "many", 1);
  EXPECT_TRUE(Complaint({}).starts_with("latchkeyd: LATCHKEY_THREADS: it is a whole number"));
  unsetenv("LATCHKEY_THREADS");
  setenv("LATCHKEY_CREATE", "perhaps", 1);
  EXPECT_TRUE(Complaint({}).starts_with("latchkeyd: LATCHKEY_CREATE: it is true or false"));
}

TEST_F(OptionsTest, WhatBelongsTogetherIsGivenTogether) {
  EXPECT_NE(Complaint({"--tls-cert", "c"}).find("given together"), std::string::npos);
  EXPECT_NE(Complaint({"--tls-key", "k"}).find("given together"), std::string::npos);
  EXPECT_NE(Complaint({"--accept-untracked-tokens"}).find("--jwt-secret-file"), std::string::npos);
  EXPECT_NE(Complaint({"--require-tls", "--listen", "0.0.0.0:1"}).find("--tls-cert"),
            std::string::npos);
  EXPECT_EQ(Complaint({"--require-tls", "--listen", "127.0.0.1:1"}), "");
  EXPECT_EQ(
      Complaint({"--require-tls", "--listen", "0.0.0.0:1", "--tls-cert", "c", "--tls-key", "k"}),
      "");
}

TEST_F(OptionsTest, BackupsHaveLimits) {
  const auto complaint = [](const char* flag, const char* value) {
    return Complaint({"--backup-dir", "d", flag, value});
  };
  EXPECT_NE(complaint("--backup-every", "59").find("from 60 to 31536000"), std::string::npos);
  EXPECT_NE(complaint("--backup-keep", "0").find("from 1 to 1000"), std::string::npos);
  EXPECT_EQ(complaint("--backup-every", "60"), "");
  EXPECT_EQ(Parse({}).backup_path, "");
}

TEST_F(OptionsTest, ZeroSwitchesTheThrottleOff) {
  EXPECT_EQ(Parse({"--guess-burst", "0"}).guess_burst, 0u);
  EXPECT_EQ(Parse({"--guess-rate", "0"}).guess_burst, 0u);
}

TEST_F(OptionsTest, WrongLines) {
  const std::vector<std::vector<const char*>> kLines = {{"--stor", "x"},
                                                        {"--store"},
                                                        {"--store="},
                                                        {"--store=", "x"},
                                                        {"--store", "--create"},
                                                        {"--store", "a", "--store", "b"},
                                                        {"--create=maybe"},
                                                        {"--create=false"},
                                                        {"--listen", "--help-x"},
                                                        {"serve"},
                                                        {"-x"},
                                                        {"--trusted-proxy", "10.0.0.0/8", "::1"},
                                                        {"--", "x"}};
  for (const auto& line : kLines) {
    EXPECT_NE(Complaint(line), "") << line.front();
  }
  EXPECT_TRUE(Complaint({"--stor=x"}).starts_with("latchkeyd: --stor: not understood\n"));
}

TEST_F(OptionsTest, NoComplaintRepeatsAValue) {
  const char* kSecret = "bencher_user_0123456789abcdefghijABCDEFGHIJ";
  const std::string together = std::string("--jwt-secret-file=") + kSecret;
  const std::string glued = std::string("--") + kSecret;
  const std::string with_switch = std::string("--create=") + kSecret;
  const std::vector<std::vector<const char*>> kLines = {
      {kSecret},
      {"--listen", kSecret},
      {"--metrics-listen", kSecret},
      {"--log", kSecret},
      {"--threads", kSecret},
      {"--trusted-proxy", kSecret},
      {"--api-version", kSecret},
      {"--key", kSecret},
      {"--jwt-secret", kSecret},
      {together.c_str(), kSecret},
      {together.c_str(), together.c_str()},
      {"--jwt-secret-file", kSecret, kSecret},
      {"--jwt-secret-file", kSecret, "--jwt-secret-file", kSecret},
      {with_switch.c_str()},
      {glued.c_str()}};
  for (const auto& line : kLines) {
    const std::string told = Complaint(line);
    EXPECT_NE(told, "") << line.front();
    EXPECT_EQ(told.find("0123456789"), std::string::npos) << told;
  }
  setenv("LATCHKEY_LISTEN", kSecret, 1);
  EXPECT_EQ(Complaint({}).find("0123456789"), std::string::npos);
}

TEST_F(OptionsTest, HelpAndVersion) {
  const std::string help = Help("--help");
  for (const char* flag : {"--store",
                           "--pepper-file",
                           "--create",
                           "--memory-budget",
                           "--directory-budget",
                           "--backup-dir",
                           "--backup-every",
                           "--backup-keep",
                           "--listen",
                           "--metrics-listen",
                           "--tls-cert",
                           "--tls-key",
                           "--require-tls",
                           "--jwt-secret-file",
                           "--issuer",
                           "--accept-untracked-tokens",
                           "--log",
                           "--api-version",
                           "--guess-burst",
                           "--guess-rate",
                           "--trusted-proxy",
                           "--threads",
                           "--drain",
                           "--clock-file",
                           "--routes",
                           "--help",
                           "--version",
                           "LATCHKEY_"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
  for (size_t begin = 0; begin < help.size();) {
    const size_t end = help.find('\n', begin);
    EXPECT_LE(end - begin, 100u) << help.substr(begin, end - begin);
    begin = end + 1;
  }
  EXPECT_EQ(Help("-h"), help);
  EXPECT_EQ(Help("--version"), "latchkeyd " LATCHKEY_VERSION "\n");
  EXPECT_EQ(Help("--create"), "");
}

}  // namespace
}  // namespace latchkey::http
