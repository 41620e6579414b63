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
  // Places of the numbers that change from update to update; the others are in the order of Kernel.
  private static final int RATE = 0;
  private static final int ADAM_CORRECTION_2 = 5;
  private static final int ADAM_SHRINK = 8;

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
          case RMSPROP -> rmspropNumbers(config);
          case ADAM, ADAMW -> adamNumbers(config);
        };
  }

  private static double[] rmspropNumbers(OptimizerConfig config) {
    double alpha = config.beta2();
    return new double[] {0, alpha, 1 - alpha, config.epsilon(), config.weightDecay()};
  }

  private static double[] adamNumbers(OptimizerConfig config) {
    double b1 = config.beta1();
    double b2 = config.beta2();
    double decay = config.method() == Method.ADAM ? config.weightDecay() : 0;
    return new double[] {0, b1, 1 - b1, b2, 1 - b2, 0, config.epsilon(), decay, 0};
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
    numbers[RATE] = learningRate;
    if (config.method().kernel() == Kernel.ADAM) {
      numbers[RATE] = learningRate / (1 - Math.pow(config.beta1(), (double) steps));
      numbers[ADAM_CORRECTION_2] = 1 / (1 - Math.pow(config.beta2(), (double) steps));
      boolean decoupled = config.method() == Method.ADAMW;
      numbers[ADAM_SHRINK] = decoupled ? learningRate * config.weightDecay() : 0;
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
