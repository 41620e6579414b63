// Connectionist temporal classification in plain loops over probabilities, in double precision: what kernels are
// held against. docs/equations.md.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace unroll {
namespace test {

struct PlainCtc {
  double loss = 0;
  std::vector<double> gradient;  // [T,C]
};

using Rows = std::vector<std::vector<double>>;

// blank, label, blank, ..., blank.
inline std::vector<size_t> ctcSymbols(const std::vector<int> &labels) {
  std::vector<size_t> symbols(2 * labels.size() + 1, 0);
  for (size_t k = 0; k < labels.size(); k++) symbols[2 * k + 1] = static_cast<size_t>(labels[k]);
  return symbols;
}

inline bool mayFollow(const std::vector<size_t> &symbols, size_t from, size_t to) {
  return to - from < 2 || (symbols[to] != 0 && symbols[to] != symbols[from]);
}

// Of one row of frames [T][C], with blank 0 and at least one frame that reads as the labels.
inline PlainCtc plainCtc(const Rows &logits, const std::vector<int> &labels) {
  size_t frames = logits.size(), classes = logits[0].size();
  std::vector<size_t> symbols = ctcSymbols(labels);
  size_t states = symbols.size();
  Rows y(frames, std::vector<double>(classes)), alpha(frames, std::vector<double>(states)), beta = alpha;
  for (size_t t = 0; t < frames; t++) {
    double sum = 0;
    for (double logit : logits[t]) sum += std::exp(logit);
    for (size_t c = 0; c < classes; c++) y[t][c] = std::exp(logits[t][c]) / sum;
    for (size_t s = 0; s < states; s++) {
      double ways = t == 0 && s < 2 ? 1 : 0;
      for (size_t from = s < 2 ? 0 : s - 2; t > 0 && from <= s; from++) {
        if (mayFollow(symbols, from, s)) ways += alpha[t - 1][from];
      }
      alpha[t][s] = ways * y[t][symbols[s]];
    }
  }
  for (size_t t = frames; t-- > 0;) {
    for (size_t s = 0; s < states; s++) {
      beta[t][s] = t == frames - 1 && s + 2 >= states ? 1 : 0;
      for (size_t to = s; t < frames - 1 && to < states && to <= s + 2; to++) {
        if (mayFollow(symbols, s, to)) beta[t][s] += beta[t + 1][to] * y[t + 1][symbols[to]];
      }
    }
  }
  double p = alpha[frames - 1][states - 1] + (states > 1 ? alpha[frames - 1][states - 2] : 0);
  PlainCtc result;
  result.loss = -std::log(p);
  for (size_t t = 0; t < frames; t++) {
    for (size_t s = 0; s < states; s++) y[t][symbols[s]] -= alpha[t][s] * beta[t][s] / p;
    result.gradient.insert(result.gradient.end(), y[t].begin(), y[t].end());
  }
  return result;
}

// Rows of labels among few classes, so that some repeat: the first as long as may be, the last without any.
struct CtcProblem {
  int steps, batch, classes, longest;
  std::vector<float> logits;      // [T,B,C]
  std::vector<int> symbols;       // [B,L+2]: the blank, the labels, blanks to the end
  std::vector<int> labelLengths, lengths;

  template <class Random>
  CtcProblem(int steps, int batch, int classes, int longest, Random &random)
      : steps(steps), batch(batch), classes(classes), longest(longest) {
    for (int i = 0; i < steps * batch * classes; i++) logits.push_back(3 * random.real());
    for (int b = 0; b < batch; b++) {
      int count = b == batch - 1 ? 0 : longest - b;
      labelLengths.push_back(count);
      lengths.push_back(steps - b);
      for (int k = 0; k < longest + 2; k++) {
        symbols.push_back(k > 0 && k <= count ? 1 + random.below(classes > 4 ? 3 : classes - 1) : 0);
      }
    }
  }

  PlainCtc exact(int b) const {
    Rows rows;
    for (int t = 0; t < lengths[static_cast<size_t>(b)]; t++) {
      auto from = logits.begin() + (t * batch + b) * classes;
      rows.emplace_back(from, from + classes);
    }
    auto from = symbols.begin() + b * (longest + 2) + 1;
    return plainCtc(rows, std::vector<int>(from, from + labelLengths[static_cast<size_t>(b)]));
  }

  // The gradient that a row's frame t has for class c; exact is that of the row.
  double gradient(const PlainCtc &exact, int b, int t, int c) const {
    return t < lengths[static_cast<size_t>(b)] ? exact.gradient[static_cast<size_t>(t * classes + c)] : 0;
  }
};

}  // namespace test
}  // namespace unroll
