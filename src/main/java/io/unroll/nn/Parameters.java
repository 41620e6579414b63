package io.unroll.nn;

import io.unroll.Backend;
import io.unroll.ShapeException;
import io.unroll.device.Device;
import io.unroll.device.ElementType;
import io.unroll.device.Span;
import io.unroll.engine.Kernels;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * All parameters of a model, in one buffer, and their gradients in a second one of the same layout.
 *
 * <p>Layers add theirs when they are constructed; the memory is taken and filled at the first use,
 * and after that nothing can be added. The first values depend on the seed and the order of adding
 * only, not on the backend.
 */
public final class Parameters implements AutoCloseable {
  private record Declared(Initializer initializer, long at, int[] shape) {}

  private final Kernels kernels;
  private final long seed;
  private final Map<String, Declared> declared = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private long size;
  private Span values;
  private Span gradients;

  /**
   * @param backend where they live
   * @param seed of their first values
   */
  public Parameters(Backend backend, long seed) {
    this.kernels = new Kernels(Device.of(backend));
    this.seed = seed;
  }

  /**
   * Adds a parameter.
   *
   * @param name unique, such as {@code rnn.weight_ih_l0}
   * @param initializer its first values
   * @param shape sizes of its axes
   * @throws IllegalStateException if the parameters are already in use
   * @throws IllegalArgumentException if the name is taken or a size is below 1
   */
  public void add(String name, Initializer initializer, int... shape) {
    if (values != null) {
      throw new IllegalStateException(
          "parameter \"" + name + "\" comes too late: build all layers before the first use");
    }
    for (int dim : shape) {
      if (dim < 1) {
        throw new ShapeException(
            "parameter \"" + name + "\": every size must be at least 1, found " + dim);
      }
    }
    if (declared.putIfAbsent(name, new Declared(initializer, size, shape.clone())) != null) {
      throw new IllegalArgumentException(
          "there is already a parameter \"" + name + "\"; give each layer its own name");
    }
    size = Math.addExact(size, Tensor.sizeOf(shape));
  }

  /** The names in the order of adding. */
  public Set<String> names() {
    return Collections.unmodifiableSet(declared.keySet());
  }

  /**
   * A parameter.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public Tensor get(String name) {
    materialize();
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "there is no parameter \"" + name + "\"; there are " + tensors.keySet());
    }
    return tensor;
  }

  /** The number of elements of all parameters. */
  public long size() {
    return size;
  }

  /** The seed of the first values. */
  public long seed() {
    return seed;
  }

  /**
   * Overwrites a parameter.
   *
   * @param value as many values as the parameter has elements
   * @throws ShapeException if the number differs; nothing is changed
   */
  public void set(String name, float[] value) {
    Span span = spanFor(name, value.length);
    device().copyIn(value, 0, span.buffer(), span.at(), value.length);
  }

  /**
   * As {@link #set(String, float[])}, without rounding on the float64 reference.
   *
   * @throws ShapeException if the number differs; nothing is changed
   */
  public void set(String name, double[] value) {
    Span span = spanFor(name, value.length);
    device().copyIn(value, 0, span.buffer(), span.at(), value.length);
  }

  private Span spanFor(String name, int found) {
    Span span = get(name).value();
    if (span.length() != found) {
      throw new ShapeException(
          "parameter \"" + name + "\" has " + span.length() + " elements, but " + found + " came");
    }
    return span;
  }

  /** Sets all gradients to zero. */
  public void zeroGradients() {
    kernels.fill(gradients(), 0);
  }

  /** Frees the memory; the parameters cannot be used again. */
  @Override
  public void close() {
    if (values != null) {
      values.buffer().close();
      gradients.buffer().close();
    }
  }

  /** All values in one range. */
  public Span values() {
    materialize();
    return values;
  }

  /** All gradients in one range, in the layout of {@link #values}. */
  public Span gradients() {
    materialize();
    return gradients;
  }

  /** Where a parameter lies within {@link #values}. */
  public Span within(String name, Span all) {
    Declared parameter = declared.get(name);
    return all.slice(parameter.at(), Tensor.sizeOf(parameter.shape()));
  }

  /** The kernels of the device that holds the parameters. */
  public Kernels kernels() {
    return kernels;
  }

  Device device() {
    return kernels.device();
  }

  private void materialize() {
    if (values != null) {
      return;
    }
    if (declared.isEmpty()) {
      throw new IllegalStateException("there are no parameters: build a layer first");
    }
    values = Span.of(device().allocate(ElementType.REAL, size, "parameters"));
    gradients = Span.of(device().allocate(ElementType.REAL, size, "gradients"));
    kernels.fill(gradients, 0);
    for (Map.Entry<String, Declared> entry : declared.entrySet()) {
      Declared parameter = entry.getValue();
      Span value = within(entry.getKey(), values);
      kernels.set(value, i -> parameter.initializer().at(seed, parameter.at() + i));
      Span gradient = within(entry.getKey(), gradients);
      tensors.put(entry.getKey(), new Tensor(this, value, gradient, parameter.shape()));
    }
  }
}
