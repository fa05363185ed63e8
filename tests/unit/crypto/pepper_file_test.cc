#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "base/limits.h"
#include "crypto/pepper.h"
#include "unit/crypto/support.h"

namespace latchkey {
namespace {

using test::ScratchFolder;
using test::ToHex;
using test::WriteFile;

constexpr const char* kHeader = "latchkey-pepper 1\n";
constexpr const char* kHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
constexpr const char* kOtherHex =
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";

std::string Line(const std::string& version, const std::string& hex = kHex) {
  return version + " " + hex + "\n";
}

Result<PepperFile> LoadText(const std::string& text) {
  const ScratchFolder folder;
  WriteFile(folder / "pepper", text);
  return PepperFile::Load(folder / "pepper");
}

bool NoEntropy(uint8_t*, size_t) { return false; }

TEST(PepperFileLoad, ReadsEveryVersion) {
  const Result<PepperFile> file =
      LoadText(kHeader + Line("1") + Line("7", kOtherHex) + Line("4294967295"));
  ASSERT_TRUE(file.ok()) << file.status().why();
  ASSERT_EQ(file->entries().size(), 3U);
  EXPECT_EQ(file->entries()[0].version, 1U);
  EXPECT_EQ(ToHex(file->entries()[0].pepper.Expose()), kHex);
  EXPECT_EQ(file->entries()[1].version, 7U);
  EXPECT_EQ(ToHex(file->entries()[1].pepper.Expose()), kOtherHex);
  EXPECT_EQ(file->entries()[2].version, 4294967295U);
}

TEST(PepperFileLoad, RefusesWhateverIsNotInTheFormat) {
  const std::string upper = "ABCDEF030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
  const std::string texts[] = {
      "",
      "\n",
      "latchkey-pepper 1",
      kHeader,
      "latchkey-pepper 2\n" + Line("1"),
      "Latchkey-pepper 1\n" + Line("1"),
      " latchkey-pepper 1\n" + Line("1"),
      "latchkey-pepper 1\r\n" + Line("1"),
      "\n" + std::string(kHeader) + Line("1"),
      Line("1"),
      kHeader + Line("0"),
      kHeader + Line("01"),
      kHeader + Line("+1"),
      kHeader + Line("-1"),
      kHeader + Line("1x"),
      kHeader + Line(""),
      kHeader + Line("4294967296"),
      kHeader + Line("99999999999999999999"),
      kHeader + Line(" 1"),
      kHeader + Line("1 "),
      kHeader + Line("1") + Line("1"),  // twice
      kHeader + Line("2") + Line("1"),  // descending
      kHeader + Line("1") + "\n",       // trailing garbage
      kHeader + Line("1") + "x",
      kHeader + Line("1") + "# comment\n",
      kHeader + Line("1") + std::string(1, '\0'),
      kHeader + ("1 " + std::string(kHex)),  // cut short of its line feed
      kHeader + ("1 " + std::string(kHex) + "\r\n"),
      kHeader + ("1\t" + std::string(kHex) + "\n"),
      kHeader + Line("1", std::string(kHex).substr(1)),
      kHeader + Line("1", std::string(kHex) + "0"),
      kHeader + Line("1", std::string(kHex) + "00"),
      kHeader + Line("1", std::string(kHex) + " "),
      kHeader + Line("1", ""),
      kHeader + Line("1", upper),
      kHeader + Line("1", "g" + std::string(kHex).substr(1)),
      kHeader + Line("1", " " + std::string(kHex).substr(1)),
  };
  for (const std::string& text : texts) {
    EXPECT_EQ(LoadText(text).code(), Code::kWrongPepper) << testing::PrintToString(text);
  }
}

TEST(PepperFileLoad, RefusesEveryForeignDigit) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string hex = kHex;
    hex[5] = static_cast<char>(byte);
    const bool due = ByteView("0123456789abcdef").find(hex[5]) != ByteView::npos;
    EXPECT_EQ(LoadText(kHeader + Line("1", hex)).ok(), due) << byte;
  }
}

TEST(PepperFileLoad, TakesAtMost16Versions) {
  std::string text = kHeader;
  for (size_t i = 1; i <= limits::kPepperVersionsMax; ++i) text += Line(std::to_string(i));
  const Result<PepperFile> file = LoadText(text);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->entries().size(), 16U);
  EXPECT_EQ(LoadText(text + Line("17")).code(), Code::kWrongPepper);
}

TEST(PepperFileLoad, RefusesMoreThan4KiB) {
  const Result<PepperFile> file = LoadText(std::string(4097, 'x'));
  EXPECT_STREQ(file.status().why(), "the pepper file is longer than 4 KiB");
}

