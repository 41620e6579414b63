// The kernels that were compiled into this library, by module and name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

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
  std::vector<Parameter> parameters;
  const Module *module;
};

// What was compiled with one set of constants.
struct Module {
  const char *key;
  int threads;  // that a block may have: GROUP
  int cluster;  // blocks of a cluster, 1 where it has none
  const unsigned char *sharedStart;  // the section of its __shared__, in the image that threads copy
  size_t sharedBytes;
  const void *(*touch)();  // makes the system give this thread its copy
  std::vector<Entry> entries;

  const Entry *find(const char *name) const;
};

void add(Module *module);
const Module *findModule(const std::string &key);
// All keys with a space between them.
std::string moduleKeys();

template <auto kernel>
struct Call;
template <class... A, void (*kernel)(A...)>
struct Call<kernel> {
  template <size_t... I>
  static void unpack(void *const *arguments, std::index_sequence<I...>) {
    (void)arguments;
    kernel(*static_cast<std::remove_const_t<A> *>(arguments[I])...);
  }
  static void call(void *const *arguments) { unpack(arguments, std::index_sequence_for<A...>()); }
  static Entry entry(const char *name) {
    return {name, call, {Parameter{sizeof(A), std::is_pointer<A>::value}...}, nullptr};
  }
};

// Puts a module into the registry when the library is loaded.
struct Registration {
  Module module;
  Registration(const char *key, int threads, int cluster, const unsigned char *start,
               const unsigned char *stop, const void *(*touch)(), std::initializer_list<Entry> entries);
};

}  // namespace cudasim
}  // namespace unroll
