#include "crypto/secret.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <new>
#include <ostream>
#include <thread>
#include <type_traits>
#include <vector>

#include "crypto/digest.h"
#include "crypto/key_format.h"
#include "crypto/pepper.h"

namespace latchkey {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(Streamable<int>);
static_assert(!Streamable<SecretBytes>);
static_assert(!Streamable<GeneratedSecret>);
static_assert(!Streamable<InnerDigest>);
static_assert(!Streamable<TagKey>);
static_assert(!Streamable<PepperFile>);
static_assert(!Streamable<PepperFile::Entry>);
static_assert(!Streamable<PepperRing>);

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
static_assert(!std::is_copy_constructible_v<GeneratedSecret>);
static_assert(!std::is_move_constructible_v<GeneratedSecret>);
static_assert(!std::is_copy_constructible_v<PepperRing>);

TEST(InitCrypto, IsIdempotentFromAnyThread) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([] { EXPECT_TRUE(InitCrypto().ok()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(InitCrypto().ok());
}

TEST(Wipe, OverwritesExactlyWhatItIsGiven) {
  uint8_t bytes[] = {1, 2, 3, 4, 5};
  Wipe(bytes + 1, 3);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[1] | bytes[2] | bytes[3], 0);
  EXPECT_EQ(bytes[4], 5);
}

SecretBytes MakeFilled(size_t size, uint8_t value) {
  Result<SecretBytes> made = SecretBytes::Make(size);
  EXPECT_TRUE(made.ok());
  for (uint8_t& byte : made->ExposeForWriting()) byte = value;
  return std::move(made).value();
}

TEST(SecretBytes, BeginZeroed) {
  for (size_t size : {1, 31, 32, 4096, 5000}) {
    Result<SecretBytes> made = SecretBytes::Make(size);
    ASSERT_TRUE(made.ok());
    ASSERT_EQ(made->size(), size);
    for (uint8_t byte : made->Expose()) ASSERT_EQ(byte, 0) << size;
  }
}

TEST(SecretBytes, OfNoBytesAreEmpty) {
  Result<SecretBytes> made = SecretBytes::Make(0);
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->empty());
  EXPECT_TRUE(made->Expose().empty());
}

TEST(SecretBytes, MoreThanThereIsAreRefused) {
  EXPECT_EQ(SecretBytes::Make(~size_t{0} - 100).code(), Code::kInternal);
}

TEST(SecretBytes, MovingLeavesTheSourceEmpty) {
  SecretBytes first = MakeFilled(32, 7);
  const uint8_t* memory = first.Expose().data();
  SecretBytes second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT: what is left is the point
  EXPECT_EQ(first.Expose().data(), nullptr);
  EXPECT_EQ(second.Expose().data(), memory);

  SecretBytes third = MakeFilled(8, 9);
  third = std::move(second);
  EXPECT_TRUE(second.empty());  // NOLINT
  ASSERT_EQ(third.size(), 32U);
  EXPECT_EQ(third.Expose()[31], 7);

  SecretBytes& alias = third;
  third = std::move(alias);
  ASSERT_EQ(third.size(), 32U);
  EXPECT_EQ(third.Expose()[0], 7);
}

// A child that a host starts by fork() has no use for the pepper. It may run the destructors all
// the same.
TEST(SecretBytes, AreZerosInAChildProcess) {
  for (size_t size : {1, 32, 4096, 5000}) {
    auto secret = std::make_unique<SecretBytes>(MakeFilled(size, 7));
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int found = 0;
      for (uint8_t byte : secret->Expose()) found += byte != 0 ? 1 : 0;
      secret.reset();
      _exit(found == 0 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << size;
    EXPECT_EQ(secret->Expose()[size - 1], 7);
  }
}

TEST(SecretBuffer, SaysOnlyWhatCounts) {
  SecretBuffer<16> buffer;
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_TRUE(buffer.Expose().empty());
  EXPECT_EQ(buffer.ExposeForWriting().size(), 16U);
  buffer.ExposeForWriting()[0] = 'a';
  buffer.ExposeForWriting()[1] = 'b';
  buffer.set_size(2);
  EXPECT_EQ(buffer.Expose(), "ab");
}

TEST(SecretBuffer, IsWipedInFullWhenItEnds) {
  using Buffer = SecretBuffer<64>;
  alignas(Buffer) unsigned char storage[sizeof(Buffer)];
  Buffer* buffer = new (storage) Buffer;
  for (uint8_t& byte : buffer->ExposeForWriting()) byte = 0xA5;
  buffer->set_size(1);  // what does not count was written too
  buffer->~Buffer();
  // Volatile: the compiler takes the storage for dead.
  const volatile unsigned char* left = storage;
  for (size_t i = 0; i < 64; ++i) EXPECT_EQ(left[i], 0) << i;
}

}  // namespace
}  // namespace latchkey
