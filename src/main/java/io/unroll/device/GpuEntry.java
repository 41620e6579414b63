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
 * @param constants macros that are defined before; {@code GROUP} is among them where it is not the
 *     device's own
 * @param groupMemory bytes of the group's memory that a launch adds to what the text declares
 */
public record GpuEntry(
    List<String> files, String name, Map<String, Integer> constants, int groupMemory) {
  /** Copies both, so that equal entries are equal. */
  public GpuEntry {
    files = List.copyOf(files);
    constants = java.util.Collections.unmodifiableMap(new TreeMap<>(constants));
  }

  /** An entry that needs no more of the group's memory than its text declares. */
  public GpuEntry(List<String> files, String name, Map<String, Integer> constants) {
    this(files, name, constants, 0);
  }

  /** The same with so many bytes of the group's memory. */
  GpuEntry withGroupMemory(int bytes) {
    return new GpuEntry(files, name, constants, bytes);
  }

  /**
   * The lanes of its groups.
   *
   * @param usual those of a text that does not choose them
   */
  public int lanes(int usual) {
    return constants.getOrDefault("GROUP", usual);
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
