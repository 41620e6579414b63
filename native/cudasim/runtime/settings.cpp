#include "settings.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace unroll {
namespace cudasim {

namespace {

// A variable that cannot be read ends the process: whoever set it wants it heeded.
double number(const char *variable, double otherwise, double least) {
  const char *text = std::getenv(variable);
  if (text == nullptr || *text == 0) return otherwise;
  char *end;
  double value = std::strtod(text, &end);
  if (*end == 0 && value >= least) return value;
  std::fprintf(stderr, "cudasim: %s must be a number from %g on, not \"%s\"\n", variable, least, text);
  std::exit(2);
}

bool choice(const char *variable, const char *no, const char *yes) {
  const char *text = std::getenv(variable);
  if (text == nullptr || std::strcmp(text, no) == 0) return false;
  if (std::strcmp(text, yes) == 0) return true;
  std::fprintf(stderr, "cudasim: %s must be %s or %s, not \"%s\"\n", variable, no, yes, text);
  std::exit(2);
}

const char EXCLUSIVE[] = "exclusive:";

Mode mode(const char *text) {
  if (text == nullptr || std::strcmp(text, "default") == 0) return Mode::EVERYBODY;
  if (std::strcmp(text, "prohibited") == 0) return Mode::NOBODY;
  if (std::strncmp(text, EXCLUSIVE, sizeof EXCLUSIVE - 1) == 0) return Mode::EXCLUSIVE;
  std::fprintf(stderr, "cudasim: UNROLL_CUDASIM_MODE must be default, prohibited or exclusive:FILE, not \"%s\"\n", text);
  std::exit(2);
}

const char *lock(const char *text) {
  return mode(text) == Mode::EXCLUSIVE ? text + sizeof EXCLUSIVE - 1 : nullptr;
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || defined(UNROLL_CUDASIM_TSAN)
const double STACK = 256 << 10;
#else
const double STACK = 64 << 10;
#endif

}  // namespace

Settings &settings() {
  static Settings all = {
      static_cast<uint64_t>(number("UNROLL_CUDASIM_SEED", 0, 0)),
      choice("UNROLL_CUDASIM_ASYNC", "early", "late"),
      number("UNROLL_CUDASIM_TIMEOUT", 60, 0.001),
      static_cast<int>(number("UNROLL_CUDASIM_THREADS", std::thread::hardware_concurrency(), 1)),
      static_cast<int>(number("UNROLL_CUDASIM_PROCESSORS", 8, 1)),
      static_cast<size_t>(number("UNROLL_CUDASIM_MEMORY", 1 << 30, 1)),
      static_cast<size_t>(number("UNROLL_CUDASIM_STACK", STACK, 16 << 10)) / 4096 * 4096,
      static_cast<size_t>(number("UNROLL_CUDASIM_TAKEN", 0, 0)),
      static_cast<int>(number("UNROLL_CUDASIM_DRIVER", 13000, 1000)),
      mode(std::getenv("UNROLL_CUDASIM_MODE")),
      lock(std::getenv("UNROLL_CUDASIM_MODE")),
  };
  return all;
}

}  // namespace cudasim
}  // namespace unroll
