# Reads a list of modules as kernels/cuda/modules.txt is, and writes for each a translation unit and an image.
# native/cuda takes expand_modules and describe_module for the real ones.

# Sets out to the values of text, which has commas between them, each behind every element of list.
function(multiply out list separator name text)
  string(REPLACE "," ";" values "${text}")
  set(all)
  foreach(before IN LISTS list)
    foreach(value IN LISTS values)
      list(APPEND all "${before}${separator}${name}${value}")
    endforeach()
  endforeach()
  set(${out} "${all}" PARENT_SCOPE)
endfunction()

# Sets key, file (that with the entries), files, defines (the text of its constants, GROUP among them), cluster and
# oldest (the first processor that it is for, as 90, or 0) for a module. words are its files, constants and processor,
# without choices.
macro(describe_module words)
  set(files)
  set(defines)
  set(constants)
  set(cell)
  set(cluster 1)
  set(oldest 0)
  foreach(part ${words})
    if(part MATCHES "=")
      string(REPLACE "=" " " define ${part})
      string(APPEND defines "#define ${define}\n")
      list(APPEND constants ${part})
      if(part MATCHES "^CLUSTER=(.*)")
        set(cluster ${CMAKE_MATCH_1})
      endif()
    elseif(part MATCHES "^sm_([0-9]+)$")
      set(oldest ${CMAKE_MATCH_1})
    else()
      list(APPEND files ${part})
      if(part MATCHES "cells/(.*)\\.h")
        set(cell -${CMAKE_MATCH_1})
      endif()
      set(file ${part})
    endif()
  endforeach()
  if(NOT constants MATCHES "(^|;)GROUP=")
    string(APPEND defines "#define GROUP 256\n")
  endif()
  list(SORT constants)
  get_filename_component(key ${file} NAME_WE)
  string(JOIN "-" key ${key}${cell} ${constants})
endmacro()

# The text of a module.
function(write_module words root units images)
  describe_module("${words}")
  set(includes)
  foreach(each IN LISTS files)
    string(APPEND includes "#include \"${each}\"\n")
  endforeach()
  string(MAKE_C_IDENTIFIER ${key} id)

  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${file})
  file(READ ${root}/${file} text)
  string(REGEX MATCHALL "[A-Z]+[ (][a-z0-9_]+_kernel[(,]" found "${text}")
  set(entries)
  foreach(each IN LISTS found)
    string(REGEX REPLACE "[A-Z]+[ (]([a-z0-9_]+)[(,]" "\\1" name ${each})
    # Entries have C names, which must be different in all modules.
    string(APPEND defines "#define ${name} ${name}__${id}\n")
    string(APPEND entries "\n    Thunk<${name}>::entry(\"${name}\", &module),")
  endforeach()
  if(NOT entries)
    message(FATAL_ERROR "${root}/${file} has no entry")
  endif()

  file(CONFIGURE OUTPUT ${units}/${key}.cpp @ONLY CONTENT [[
#include "registry.h"
#define CUDASIM_SECTION "cudasim_@id@"
@defines@@includes@
extern "C" {
extern const unsigned char __start_cudasim_@id@[] __attribute__((visibility("hidden")));
extern const unsigned char __stop_cudasim_@id@[] __attribute__((visibility("hidden")));
}
namespace {
using namespace unroll::cudasim;
const void *touch() {
  static thread_local __attribute__((section(CUDASIM_SECTION))) char first[16];
  return first;
}
extern const Module module;
const Entry entries[] = {@entries@
};
const Module module = {"@key@", GROUP, @cluster@, __start_cudasim_@id@,
    static_cast<size_t>(__stop_cudasim_@id@ - __start_cudasim_@id@), touch, entries,
    static_cast<int>(sizeof entries / sizeof entries[0])};
const Registration registration(&module);
}
]])
  file(CONFIGURE OUTPUT ${images}/${key}.fatbin CONTENT "UNROLL_CUDASIM ${key}\n")
  set_property(GLOBAL APPEND PROPERTY written_modules ${units}/${key}.cpp)
  set_property(GLOBAL APPEND PROPERTY written_keys ${key})
endfunction()

# Sets out to the modules of a list, each with spaces between its words. cells: those that * stands for, and those
# that a line may name; one with another is left out.
function(expand_modules out list cells)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} lines REGEX "^[^#]")
  set(all)
  foreach(line IN LISTS lines)
    string(REPLACE " " ";" words "${line}")
    set(modules ":")
    foreach(word IN LISTS words)
      if(word MATCHES "^(.*)\\*(.*)$")
        set(after ${CMAKE_MATCH_2})
        string(REPLACE ";" "${after}," choices "${cells}")
        multiply(modules "${modules}" " " ${CMAKE_MATCH_1} "${choices}${after}")
      elseif(word MATCHES "^([A-Z_]+=)(.*)$")
        multiply(modules "${modules}" " " ${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
      else()
        multiply(modules "${modules}" " " "" ${word})
      endif()
    endforeach()
    list(TRANSFORM modules REPLACE "^: " "")
    if(NOT line MATCHES "cells/([a-z_0-9]+)\\.h" OR CMAKE_MATCH_1 IN_LIST cells)
      list(APPEND all ${modules})
    endif()
  endforeach()
  set(${out} "${all}" PARENT_SCOPE)
endfunction()

# Writes the resource in which a program finds the keys of the images.
function(write_keys images)
  list(JOIN ARGN "\n" text)
  file(CONFIGURE OUTPUT ${images}/keys.txt CONTENT "${text}\n")
endfunction()

# Sets out to the translation units of all modules of a list. root: what its files are below.
function(write_modules out list root cells units images)
  set_property(GLOBAL PROPERTY written_modules "")
  set_property(GLOBAL PROPERTY written_keys "")
  expand_modules(modules ${list} "${cells}")
  foreach(module IN LISTS modules)
    string(REPLACE " " ";" module ${module})
    write_module("${module}" ${root} ${units} ${images})
  endforeach()
  get_property(all GLOBAL PROPERTY written_keys)
  write_keys(${images} ${all})
  get_property(all GLOBAL PROPERTY written_modules)
  set(${out} "${all}" PARENT_SCOPE)
endfunction()
