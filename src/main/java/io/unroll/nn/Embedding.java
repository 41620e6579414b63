package io.unroll.nn;

import java.util.Arrays;

/**
 * A row of a table for each index, as {@code torch.nn.Embedding}.
 *
 * <p>What it returns remembers the table and the indices and is gathered when an operation reads
 * it. A {@link Recurrent} need not: where the table has fewer rows than there are indices, it
 * multiplies the table and gathers the products, and a model needs to say nothing for it.
 */
public final class Embedding {
  private final Parameters parameters;
  private final String weightName;
  private final String indicesName;
  private final int count;
  private final int size;

  /**
   * Adds {@code weight} [count, size], normal with mean 0 and deviation 1.
   *
   * @param name goes before the name of the parameter, with a dot
   * @param count how many rows
   * @param size elements of a row
   */
  public Embedding(Parameters parameters, String name, int count, int size) {
    this.parameters = parameters;
    this.weightName = name + ".weight";
    this.indicesName = "indices of " + weightName;
    this.count = count;
    this.size = size;
    parameters.add(weightName, Initializer.normal(1), count, size);
  }

  /**
   * @param indices any shape, each in [0, count); {@link Indices#IGNORED} gives a row of zeros
   * @return that shape with size as a further last axis; its own gradient exists if {@link
   *     Tensor#withGradient} asked for it, that of the table anyway
   * @throws IllegalArgumentException if an index is out of range
   */
  public Tensor forward(Indices indices) {
    indices.requireRange(indicesName, 0, count - 1, true);
    Tape tape = indices.tape();
    Tensor weight = parameters.get(weightName);
    int[] in = indices.dims();
    int[] shape = Arrays.copyOf(in, in.length + 1);
    shape[in.length] = size;
    Tensor y = tape.rows(weight, indices, shape);
    tape.record(
        y,
        () -> {
          if (y.hasGradient()) {
            tape.kernels().scatterAddRows(y.gradient(), indices.value(), weight.gradient(), size);
          }
        });
    return y;
  }
}
