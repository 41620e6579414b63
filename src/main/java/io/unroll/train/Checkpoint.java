package io.unroll.train;

import io.unroll.FileFormatException;
import io.unroll.Precision;
import io.unroll.device.Device;
import io.unroll.device.Span;
import io.unroll.io.Safetensors;
import io.unroll.io.SafetensorsBuilder;
import io.unroll.nn.Parameters;
import io.unroll.nn.RecurrentState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A training that stands still: a safetensors file with the weights under their own names, the
 * optimizer's state as {@code optimizer.STATE.NAME}, the best weights so far as {@code best.NAME},
 * carried states as {@code carried.NAME}, and counters and configuration in the metadata.
 *
 * <p>A file is written beside the old one and takes its place when it is complete, so there is
 * always a readable one. Restoring checks everything before it changes anything.
 */
public final class Checkpoint implements AutoCloseable {
  private static final String VERSION_KEY = "unroll.checkpoint";
  private static final String VERSION = "1";
  private static final String METHOD_KEY = "optimizer.method";

  private final Safetensors file;

  private Checkpoint(Safetensors file) {
    this.file = file;
  }

  /** Collects what a checkpoint shall hold, beginning with the weights. */
  public static Writer of(Parameters parameters) {
    return new Writer(parameters);
  }

  /**
   * Opens a checkpoint.
   *
   * @throws FileFormatException if the file is no checkpoint of this version, or is damaged
   * @throws IOException if it cannot be read
   */
  public static Checkpoint read(Path path) throws IOException {
    Safetensors file = Safetensors.read(path);
    String version = file.metadata().get(VERSION_KEY);
    if (!VERSION.equals(version)) {
      file.close();
      throw new FileFormatException(
          path.toString(),
          version == null
              ? "is a safetensors file, but no checkpoint of Unroll"
              : "is a checkpoint of version " + version + ", but this build reads " + VERSION,
          version == null ? "Give a file that train has written." : "Use the build that wrote it.");
    }
    return new Checkpoint(file);
  }

  /** The configuration that was stored with it. */
  public Map<String, String> metadata() {
    return file.metadata();
  }

  /**
   * A value of {@link #metadata}.
   *
   * @throws FileFormatException if it is missing
   */
  public String metadata(String key) throws IOException {
    String value = file.metadata().get(key);
    if (value == null) {
      throw damaged("has no metadata \"" + key + "\"");
    }
    return value;
  }

  /** The file, for messages. */
  public String path() {
    return file.path().toString();
  }

  /**
   * Overwrites parameters with the stored weights.
   *
   * @throws FileFormatException if one is missing, has another shape, or holds NaN or infinity;
   *     then nothing is changed
   */
  public void restore(Parameters parameters) throws IOException {
    Loads loads = new Loads(parameters.kernels().device());
    loads.addAll("", parameters, parameters.values());
    loads.apply();
  }

  /**
   * Overwrites a trainer, its parameters, its tape and its optimizer, so that it continues bit for
   * bit.
   *
   * @throws FileFormatException if something is missing or does not fit; then nothing is changed
   */
  public void restore(Trainer trainer) throws IOException {
    Parameters parameters = trainer.parameters();
    OptimizerConfig.Method method = trainer.optimizer().config().method();
    if (!metadata(METHOD_KEY).equals(method.name())) {
      throw new FileFormatException(
          path(),
          "was trained with " + metadata(METHOD_KEY) + ", but the optimizer is " + method,
          "Resume with the same optimizer, or start from the weights alone.");
    }
    Trainer.State state =
        new Trainer.State(
            integer("trainer.step"),
            integer("trainer.optimizer_steps"),
            integer("trainer.random_position"),
            real("trainer.validation_loss"),
            real("trainer.best_loss"),
            (int) integer("trainer.evaluations_since_best"));
    Loads loads = new Loads(parameters.kernels().device());
    loads.addAll("", parameters, parameters.values());
    for (int i = 0; i < method.states().size(); i++) {
      String prefix = "optimizer." + method.states().get(i) + ".";
      loads.addAll(prefix, parameters, trainer.optimizer().state(i));
    }
    if (file.names().stream().anyMatch(name -> name.startsWith("best."))) {
      loads.addAll("best.", parameters, trainer.bestWeights());
    }
    loads.apply();
    trainer.restore(state);
  }

  /**
   * Overwrites a carried state.
   *
   * @throws FileFormatException if there is none of that name, or of another size
   */
  public void restore(String name, RecurrentState state) throws IOException {
    double[] values = file.doubles("carried." + name);
    if (values.length != state.size()) {
      throw new FileFormatException(
          path(),
          "carries "
              + values.length
              + " state values, but these layers and this batch need "
              + state.size(),
          "Resume with the same batch.");
    }
    state.set(values);
  }

  private long integer(String key) throws IOException {
    try {
      return Long.parseLong(metadata(key));
    } catch (NumberFormatException e) {
      throw damaged("metadata \"" + key + "\" is \"" + metadata(key) + "\", not a whole number");
    }
  }

  private double real(String key) throws IOException {
    try {
      return Double.parseDouble(metadata(key));
    } catch (NumberFormatException e) {
      throw damaged("metadata \"" + key + "\" is \"" + metadata(key) + "\", not a number");
    }
  }

  private FileFormatException damaged(String problem) {
    return new FileFormatException(
        path(), problem, "Take another checkpoint; this one is damaged.");
  }

  /** Closes the file. */
  @Override
  public void close() throws IOException {
    file.close();
  }