TEST(PepperFileLoad, RefusesAFileThatOthersMayUse) {
  const ScratchFolder folder;
  for (mode_t mode = 0; mode <= 077; ++mode) {
    WriteFile(folder / "pepper", kHeader + Line("1"), 0600 | mode);
    const Result<PepperFile> file = PepperFile::Load(folder / "pepper");
    EXPECT_EQ(file.ok(), mode == 0) << mode;
    if (mode == 0) continue;
    EXPECT_EQ(file.code(), Code::kWrongPepper);
    EXPECT_NE(ByteView(file.status().why()).find("chmod 600"), ByteView::npos);
  }
  WriteFile(folder / "stricter", kHeader + Line("1"), 0400);
  EXPECT_TRUE(PepperFile::Load(folder / "stricter").ok());
}

TEST(PepperFileLoad, RefusesWhatIsNotARegularFile) {
  const ScratchFolder folder;
  WriteFile(folder / "pepper", kHeader + Line("1"));
  ASSERT_EQ(symlink((folder / "pepper").c_str(), (folder / "link").c_str()), 0);
  ASSERT_EQ(mkdir((folder / "folder").c_str(), 0700), 0);
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);  // must not be waited for
  EXPECT_EQ(PepperFile::Load(folder / "link").code(), Code::kWrongPepper);
  for (const char* name : {"folder", "fifo"}) {
    const Result<PepperFile> file = PepperFile::Load(folder / name);
    EXPECT_EQ(file.code(), Code::kWrongPepper) << name;
    EXPECT_STREQ(file.status().why(), "the pepper file is not a regular file") << name;
  }
}

TEST(PepperFileLoad, MissingFileIsNotMade) {
  const ScratchFolder folder;
  EXPECT_EQ(PepperFile::Load(folder / "pepper").code(), Code::kWrongPepper);
  EXPECT_TRUE(folder.empty());
}

TEST(PepperFileCreate, MakesWhatLoadReads) {
  const ScratchFolder folder;
  Random random;
  const Result<PepperFile> made = PepperFile::Create(folder / "pepper", random);
  ASSERT_TRUE(made.ok()) << made.status().why();
  ASSERT_EQ(made->entries().size(), 1U);
  EXPECT_EQ(made->entries()[0].version, 1U);

  struct stat info;
  ASSERT_EQ(stat((folder / "pepper").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, mode_t{0600});
  const std::string hex = ToHex(made->entries()[0].pepper.Expose());
  EXPECT_EQ(test::ReadFile(folder / "pepper"), kHeader + Line("1", hex));

  const Result<PepperFile> loaded = PepperFile::Load(folder / "pepper");
  ASSERT_TRUE(loaded.ok()) << loaded.status().why();
  EXPECT_EQ(ToHex(loaded->entries()[0].pepper.Expose()), hex);

  const Result<PepperFile> other = PepperFile::Create(folder / "other", random);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(ToHex(other->entries()[0].pepper.Expose()), hex);
}

TEST(PepperFileCreate, ReplacesNothing) {
  const ScratchFolder folder;
  Random random;
  WriteFile(folder / "pepper", "what was there");
  ASSERT_EQ(symlink((folder / "nowhere").c_str(), (folder / "link").c_str()), 0);
  EXPECT_EQ(PepperFile::Create(folder / "pepper", random).code(), Code::kConflict);
  EXPECT_EQ(PepperFile::Create(folder / "link", random).code(), Code::kConflict);
  EXPECT_EQ(test::ReadFile(folder / "pepper"), "what was there");
  EXPECT_FALSE(std::filesystem::exists(folder / "nowhere"));
}

TEST(PepperFileCreate, WithoutEntropyNothingIsMade) {
  const ScratchFolder folder;
  Random random(&NoEntropy);
  EXPECT_EQ(PepperFile::Create(folder / "pepper", random).code(), Code::kInternal);
  EXPECT_TRUE(folder.empty());
}

TEST(PepperFileCreate, FolderMustExist) {
  const ScratchFolder folder;
  Random random;
  EXPECT_EQ(PepperFile::Create(folder / "missing/pepper", random).code(), Code::kIo);
}

// A limit on the size of files stands for a device that fills up in the middle of the write.
TEST(PepperFileCreate, HalfAFileIsTakenBack) {
  const ScratchFolder folder;
  Random random;
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit ten_bytes{10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &ten_bytes), 0);
  const Result<PepperFile> made = PepperFile::Create(folder / "pepper", random);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(made.code(), Code::kIo);
  EXPECT_TRUE(folder.empty());
}

}  // namespace
}  // namespace latchkey
