package io.unroll.train;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Kernel;
import io.unroll.device.Span;
import io.unroll.nn.Parameters;
import io.unroll.train.OptimizerConfig.Method;
import java.util.List;

/**
 * Updates parameters from their gradients, in one launch over all of them. Its state lies beside
 * the parameters on the device.
 */
public final class Optimizer implements AutoCloseable {
  private final Parameters parameters;
  private final OptimizerConfig config;
  private final DeviceBuffer[] buffers;
  private final Span[] states;
  private final double[] numbers;
  private long steps;

  /** An optimizer whose state is zero. */
  public Optimizer(Parameters parameters, OptimizerConfig config) {
    this.parameters = parameters;
    this.config = config;
    List<String> names = config.method().states();
    this.buffers = new DeviceBuffer[names.size()];
    this.states = new Span[buffers.length];
    for (int i = 0; i < buffers.length; i++) {
      long size = parameters.values().length();
      buffers[i] =
          parameters
              .kernels()
              .device()
              .allocate(ElementType.REAL, size, "optimizer " + names.get(i));
      states[i] = Span.of(buffers[i]);
      parameters.kernels().fill(states[i], 0);
    }
    this.numbers =
        switch (config.method()) {
          case SGD -> new double[] {0, config.weightDecay()};
          case MOMENTUM -> new double[] {0, config.beta1(), config.weightDecay()};
          case ADAGRAD -> new double[] {0, config.epsilon(), config.weightDecay()};
          case RMSPROP -> new double[] {0, config.beta2(), config.epsilon(), config.weightDecay()};
          case ADAM, ADAMW -> adamNumbers(config);
        };
  }

  private static double[] adamNumbers(OptimizerConfig config) {
    boolean decoupled = config.method() == Method.ADAMW;
    double decay = config.weightDecay();
    return new double[] {
      0,
      config.beta1(),
      config.beta2(),
      config.epsilon(),
      decoupled ? 0 : decay,
      decoupled ? decay : 0,
      1,
      1
    };
  }

  /** Its method and numbers. */
  public OptimizerConfig config() {
    return config;
  }

  /** How many updates it has made. */
  public long steps() {
    return steps;
  }

  /** Updates all parameters with the configured learning rate. */
  public void step() {
    step(config.learningRate());
  }

  /**
   * Updates all parameters.
   *
   * @param learningRate the step size of this update
   */
  public void step(double learningRate) {
    steps++;
    numbers[0] = learningRate;
    if (config.method().kernel() == Kernel.ADAM) {
      numbers[6] = 1 - Math.pow(config.beta1(), (double) steps);
      numbers[7] = 1 - Math.pow(config.beta2(), (double) steps);
    }
    parameters
        .kernels()
        .optimizerStep(
            config.method().kernel(), parameters.values(), parameters.gradients(), states, numbers);
  }

  /** Continues the count of updates, together with the states: for checkpoints. */
  void restoreSteps(long count) {
    steps = count;
  }

  /** State i of {@link Method#states}, laid out like the parameters. */
  Span state(int i) {
    return states[i];
  }

  /** Frees the state. */
  @Override
  public void close() {
    for (DeviceBuffer buffer : buffers) {
      buffer.close();
    }
  }
}