  /** Tensors that are all read and checked before the first is copied to the device. */
  private final class Loads {
    private final Device device;
    private final Map<String, Span> targets = new LinkedHashMap<>();
    private final List<double[]> values = new ArrayList<>();

    Loads(Device device) {
      this.device = device;
    }

    void addAll(String prefix, Parameters parameters, Span layout) throws IOException {
      for (String name : parameters.names()) {
        long[] wanted = Arrays.stream(parameters.get(name).shape()).asLongStream().toArray();
        add(prefix + name, wanted, parameters.within(name, layout));
      }
    }

    private void add(String name, long[] wanted, Span target) throws IOException {
      if (!file.names().contains(name)) {
        throw new FileFormatException(
            path(),
            "has no tensor \"" + name + "\"",
            "Use the cell, the layers and the optimizer that it was trained with.");
      }
      if (!Arrays.equals(file.shape(name), wanted)) {
        throw new FileFormatException(
            path(),
            "tensor \""
                + name
                + "\" is "
                + Arrays.toString(file.shape(name))
                + ", but this model needs "
                + Arrays.toString(wanted),
            "Use the sizes and the vocabulary that it was trained with.");
      }
      double[] read = file.doubles(name);
      for (int i = 0; i < read.length; i++) {
        if (!Double.isFinite(read[i])) {
          throw new FileFormatException(
              path(),
              "tensor \"" + name + "\" holds " + read[i] + " at flat index " + i,
              "Go back to an earlier checkpoint; these weights have diverged.");
        }
      }
      targets.put(name, target);
      values.add(read);
    }

    void apply() {
      int next = 0;
      for (Span target : targets.values()) {
        double[] read = values.get(next++);
        device.copyIn(read, 0, target.buffer(), target.at(), read.length);
      }
    }
  }

  /** Collects what a checkpoint shall hold. */
  public static final class Writer {
    private final Parameters parameters;
    private final Device device;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, RecurrentState> carried = new LinkedHashMap<>();
    private Trainer trainer;

    private Writer(Parameters parameters) {
      this.parameters = parameters;
      this.device = parameters.kernels().device();
    }

    /** Adds a string of the model's configuration. */
    public Writer metadata(String key, String value) {
      metadata.put(key, value);
      return this;
    }

    /** Adds the optimizer's state and the counters of a trainer, so that it can be resumed. */
    public Writer trainer(Trainer added) {
      trainer = added;
      return this;
    }

    /** Adds a carried state. */
    public Writer carried(String name, RecurrentState state) {
      carried.put(name, state);
      return this;
    }

    /**
     * Writes the file.
     *
     * @throws TrainingDivergedException if a weight is NaN or infinite; an older file stays
     * @throws IOException if it cannot be written; an older file stays
     */
    public void write(Path path) throws IOException {
      SafetensorsBuilder file = Safetensors.builder().metadata(VERSION_KEY, VERSION);
      metadata.forEach(file::metadata);
      putAll(file, "", parameters.values());
      if (trainer != null) {
        putTrainer(file);
      }
      for (Map.Entry<String, RecurrentState> entry : carried.entrySet()) {
        double[] values = entry.getValue().toDoubles();
        put(file, "carried." + entry.getKey(), values, values.length);
      }
      file.writeTo(path);
    }

    private void putTrainer(SafetensorsBuilder file) {
      List<String> states = trainer.optimizer().config().method().states();
      for (int i = 0; i < states.size(); i++) {
        putAll(file, "optimizer." + states.get(i) + ".", trainer.optimizer().state(i));
      }
      if (trainer.hasBestWeights()) {
        putAll(file, "best.", trainer.bestWeights());
      }
      Trainer.State state = trainer.state();
      file.metadata(METHOD_KEY, trainer.optimizer().config().method().name())
          .metadata("trainer.step", Long.toString(state.step()))
          .metadata("trainer.optimizer_steps", Long.toString(state.optimizerSteps()))
          .metadata("trainer.random_position", Long.toString(state.randomPosition()))
          .metadata("trainer.validation_loss", Double.toString(state.validationLoss()))
          .metadata("trainer.best_loss", Double.toString(state.bestLoss()))
          .metadata(
              "trainer.evaluations_since_best", Integer.toString(state.evaluationsSinceBest()));
    }

    private void putAll(SafetensorsBuilder file, String prefix, Span layout) {
      for (String name : parameters.names()) {
        Span span = parameters.within(name, layout);
        long[] shape = Arrays.stream(parameters.get(name).shape()).asLongStream().toArray();
        double[] exact = new double[Math.toIntExact(span.length())];
        device.copyOut(span.buffer(), span.at(), exact, 0, exact.length);
        requireFinite(prefix + name, exact);
        put(file, prefix + name, exact, shape);
      }
    }

    /** In the device's own precision, so that nothing is lost and nothing is doubled. */
    private void put(SafetensorsBuilder file, String name, double[] exact, long... shape) {
      if (device.precision() == Precision.FP64) {
        file.put(name, exact, shape);
        return;
      }
      float[] rounded = new float[exact.length];
      for (int i = 0; i < exact.length; i++) {
        rounded[i] = (float) exact[i];
      }
      file.put(name, rounded, shape);
    }

    private static void requireFinite(String name, double[] values) {
      for (double value : values) {
        if (!Double.isFinite(value)) {
          throw new TrainingDivergedException(
              "tensor \""
                  + name
                  + "\" holds "
                  + value
                  + ", so no checkpoint was written; the older one is untouched. Resume from it"
                  + " with a smaller learning rate");
        }
      }
    }
  }
}
