// What a whole latchkey_verify() takes by the state of what is presented, in one interleaved run:
// published, not judged. The header promises that unknown, revoked, expired, locked and right do
// the same work; that no two are told apart by their time it does not.
//
//   verify_classes [--samples N]     of each class; 200,000 unless given
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "latchkey/latchkey.hpp"
#include "support/temp_dir.h"
#include "timing/ticks.h"
#include "timing/welch.h"

namespace latchkey::timing {
namespace {

constexpr size_t kKeys = 64;  // of each class
constexpr size_t kPrefixSize = 13;
constexpr size_t kBodySize = 30;

struct Class {
  const char* name;
  uint32_t reason;
  std::vector<std::string> secrets = {};
  Moments all = {};
  std::vector<uint64_t> ticks = {};
};

enum : size_t { kUnknown, kFirst, kMiddle, kLast, kRevoked, kExpired, kLocked, kRight };

// Another character of the alphabet, one bit away.
char OneBitOff(char c) {
  for (int bit = 0; bit < 7; ++bit) {
    const char other = static_cast<char>(c ^ (1 << bit));
    const bool is_letter = (other >= 'a' && other <= 'z') || (other >= 'A' && other <= 'Z');
    if (is_letter || (other >= '0' && other <= '9')) return other;
  }
  throw std::logic_error("every digit and letter has a neighbour");
}

std::string WithOneBitOff(std::string secret, size_t at) {
  secret[kPrefixSize + at] = OneBitOff(secret[kPrefixSize + at]);
  return secret;
}

std::string MakeKey(Store& store, const Uuid& owner, const char* name, Uuid* uuid, bool brief) {
  NewCredential wanted = {owner, LATCHKEY_KIND_USER_KEY, name};
  if (brief) wanted.ttl_s = 1;
  const Issued made = store.create_credential(wanted);
  *uuid = made.credential.uuid;
  return std::string(made.secret.reveal());
}

void MakeSecrets(Store& store, std::vector<Class>* classes, std::mt19937_64& random) {
  constexpr char kBase62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const Uuid user = store.create_owner({LATCHKEY_OWNER_USER, "Muriel Bagge"}).uuid;
  const Uuid locked = store.create_owner({LATCHKEY_OWNER_USER, "Eustace Bagge"}).uuid;
  Uuid uuid = {};
  const auto put = [&](size_t which, std::string secret) {
    (*classes)[which].secrets.push_back(std::move(secret));
  };
  for (size_t i = 0; i < kKeys; ++i) {
    std::string unknown = "bencher_user_";
    for (size_t j = 0; j < kBodySize; ++j) unknown.push_back(kBase62[random() % 62]);
    put(kUnknown, unknown);
    const std::string right = MakeKey(store, user, "right", &uuid, false);
    put(kFirst, WithOneBitOff(right, 0));
    put(kMiddle, WithOneBitOff(right, kBodySize / 2));
    put(kLast, WithOneBitOff(right, kBodySize - 1));
    put(kRight, right);
    put(kExpired, MakeKey(store, user, "expired", &uuid, true));
    put(kLocked, MakeKey(store, locked, "locked", &uuid, false));
    put(kRevoked, MakeKey(store, user, "revoked", &uuid, false));
    store.revoke(uuid);
  }
  OwnerChange change;
  change.locked = true;
  store.update_owner(locked, change);
}

uint64_t TimeOne(latchkey_store* store, const std::string& secret,
                 const latchkey_verify_options& options, uint32_t reason) {
  latchkey_verdict verdict{};
  verdict.struct_size = sizeof verdict;
  const uint64_t before = TicksBefore();
  const latchkey_code code =
      latchkey_verify(store, secret.data(), secret.size(), &options, &verdict);
  const uint64_t ticks = TicksAfter() - before;
  if (verdict.reason != reason || (code == LATCHKEY_OK) != (reason == LATCHKEY_REASON_ALLOWED)) {
    throw std::runtime_error(std::string("a verdict is wrong: ") +
                             latchkey_reason_text(verdict.reason));
  }
  return ticks;
}

// The mean of the faster nine tenths.
double Trimmed(std::vector<uint64_t> ticks, Moments* kept) {
  std::sort(ticks.begin(), ticks.end());
  ticks.resize(ticks.size() * 9 / 10);
  for (uint64_t one : ticks) kept->Add(static_cast<double>(one));
  return kept->mean();
}

void Report(const std::vector<Class>& classes, double ticks_per_ns) {
  Moments unknown;
  const double base = Trimmed(classes[kUnknown].ticks, &unknown);
  std::printf("%-26s %9s %9s %9s %8s %8s\n", "class", "median ns", "mean ns", "- unknown",
              "Cohen's d", "t");
  for (const Class& one : classes) {
    Moments kept;
    const double mean = Trimmed(one.ticks, &kept);
    std::vector<uint64_t> ticks = one.ticks;
    std::nth_element(ticks.begin(), ticks.begin() + static_cast<long>(ticks.size() / 2),
                     ticks.end());
    const double spread = std::sqrt((kept.variance() + unknown.variance()) / 2);
    std::printf("%-26s %9.1f %9.1f %+9.1f %+8.3f %+8.1f\n", one.name,
                static_cast<double>(ticks[ticks.size() / 2]) / ticks_per_ns, mean / ticks_per_ns,
                (mean - base) / ticks_per_ns, (mean - base) / spread, WelchT(kept, unknown));
  }
}

int Main(size_t samples) {
  std::vector<Class> classes = {
      {"unknown", LATCHKEY_REASON_UNKNOWN},
      {"one bit off: first byte", LATCHKEY_REASON_UNKNOWN},
      {"one bit off: middle byte", LATCHKEY_REASON_UNKNOWN},
      {"one bit off: last byte", LATCHKEY_REASON_UNKNOWN},
      {"revoked", LATCHKEY_REASON_REVOKED},
      {"expired", LATCHKEY_REASON_EXPIRED},
      {"locked", LATCHKEY_REASON_LOCKED},
      {"right", LATCHKEY_REASON_ALLOWED},
  };
  std::mt19937_64 random(std::random_device{}());
  const test::TempDir dir;
  const std::string path = dir / "store";
  auto open = sized<latchkey_open_options>();
  open.path = path.c_str();
  open.mode = LATCHKEY_OPEN_CREATE;
  Store store = Store::open(open);
  MakeSecrets(store, &classes, random);

  auto options = sized<latchkey_verify_options>();
  options.at_s = store.stats().time_s + 10;  // by then the brief ones have expired
  const TickRate rate;
  std::vector<size_t> order(classes.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (size_t done = 0; done < samples; ++done) {
    std::shuffle(order.begin(), order.end(), random);
    for (size_t which : order) {
      Class& one = classes[which];
      const std::string& secret = one.secrets[random() % kKeys];
      one.ticks.push_back(TimeOne(store.handle(), secret, options, one.reason));
    }
  }
  Report(classes, rate.per_ns());
  std::printf("verify_classes: tried %zu of each class, wrong 0\n", samples);
  return 0;
}

}  // namespace
}  // namespace latchkey::timing

int main(int argc, char** argv) {
  try {
    const bool given = argc == 3 && std::strcmp(argv[1], "--samples") == 0;
    return latchkey::timing::Main(given ? std::strtoull(argv[2], nullptr, 10) : 200'000);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "verify_classes: %s\n", error.what());
    return 1;
  }
}
