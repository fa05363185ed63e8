// Welch's t-test between two classes of timings, over all of them and over what is left when the
// slowest are cut off at several thresholds, as in dudect (Reparaz, Balasch, Verbauwhede, 2017): an
// interrupt in a few samples hides a small difference, and the cropped tests find it again.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace latchkey::timing {

// Mean and variance of what was added, by Welford's method.
class Moments {
 public:
  void Add(double x) {
    ++count_;
    const double delta = x - mean_;
    mean_ += delta / static_cast<double>(count_);
    sum_of_squares_ += delta * (x - mean_);
  }
  uint64_t count() const { return count_; }
  double mean() const { return mean_; }
  double variance() const {
    return count_ < 2 ? 0 : sum_of_squares_ / static_cast<double>(count_ - 1);
  }

 private:
  uint64_t count_ = 0;
  double mean_ = 0;
  double sum_of_squares_ = 0;
};

// 0 while a class has too few samples for the normal distribution to be a fair judge.
inline double WelchT(const Moments& a, const Moments& b) {
  constexpr uint64_t kCountMin = 5000;
  if (a.count() < kCountMin || b.count() < kCountMin) return 0;
  const double error =
      a.variance() / static_cast<double>(a.count()) + b.variance() / static_cast<double>(b.count());
  return error > 0 ? (a.mean() - b.mean()) / std::sqrt(error) : 0;
}

struct Finding {
  double t = 0;                 // of the test that is farthest from 0
  double difference_ticks = 0;  // of the means in that test: class 0 less class 1
};

// Takes samples of the classes 0 and 1. The first kCalibrationCount only set the thresholds.
class TwoClasses {
 public:
  static constexpr size_t kCalibrationCount = 20'000;

  void Add(unsigned one, uint64_t ticks) {
    if (calibration_.size() < kCalibrationCount) {
      calibration_.push_back(ticks);
      if (calibration_.size() == kCalibrationCount) SetThresholds();
      return;
    }
    const auto x = static_cast<double>(ticks);
    for (size_t i = 0; i < kTests; ++i) {
      if (ticks <= thresholds_[i]) moments_[i][one].Add(x);
    }
  }
  Finding Farthest() const {
    Finding farthest;
    for (const auto& [zero, one] : moments_) {
      const double t = WelchT(zero, one);
      if (std::abs(t) > std::abs(farthest.t)) farthest = {t, zero.mean() - one.mean()};
    }
    return farthest;
  }

 private:
  static constexpr size_t kTests = 12;  // the first without a threshold

  void SetThresholds() {
    std::sort(calibration_.begin(), calibration_.end());
    thresholds_[0] = UINT64_MAX;
    for (size_t i = 1; i < kTests; ++i) {
      // Closer together towards the fast end, where the noise is least.
      const double share = 1 - std::pow(0.5, 10.0 * static_cast<double>(i) / kTests);
      const auto at = static_cast<size_t>(share * static_cast<double>(kCalibrationCount - 1));
      thresholds_[i] = calibration_[at];
    }
  }

  struct Pair {
    Moments zero;
    Moments one;
    Moments& operator[](unsigned which) { return which == 0 ? zero : one; }
  };
  std::vector<uint64_t> calibration_;
  std::array<uint64_t, kTests> thresholds_{};
  std::array<Pair, kTests> moments_{};
};

}  // namespace latchkey::timing
