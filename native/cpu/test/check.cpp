#include "check.h"

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace unroll {
namespace test {

const float NOTHING = std::numeric_limits<float>::quiet_NaN();

namespace {

const int MOST_PRINTED = 20;
std::atomic<int> failed{0};
char subject[200] = "";

}  // namespace

void fail(const char *format, ...) {
  if (failed.fetch_add(1) >= MOST_PRINTED) return;
  std::fprintf(stderr, "FAILED %s: ", subject);
  va_list rest;
  va_start(rest, format);
  std::vfprintf(stderr, format, rest);
  va_end(rest);
  std::fprintf(stderr, "\n");
}

int failures() { return failed; }

void about(const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  std::vsnprintf(subject, sizeof subject, format, rest);
  va_end(rest);
}

// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
uint64_t Random::next() {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

float Random::real() {
  return static_cast<float>(static_cast<int64_t>(next() >> 40) - (1 << 23)) / (1 << 23);
}

int Random::below(int limit) { return static_cast<int>(next() % static_cast<uint64_t>(limit)); }

std::vector<float> numbers(size_t count, Random &random, float scale) {
  std::vector<float> values(count);
  for (float &value : values) value = random.real() * scale;
  return values;
}

#if defined(__SANITIZE_ADDRESS__)

void *fenced(size_t bytes) { return std::malloc(bytes); }
void unfence(void *memory) { std::free(memory); }
void reportFences() {}

#else

namespace {

// A block of pages, the last of them without access. Before the memory stands how long all is.
struct Header {
  void *pages;
  size_t bytes;
  uint64_t fence;
};
const uint64_t FENCE = 0x5ca1ab1e0ddba115;

size_t pageBytes() {
#if defined(_WIN32)
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
#else
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
#endif
}

void *takePages(size_t bytes, size_t page) {
#if defined(_WIN32)
  char *pages = static_cast<char *>(
      VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
  DWORD before;
  if (pages == nullptr || !VirtualProtect(pages + bytes - page, page, PAGE_NOACCESS, &before)) {
    std::abort();
  }
#else
  char *pages = static_cast<char *>(
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (pages == MAP_FAILED || mprotect(pages + bytes - page, page, PROT_NONE) != 0) std::abort();
#endif
  return pages;
}

void returnPages(const Header &header) {
#if defined(_WIN32)
  VirtualFree(header.pages, 0, MEM_RELEASE);
#else
  munmap(header.pages, header.bytes);
#endif
}

extern "C" void fenceTouched(int) {
  const char line[] = "out of bounds: the page behind an array was touched\n";
#if defined(_WIN32)
  fputs(line, stderr);
  _exit(3);
#else
  ssize_t written = write(2, line, sizeof line - 1);
  _exit(written > 0 ? 3 : 4);
#endif
}

}  // namespace

void *fenced(size_t bytes) {
  size_t page = pageBytes();
  size_t whole = (bytes + sizeof(Header) + page - 1) / page * page + page;
  Header header{takePages(whole, page), whole, FENCE};
  char *memory = static_cast<char *>(header.pages) + whole - page - bytes;
  std::memcpy(memory - sizeof header, &header, sizeof header);
  return memory;
}

void unfence(void *memory) {
  Header header;
  std::memcpy(&header, static_cast<char *>(memory) - sizeof header, sizeof header);
  if (header.fence == FENCE) {
    returnPages(header);
  } else {
    fail("the bytes before an array were written");
  }
}

void reportFences() { std::signal(SIGSEGV, fenceTouched); }

#endif

void compare(const char *what, int index, double found, double expected, double tolerance) {
  bool same = std::isnan(expected) ? std::isnan(found) : std::fabs(found - expected) <= tolerance;
  if (!same) {
    fail("%s[%d] is %.9g, not %.9g; allowed is a difference of %.2g", what, index, found, expected,
         tolerance);
  }
}

void compareAll(const char *what, Floats &found, const std::vector<double> &exact,
                const std::vector<float> &plain, double slack) {
  double error = 0, largest = 0;
  for (size_t i = 0; i < exact.size(); i++) {
    if (std::isnan(exact[i])) continue;
    error = std::fmax(error, std::fabs(plain[i] - exact[i]));
    largest = std::fmax(largest, std::fabs(exact[i]));
  }
  double tolerance = std::fmax(4 * error, 32 * std::ldexp(largest, -24)) + slack;
  if (found.size() != exact.size()) fail("%s has the wrong length", what);
  for (size_t i = 0; i < exact.size(); i++) compare(what, static_cast<int>(i), found[i], exact[i], tolerance);
}

}  // namespace test
}  // namespace unroll
