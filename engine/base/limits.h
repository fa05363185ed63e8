// Every limit of the engine, with its unit and its reason, in one place. What a caller may pass is
// repeated in include/latchkey/latchkey.h; capi/translate.cc asserts that the two agree.
#pragma once

#include <cstddef>
#include <cstdint>

namespace latchkey::limits {

inline constexpr size_t kNameCodePointsMax = 64;  // the pages of the specification
inline constexpr size_t kNameBytesMax = 4 * kNameCodePointsMax;
inline constexpr size_t kSlugBytesMax = 64;
inline constexpr size_t kSlugSuffixSize = 8;  // base36 after a collision
inline constexpr size_t kEmailBytesMin = 3;
inline constexpr size_t kEmailBytesMax = 254;      // RFC 5321 path length less the brackets
inline constexpr size_t kMetadataBytesMax = 4096;  // opaque to us, read with every record
inline constexpr size_t kReasonBytesMax = 256;     // why a revocation was made
inline constexpr size_t kSearchBytesMax = 1024;    // longer than any name, slug or UUID

inline constexpr int64_t kTtlMaxS = 4294967295;      // u32 of the reference system, 136 years
inline constexpr int64_t kSessionTtlMaxS = 2592000;  // 30 days
inline constexpr int64_t kTimeMaxS = 253402300799;   // 9999-12-31T23:59:59Z, last RFC 3339 year

inline constexpr size_t kSecretBytesMax = 8192;     // a legacy JWT with room; keys are < 100
inline constexpr size_t kJwtClaimsBytesMax = 6144;  // with header and signature, at most 6083 fit
inline constexpr size_t kJwtSecretBytesMax = 4096;
inline constexpr size_t kVerifyBatchMax = 65536;  // credentials in one verify_batch

inline constexpr uint32_t kPageSizeDefault = 8;

inline constexpr size_t kImportLineBytesMax = 64 * 1024;  // longest valid line is below 20 KiB
inline constexpr size_t kJsonDepthMax = 16;

inline constexpr size_t kGroupCommandsMax = 256;  // commands in one fsync
inline constexpr size_t kGroupBytesMax = 4 << 20;
inline constexpr size_t kSweepStepCredentials = 128;    // tombstones a sweep writes in one command
inline constexpr size_t kImportStepLines = 128;         // so that no revoke waits 50 ms
inline constexpr size_t kImportStepBytes = 256 * 1024;  // of their text
inline constexpr size_t kBulkStepLinesMin = 8192;       // into a store without credentials
inline constexpr size_t kBulkStepLinesMax = 32768;
inline constexpr size_t kBulkStepBytes = 8 << 20;
inline constexpr int64_t kBulkStepMs = 300;  // how long one group there should take
inline constexpr size_t kBulkBytesMax = 64 << 20;

inline constexpr uint16_t kHostKindMin = 256;  // kinds below are latchkey's own
inline constexpr uint16_t kHostKindMax = 511;  // 256 kinds of a host's own
inline constexpr size_t kKindPrefixBytesMin = 2;
inline constexpr size_t kKindPrefixBytesMax = 32;

inline constexpr size_t kPepperVersionsMax = 16;

}  // namespace latchkey::limits
