package io.unroll.io;

import io.unroll.FileFormatException;
import io.unroll.Precision;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Named weights on their way into a model or out of one, in the names, shapes and gate order that
 * PyTorch and Unroll share. {@link #read} takes PyTorch's state_dict; {@link OnnxFile} and {@link
 * KerasFile} convert theirs. Immutable: what changes names returns another one. docs/exchange.md
 */
public final class Weights {
  /** In memory as float64, which holds every type exactly. */
  private record Entry(Dtype dtype, long[] shape, double[] values) {}

  private static final int NAMES_SHOWN = 8;
  private static final String UNIT = "weight_unit_l";
  private static final String PROJECTION = "weight_hr_l";

  private final String source;
  private final Map<String, Entry> entries;

  private Weights(String source, Map<String, Entry> entries) {
    this.source = source;
    this.entries = entries;
  }

  /**
   * No weights yet.
   *
   * @param source where they will come from, for messages
   */
  static Weights empty(String source) {
    return new Weights(source, Map.of());
  }

  /** These and one more, float32. */
  Weights with(String name, double[] values, long... shape) {
    assert Arrays.stream(shape).reduce(1, (a, b) -> a * b) == values.length : name;
    return and(new Weights(source, Map.of(name, new Entry(Dtype.F32, shape, values))));
  }

  /**
   * Reads a safetensors file, such as {@code safetensors.torch.save_file(model.state_dict(), path)}
   * writes it.
   *
   * @throws FileFormatException if it is no safetensors file
   * @throws IOException if it cannot be read
   */
  public static Weights read(Path path) throws IOException {
    Map<String, Entry> entries = new LinkedHashMap<>();
    try (Safetensors file = Safetensors.read(path)) {
      for (String name : file.names()) {
        Dtype dtype = file.dtype(name);
        double[] values =
            dtype.floating()
                ? file.doubles(name)
                : Arrays.stream(file.longs(name)).asDoubleStream().toArray();
        Dtype kept = dtype == Dtype.F16 || dtype == Dtype.BF16 ? Dtype.F32 : dtype;
        entries.put(name, new Entry(kept, file.shape(name), values));
      }
    }
    return new Weights(path.toString(), entries);
  }

  /** Copies the parameters of a model, float32, or float64 from the reference. */
  public static Weights of(Parameters parameters) {
    Dtype dtype =
        parameters.kernels().device().precision() == Precision.FP64 ? Dtype.F64 : Dtype.F32;
    Map<String, Entry> entries = new LinkedHashMap<>();
    for (String name : parameters.names()) {
      Tensor tensor = parameters.get(name);
      entries.put(name, new Entry(dtype, shape(tensor), tensor.toDoubles()));
    }
    return new Weights("the model", entries);
  }

  /** The names, in the order of the file. */
  public Set<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  /**
   * The shape of a tensor.
   *
   * @throws FileFormatException if there is none of that name
   */
  public long[] shape(String name) throws FileFormatException {
    return entry(name).shape().clone();
  }

  /**
   * The values of a tensor, row-major.
   *
   * @throws FileFormatException if there is none of that name
   */
  public double[] values(String name) throws FileFormatException {
    return entry(name).values().clone();
  }

  /**
   * The same with names that begin otherwise, such as {@code renamed("module.lstm.", "rnn.")}.
   *
   * @param from what names begin with; empty for all
   * @param to what takes its place
   * @throws FileFormatException if no name begins so, or two would become equal
   */
  public Weights renamed(String from, String to) throws FileFormatException {
    requireAny(from);
    Map<String, Entry> result = new LinkedHashMap<>();
    for (Map.Entry<String, Entry> each : entries.entrySet()) {
      String old = each.getKey();
      String name = old.startsWith(from) ? to + old.substring(from.length()) : old;
      if (result.put(name, each.getValue()) != null) {
        throw wrong(
            "tensor " + Quoting.quoted(old) + " would become a second " + Quoting.quoted(name),
            "Rename the other one first, or leave it out.");
      }
    }
    return new Weights(source, result);
  }

