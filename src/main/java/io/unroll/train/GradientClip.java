package io.unroll.train;

import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Span;
import io.unroll.nn.Parameters;

/**
 * Keeps gradients from exploding: Pascanu et al., "On the difficulty of training recurrent neural
 * networks", ICML 2013. Everything stays on the device.
 */
public final class GradientClip implements AutoCloseable {
  private static final int PARTS = 256;

  private final Parameters parameters;
  private final DeviceBuffer partial;
  private final DeviceBuffer normAndFactor;
  private final Span partialSpan;
  private final Span norm;
  private final Span factor;

  /** Clips the gradients of these parameters. */
  public GradientClip(Parameters parameters) {
    this.parameters = parameters;
    Device device = parameters.kernels().device();
    partial = device.allocate(ElementType.REAL, PARTS, "gradient norm parts");
    normAndFactor = device.allocate(ElementType.REAL, 2, "gradient norm");
    partialSpan = Span.of(partial);
    norm = Span.of(normAndFactor);
    factor = norm.slice(1, 1);
  }

  /**
   * Scales all gradients by one factor so that their global norm is at most maxNorm, as {@code
   * torch.nn.utils.clip_grad_norm_}.
   */
  public void byNorm(double maxNorm) {
    parameters.kernels().squareSum(parameters.gradients(), partialSpan);
    parameters.kernels().clipFactor(partialSpan, norm, maxNorm);
    parameters.kernels().scaleBy(parameters.gradients(), factor);
  }

  /** Moves each element into [-limit, limit], as {@code torch.nn.utils.clip_grad_value_}. */
  public void byValue(double limit) {
    parameters.kernels().clamp(parameters.gradients(), limit);
  }

  /** Waits for the device and returns the global norm that {@link #byNorm} found. */
  public double latestNorm() {
    double[] host = new double[1];
    parameters.kernels().device().copyOut(normAndFactor, 0, host, 0, 1);
    return host[0];
  }

  /** Frees its memory. */
  @Override
  public void close() {
    partial.close();
    normAndFactor.close();
  }
}
