package io.unroll.device;

import io.unroll.CellSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An entry of the text in {@code kernels/}: what a GPU compiles to launch it.
 *
 * @param files what is included, in order, as paths below {@code kernels/}
 * @param name the function
 * @param constants macros that are defined before, besides {@code GROUP}
 */
public record GpuEntry(List<String> files, String name, Map<String, Integer> constants) {
  /** Copies both, so that equal entries are equal. */
  public GpuEntry {
    files = List.copyOf(files);
    constants = java.util.Collections.unmodifiableMap(new TreeMap<>(constants));
  }

  /** An entry of one file without constants. */
  static GpuEntry of(String file, String name) {
    return new GpuEntry(List.of(file), name, Map.of());
  }

  /** An entry of a file that is compiled for one cell. */
  static GpuEntry of(CellSpec cell, String file, String name, Map<String, Integer> constants) {
    List<String> files = new ArrayList<>(List.of("math.h", "cells/" + cell.name() + ".h", file));
    return new GpuEntry(files, name, constants);
  }
}
