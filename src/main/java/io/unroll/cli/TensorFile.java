package io.unroll.cli;

import io.unroll.FileFormatException;
import io.unroll.io.Dtype;
import io.unroll.io.Safetensors;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * A safetensors file whose tensors must have given shapes, and each of which must be asked for: one
 * that is not would pass as verified without having been looked at.
 */
final class TensorFile {
  private final Safetensors file;
  private final Set<String> asked = new LinkedHashSet<>();

  TensorFile(Safetensors file) {
    this.file = file;
  }

  boolean has(String name) {
    return file.names().contains(name);
  }

  Set<String> names() {
    return file.names();
  }

  /** Whether every real in the file is a float64. */
  boolean isFloat64() {
    return file.names().stream()
        .map(file::dtype)
        .allMatch(dtype -> dtype == Dtype.F64 || !dtype.floating());
  }

  /** The shape of a tensor that must be there. */
  int[] shape(String name) throws FileFormatException {
    if (!has(name)) {
      throw wrong(
          "tensor \"" + name + "\" is missing; there are " + file.names(),
          "Add it; \"unroll verify --help\" shows a program that does.");
    }
    int[] shape = new int[file.shape(name).length];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = Math.toIntExact(file.shape(name)[i]);
    }
    return shape;
  }

  /**
   * The shape of a tensor that must have so many axes, none of them empty.
   *
   * @param axes for the message, such as {@code [T,B,I]}
   */
  int[] shape(String name, int rank, String axes) throws FileFormatException {
    int[] found = shape(name);
    if (found.length != rank || Arrays.stream(found).anyMatch(size -> size < 1)) {
      throw wrong(
          "tensor \""
              + name
              + "\" must be "
              + axes
              + " with every size from 1 up, but is "
              + Arrays.toString(found),
          "Write it in that shape, time first.");
    }
    return found;
  }

  /**
   * Reads reals.
   *
   * @param expected the shape it must have
   * @throws FileFormatException if it is missing, or has another shape
   */
  double[] reals(String name, int... expected) throws IOException {
    requireShape(name, expected);
    if (!file.dtype(name).floating()) {
      throw wrong(
          "tensor \"" + name + "\" must hold reals, but is " + file.dtype(name),
          "Write it as F64 or F32.");
    }
    return file.doubles(name);
  }

  /** As {@link #reals}, or empty if the file has no such tensor. */
  Optional<double[]> optionalReals(String name, int... expected) throws IOException {
    return has(name) ? Optional.of(reals(name, expected)) : Optional.empty();
  }

  /**
   * Reads integers.
   *
   * @param low the smallest allowed value; high the largest; also allowed is {@code exception}
   */
  int[] integers(String name, int low, int high, int exception, int... expected)
      throws IOException {
    requireShape(name, expected);
    if (file.dtype(name).floating()) {
      throw wrong(
          "tensor \"" + name + "\" must hold integers, but is " + file.dtype(name),
          "Write it as I64.");
    }
    int[] values = file.ints(name);
    for (int value : values) {
      if ((value < low || value > high) && value != exception) {
        throw wrong(
            "tensor \""
                + name
                + "\" must hold integers from "
                + low
                + " to "
                + high
                + (exception < low ? " or " + exception : "")
                + ", but holds "
                + value,
            "Correct the program that wrote the file.");
      }
    }
    return values;
  }

  private void requireShape(String name, int... expected) throws FileFormatException {
    int[] found = shape(name);
    if (!Arrays.equals(found, expected)) {
      throw wrong(
          "tensor \""
              + name
              + "\" must be "
              + Arrays.toString(expected)
              + " to fit the others and the metadata, but is "
              + Arrays.toString(found),
          "Correct the program that wrote the file.");
    }
    asked.add(name);
  }

  /** A value of the metadata, if it is there. */
  Optional<String> metadata(String key) {
    return Optional.ofNullable(file.metadata().get(key));
  }

  /** A value of the metadata that must be there. */
  String requireMetadata(String key) throws FileFormatException {
    return metadata(key)
        .orElseThrow(
            () ->
                wrong(
                    "the metadata lacks \"" + key + "\"; it has " + file.metadata().keySet(),
                    "Add it to the metadata of the file."));
  }

  /** Throws if the metadata states another value than the tensors show; it may state none. */
  void requireMetadataAgrees(String key, String fromTensors) throws FileFormatException {
    Optional<String> stated = metadata(key);
    if (stated.isPresent() && !stated.get().equalsIgnoreCase(fromTensors)) {
      throw wrong(
          "the metadata says "
              + key
              + " = "
              + stated.get()
              + ", but the tensors show "
              + fromTensors,
          "Correct the program that wrote the file.");
    }
  }

  /** Throws if a tensor was never asked for, except those named. */
  void requireAllRead(String... others) throws FileFormatException {
    Set<String> left = new LinkedHashSet<>(file.names());
    left.removeAll(asked);
    left.removeAll(Arrays.asList(others));
    if (!left.isEmpty()) {
      throw wrong(
          "it holds tensors that belong to no known part: " + left,
          "Remove them, or check their names against \"unroll verify --help\".");
    }
  }

  /** That this file is not what it should be. */
  FileFormatException wrong(String problem, String cure) {
    return new FileFormatException(file.path().toString(), problem, cure);
  }
}
