// What the lanes of a warp do together.
#include "block.h"

namespace unroll {
namespace cudasim {

namespace {

// Tells the words to the lanes of the mask; released by the caller.
Exchange &exchange(Meeting what, unsigned mask, const uint64_t *words, int count) {
  Block &block = here();
  Thread &thread = self();
  if ((mask >> thread.lane() & 1) == 0) {
    block.grid.fail(Failure::MISUSE, "block " + std::to_string(block.number) + ": lane " +
                                         std::to_string(thread.lane()) + " is not in the mask that it gives");
  }
  thread.meeting = what;
  thread.mask = mask;
  for (int i = 0; i < count; i++) thread.words[i] = words[i];
  block.park(State::IN_WARP);
  return *thread.exchange;
}

float bf16(uint64_t word, int high) {
  return __uint_as_float(static_cast<unsigned>(high ? word & 0xffff0000u : word << 16));
}

float tf32(uint64_t word) { return __uint_as_float(static_cast<unsigned>(word) & 0xffffe000u); }

uint64_t half(uint64_t words, int high) { return high ? words >> 32 : words & 0xffffffffu; }

Exchange &exchangeFragments(const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  uint64_t words[3] = {a[0] | static_cast<uint64_t>(a[1]) << 32, a[2] | static_cast<uint64_t>(a[3]) << 32,
                       b[0] | static_cast<uint64_t>(b[1]) << 32};
  return exchange(Meeting::MATRIX, ~0u, words, 3);
}

}  // namespace

// Orders what the lanes did before it against what they do after it; the others here do not.
unsigned meet(Meeting what, unsigned mask, const uint64_t *words, uint64_t (*all)[WORDS]) {
  char *sync = &here().own.warps[self().number / LANES].sync;
  if (what == Meeting::SYNC) releaseAt(sync);
  Exchange &result = exchange(what, mask, words, words == nullptr ? 0 : WORDS);
  for (int lane = 0; lane < LANES && all != nullptr; lane++) {
    for (int i = 0; i < WORDS; i++) all[lane][i] = result.words[lane][i];
  }
  unsigned lanes = result.lanes;
  result.readers--;
  if (what == Meeting::SYNC) acquireAt(sync);
  return lanes;
}

uint64_t shuffle(unsigned mask, uint64_t word, int lane) {
  Exchange &result = exchange(Meeting::SHUFFLE, mask, &word, 1);
  uint64_t value = (result.lanes >> (lane & 31) & 1) != 0 ? result.words[lane & 31][0] : word;
  result.readers--;
  return value;
}

unsigned ballot(unsigned mask, bool predicate) {
  uint64_t word = predicate ? 1 : 0;
  Exchange &result = exchange(Meeting::VOTE, mask, &word, 1);
  unsigned held = 0;
  for (int lane = 0; lane < LANES; lane++) {
    if ((result.lanes >> lane & 1) != 0) held |= static_cast<unsigned>(result.words[lane][0]) << lane;
  }
  result.readers--;
  return held;
}

// The fragments as PTX lays them out: "Matrix Fragments for mma.m16n8k16 with floating point type". Lane
// 4*g + t holds of A the rows g and g+8, of B the column g, of D the columns 2*t and 2*t+1.
void multiplyBf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Exchange &all = exchangeFragments(a, b);
  unsigned g = laneNumber() / 4, t = laneNumber() % 4;
  for (unsigned o = 0; o < 4; o++) {
    unsigned column = 2 * t + o % 2;
    float sum = 0;
    for (unsigned k = 0; k < 16; k++) {
      unsigned owner = k % 8 / 2;
      uint64_t left = half(all.words[g * 4 + owner][k / 8], o / 2);
      uint64_t right = half(all.words[column * 4 + owner][2], k / 8);
      sum += bf16(left, k % 2) * bf16(right, k % 2);
    }
    d[o] += sum;
  }
  all.readers--;
}

// The same of m16n8k8 with .tf32: a lane holds single values, of A the columns t and t+4.
void multiplyTf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Exchange &all = exchangeFragments(a, b);
  unsigned g = laneNumber() / 4, t = laneNumber() % 4;
  for (unsigned o = 0; o < 4; o++) {
    unsigned column = 2 * t + o % 2;
    float sum = 0;
    for (unsigned k = 0; k < 8; k++) {
      uint64_t left = half(all.words[g * 4 + k % 4][k / 4], o / 2);
      uint64_t right = half(all.words[column * 4 + k % 4][2], k / 4);
      sum += tf32(left) * tf32(right);
    }
    d[o] += sum;
  }
  all.readers--;
}

}  // namespace cudasim
}  // namespace unroll