  /**
   * The same without some.
   *
   * @param prefix what the names begin with of those that are left out
   * @throws FileFormatException if no name begins so
   */
  public Weights without(String prefix) throws FileFormatException {
    requireAny(prefix);
    Map<String, Entry> result = new LinkedHashMap<>(entries);
    result.keySet().removeIf(name -> name.startsWith(prefix));
    return new Weights(source, result);
  }

  /**
   * These and others.
   *
   * @throws IllegalArgumentException if a name is in both
   */
  public Weights and(Weights others) {
    Map<String, Entry> result = new LinkedHashMap<>(entries);
    others.entries.forEach(
        (name, entry) -> {
          if (result.put(name, entry) != null) {
            throw new IllegalArgumentException(
                "tensor "
                    + Quoting.quoted(name)
                    + " is in both; rename it in one of them, or leave it out");
          }
        });
    return new Weights(source, result);
  }

  /**
   * The same with biases of zeros for each layer of the model that has some and of which none is
   * here: one that was built with {@code bias=False}.
   */
  public Weights withZeroBiases(Parameters parameters) {
    Map<String, Entry> result = new LinkedHashMap<>(entries);
    for (String name : parameters.names()) {
      String layer = layer(name);
      if (isBias(name) && names().stream().noneMatch(n -> isBias(n) && layer(n).equals(layer))) {
        long[] shape = shape(parameters.get(name));
        result.put(name, new Entry(Dtype.F32, shape, new double[(int) shape[0]]));
      }
    }
    return new Weights(source, result);
  }

  /**
   * The same with one tensor's slices along an axis in another order, such as the rows of an
   * embedding for another numbering of the characters.
   *
   * @param axis 0 or 1
   * @param order the old number of each slice, each once
   * @throws FileFormatException if there is no such tensor, or it has not as many slices
   */
  public Weights reordered(String name, int axis, int[] order) throws FileFormatException {
    Entry entry = entry(name);
    long[] shape = entry.shape();
    if (axis >= shape.length || shape[axis] != order.length) {
      throw wrong(
          "tensor "
              + Quoting.quoted(name)
              + " must have "
              + order.length
              + " slices along axis "
              + axis
              + ", but is "
              + Arrays.toString(shape),
          "Give an order for as many.");
    }
    int inner = 1;
    for (int i = axis + 1; i < shape.length; i++) {
      inner *= (int) shape[i];
    }
    double[] values = new double[entry.values().length];
    for (int at = 0; at < values.length; at += inner) {
      int row = at / inner / order.length;
      int slice = row * order.length + order[at / inner % order.length];
      System.arraycopy(entry.values(), slice * inner, values, at, inner);
    }
    Map<String, Entry> result = new LinkedHashMap<>(entries);
    result.put(name, new Entry(entry.dtype(), shape, values));
    return new Weights(source, result);
  }

  /**
   * Overwrites all parameters of a model, as {@code load_state_dict(strict=True)} does.
   *
   * @throws FileFormatException if a tensor is missing, belongs to no parameter, has another shape,
   *     or holds integers, NaN or infinity; the message names it, and nothing is changed
   */
  public void load(Parameters parameters) throws FileFormatException {
    for (String name : parameters.names()) {
      check(name, shape(parameters.get(name)));
    }
    List<String> left =
        names().stream().filter(name -> !parameters.names().contains(name)).toList();
    if (!left.isEmpty()) {
      throw wrong(
          (left.size() == 1 ? "this tensor belongs" : "these tensors belong")
              + " to no parameter of the model: "
              + shown(left.stream()),
          left.stream().anyMatch(name -> name.contains(PROJECTION))
              ? "An LSTM with proj_size has no counterpart here; train it without."
              : "Rename them, leave them out, or build the model that they come from.");
    }
    entries.forEach((name, entry) -> parameters.set(name, entry.values()));
  }

