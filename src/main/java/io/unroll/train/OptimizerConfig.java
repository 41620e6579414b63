package io.unroll.train;

import io.unroll.device.Kernel;
import java.util.List;

/**
 * An optimizer's method and numbers; formulas in docs/equations.md, defaults those of {@code
 * torch.optim}.
 *
 * @param method the rule
 * @param learningRate the step size, above 0
 * @param beta1 decay of the first moment: momentum's mu, Adam's beta1; in [0, 1)
 * @param beta2 decay of the second moment: RMSprop's alpha, Adam's beta2; in [0, 1)
 * @param epsilon added to the denominator, above 0
 * @param weightDecay L2 penalty added to the gradient; for {@link Method#ADAMW} taken off the
 *     weight
 */
public record OptimizerConfig(
    Method method,
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay) {

  /** The rules, with their state per parameter under PyTorch's names. */
  public enum Method {
    /** Stochastic gradient descent. */
    SGD(Kernel.SGD),
    /** SGD with heavy-ball momentum, in PyTorch's form: no dampening. */
    MOMENTUM(Kernel.MOMENTUM, "momentum_buffer"),
    /** Duchi et al., "Adaptive subgradient methods", JMLR 2011. */
    ADAGRAD(Kernel.ADAGRAD, "sum"),
    /** Tieleman and Hinton, Coursera lecture 6.5, 2012. */
    RMSPROP(Kernel.RMSPROP, "square_avg"),
    /** Kingma and Ba, "Adam", ICLR 2015. */
    ADAM(Kernel.ADAM, "exp_avg", "exp_avg_sq"),
    /** Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. */
    ADAMW(Kernel.ADAM, "exp_avg", "exp_avg_sq");

    private final Kernel kernel;
    private final List<String> states;

    Method(Kernel kernel, String... states) {
      this.kernel = kernel;
      this.states = List.of(states);
    }

    Kernel kernel() {
      return kernel;
    }

    /** Names of the state it keeps for every parameter. */
    public List<String> states() {
      return states;
    }
  }

  /** Checks the numbers. */
  public OptimizerConfig {
    require("learning rate", learningRate, learningRate > 0, "above 0");
    require("beta1", beta1, beta1 >= 0 && beta1 < 1, "in [0, 1)");
    require("beta2", beta2, beta2 >= 0 && beta2 < 1, "in [0, 1)");
    require("epsilon", epsilon, epsilon > 0, "above 0");
    require("weight decay", weightDecay, weightDecay >= 0, "at least 0");
  }

  private static void require(String what, double found, boolean good, String allowed) {
    if (!good || Double.isInfinite(found)) {
      throw new IllegalArgumentException(what + " must be " + allowed + ", but is " + found);
    }
  }

  /**
   * A method with its usual numbers: mu 0.9, RMSprop's alpha 0.99, Adam's betas 0.9 and 0.999,
   * epsilon 1e-8 (Adagrad 1e-10), weight decay 0 (AdamW 0.01).
   */
  public static OptimizerConfig of(Method method, double learningRate) {
    double beta2 = method == Method.RMSPROP ? 0.99 : 0.999;
    double epsilon = method == Method.ADAGRAD ? 1e-10 : 1e-8;
    double weightDecay = method == Method.ADAMW ? 0.01 : 0;
    return new OptimizerConfig(method, learningRate, 0.9, beta2, epsilon, weightDecay);
  }

  /** Adam with its usual numbers. */
  public static OptimizerConfig adam(double learningRate) {
    return of(Method.ADAM, learningRate);
  }

  /** The same with other decays of the moments. */
  public OptimizerConfig withBetas(double first, double second) {
    return new OptimizerConfig(method, learningRate, first, second, epsilon, weightDecay);
  }

  /** The same with another epsilon. */
  public OptimizerConfig withEpsilon(double other) {
    return new OptimizerConfig(method, learningRate, beta1, beta2, other, weightDecay);
  }

  /** The same with another weight decay. */
  public OptimizerConfig withWeightDecay(double other) {
    return new OptimizerConfig(method, learningRate, beta1, beta2, epsilon, other);
  }
}
