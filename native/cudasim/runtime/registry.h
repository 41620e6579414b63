// How a module's kernels get into this library. Kept small: every module includes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace unroll {
namespace cudasim {

struct Module;

struct Parameter {
  uint16_t bytes;
  bool pointer;
};

// A kernel. call runs it as one CUDA thread; arguments point at the values of its parameters.
struct Entry {
  const char *name;
  void (*call)(void *const *arguments);
  const Parameter *parameters;
  int count;
  const Module *module;
};

// What was compiled with one set of constants.
struct Module {
  const char *key;
  int threads;                       // that a block may have: GROUP
  int cluster;                       // blocks of a cluster, 1 where it has none
  const unsigned char *sharedStart;  // the section of its __shared__, in the image that OS threads copy
  size_t sharedBytes;
  const void *(*touch)();  // makes the system give this OS thread its copy
  const Entry *entries;
  int count;
};

template <auto kernel>
struct Thunk;
template <class... A, void (*kernel)(A...)>
struct Thunk<kernel> {
  static constexpr Parameter parameters[] = {{sizeof(A), std::is_pointer<A>::value}..., {0, false}};

  template <size_t... I>
  static void unpack(void *const *arguments, std::index_sequence<I...>) {
    (void)arguments;
    kernel(*static_cast<std::remove_const_t<A> *>(arguments[I])...);
  }
  static void call(void *const *arguments) { unpack(arguments, std::index_sequence_for<A...>()); }

  static constexpr Entry entry(const char *name, const Module *module) {
    return {name, call, parameters, static_cast<int>(sizeof...(A)), module};
  }
};

// Puts a module into the registry when the library is loaded.
struct Registration {
  explicit Registration(const Module *module);
};

}  // namespace cudasim
}  // namespace unroll