  private void check(String name, long[] wanted) throws FileFormatException {
    if (!entries.containsKey(name)) {
      throw wrong(
          "has no tensor " + Quoting.quoted(name) + "; " + available(name),
          isBias(name)
              ? "If the layer was built with bias=False, add withZeroBiases."
              : "Rename one to it, or build the model that these weights come from.");
    }
    Entry entry = entries.get(name);
    if (!Arrays.equals(entry.shape(), wanted)) {
      throw wrong(
          "tensor "
              + Quoting.quoted(name)
              + " is "
              + Arrays.toString(entry.shape())
              + ", but the model needs "
              + Arrays.toString(wanted),
          "Build the model with the cell and the sizes that these weights come from.");
    }
    if (!entry.dtype().floating()) {
      throw wrong(
          "tensor " + Quoting.quoted(name) + " holds " + entry.dtype() + ", but must hold reals",
          "Rename the tensor that holds the weights to it.");
    }
    for (int i = 0; i < entry.values().length; i++) {
      if (!Double.isFinite(entry.values()[i])) {
        throw wrong(
            "tensor "
                + Quoting.quoted(name)
                + " holds "
                + entry.values()[i]
                + " at flat index "
                + i,
            "Take weights from before the training diverged.");
      }
    }
  }

  /**
   * Writes a safetensors file whose tensors {@code load_state_dict(load_file(path), strict=True)}
   * takes in PyTorch, if the layers have the same names there.
   *
   * @param metadata strings for whoever reads the file; PyTorch ignores them
   * @throws IllegalArgumentException if there are peepholes, which PyTorch has not
   * @throws IOException if it cannot be written; an older file stays
   */
  public void writeStateDict(Path path, Map<String, String> metadata) throws IOException {
    SafetensorsBuilder file = Safetensors.builder();
    metadata.forEach(file::metadata);
    for (Map.Entry<String, Entry> each : entries.entrySet()) {
      String name = each.getKey();
      Entry entry = each.getValue();
      if (name.contains(UNIT)) {
        throw new IllegalArgumentException(
            "tensor "
                + Quoting.quoted(name)
                + " holds peepholes, which torch.nn.LSTM has not; export this model as ONNX, or"
                + " train the cell lstm");
      }
      switch (entry.dtype()) {
        case F64 -> file.put(name, entry.values(), entry.shape());
        case F32 -> file.put(name, floats(entry.values()), entry.shape());
        default ->
            file.put(
                name,
                Arrays.stream(entry.values()).mapToLong(v -> (long) v).toArray(),
                entry.shape());
      }
    }
    file.writeTo(path);
  }

  private Entry entry(String name) throws FileFormatException {
    if (!entries.containsKey(name)) {
      throw wrong(
          "has no tensor " + Quoting.quoted(name) + "; " + available(name), "Check the name.");
    }
    return entries.get(name);
  }

  private void requireAny(String prefix) throws FileFormatException {
    if (names().stream().noneMatch(name -> name.startsWith(prefix))) {
      throw wrong(
          "no tensor has a name that begins with "
              + Quoting.quoted(prefix)
              + "; "
              + available(prefix),
          "Check the beginning of the names.");
    }
  }

  private String available(String wanted) {
    if (entries.isEmpty()) {
      return "there are none";
    }
    Function<String, Integer> distance = name -> Quoting.distance(name, wanted);
    return (entries.size() <= NAMES_SHOWN ? "there are " : "nearest of " + entries.size() + ": ")
        + shown(names().stream().sorted(Comparator.comparing(distance)));
  }

  private static String shown(Stream<String> names) {
    return names.limit(NAMES_SHOWN).map(Quoting::quoted).collect(Collectors.joining(", "));
  }

  /**
   * That these weights are not what they should be.
   *
   * @param problem what was found and what is allowed, without a full stop
   * @param cure what to do about it, in whole sentences
   */
  public FileFormatException wrong(String problem, String cure) {
    return new FileFormatException(source, problem, cure);
  }

  private static String layer(String name) {
    return name.substring(0, name.lastIndexOf('.') + 1);
  }

  private static boolean isBias(String name) {
    return name.startsWith("bias", name.lastIndexOf('.') + 1);
  }

  private static long[] shape(Tensor tensor) {
    return Arrays.stream(tensor.shape()).asLongStream().toArray();
  }

  /** Rounded to nearest. */
  static float[] floats(double[] values) {
    float[] rounded = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = (float) values[i];
    }
    return rounded;
  }
}
