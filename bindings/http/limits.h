// Every limit of the host in one place. What a client sends beyond one of them is refused, and
// costs no more than the limit says.
#pragma once

#include <cstddef>
#include <cstdint>

namespace latchkey::http::limits {

// Connections. One address may not take them all.
inline constexpr unsigned kConnectionsMax = 1024;
inline constexpr unsigned kConnectionsPerAddressMax = 256;
// A connection on which nothing moves is closed after this.
inline constexpr unsigned kIdleTimeoutS = 60;
// A request has this long from its first line to its last byte, and its reply as long to be taken:
// who sends a byte a minute does not hold a connection for ever. Time that the host itself needs
// does not count.
inline constexpr uint32_t kRequestTimeoutS = 30;

// A request. The connection's memory holds its line and its headers, and is wiped after each
// request, which costs about a microsecond for every 32 KiB.
inline constexpr size_t kConnectionMemoryBytes = 32 * 1024;
inline constexpr size_t kTargetBytesMax = 8 * 1024;
inline constexpr size_t kHeadersMax = 100;
inline constexpr size_t kPathSegmentsMax = 16;
inline constexpr size_t kQueryParametersMax = 64;

// A body. What is longer is refused, once this much more has been read and dropped, so that a
// client which sends first and reads then sees the refusal.
inline constexpr size_t kBodyBytesMax = size_t{4} << 20;
inline constexpr size_t kBodyDroppedBytesMax = size_t{1} << 20;
// Of all requests together.
inline constexpr size_t kBodiesBytesMax = size_t{256} << 20;
inline constexpr size_t kJsonDepthMax = 8;

// Secrets in one POST /v0/verify, digests in one POST /v0/identify.
inline constexpr size_t kBatchMax = 1000;
inline constexpr size_t kPerPageMax = 255;

// Requests that may wait for the device run on threads of their own; so many may stand in line.
inline constexpr size_t kWaitersMax = 1024;
inline constexpr unsigned kWorkers = 16;

inline constexpr size_t kJwtSecretBytesMax = 4096;

// After a backup that failed.
inline constexpr uint32_t kBackupRetryS = 300;

}  // namespace latchkey::http::limits
