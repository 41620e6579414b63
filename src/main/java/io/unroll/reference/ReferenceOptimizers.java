package io.unroll.reference;

/**
 * One step of each optimizer, and the clip by global norm, in float64, as in docs/equations.md. w
 * is a parameter, g its gradient; w and the optimizer's own arrays, which begin as zeros, are
 * changed in place. All arrays of a call have the length of w. Gradients are not changed, except by
 * {@link #clip}.
 */
public final class ReferenceOptimizers {
  private ReferenceOptimizers() {}

  /**
   * Stochastic gradient descent.
   *
   * @param rate learning rate
   * @param decay weight decay, added to the gradient
   */
  public record Sgd(double rate, double decay) {
    /** w -= rate g', with g' = g + decay w. */
    public void step(double[] w, double[] g) {
      for (int k = 0; k < w.length; k++) {
        w[k] -= rate * (g[k] + decay * w[k]);
      }
    }
  }

  /**
   * Gradient descent with momentum as in PyTorch, where the rate multiplies the velocity when it is
   * used: Sutskever et al., "On the importance of initialization and momentum in deep learning",
   * 2013.
   *
   * @param rate learning rate
   * @param mu how much of the velocity stays
   * @param decay weight decay, added to the gradient
   */
  public record Momentum(double rate, double mu, double decay) {
    /** m = mu m + g'; w -= rate m. */
    public void step(double[] w, double[] g, double[] m) {
      for (int k = 0; k < w.length; k++) {
        m[k] = mu * m[k] + g[k] + decay * w[k];
        w[k] -= rate * m[k];
      }
    }
  }

  /**
   * Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization",
   * 2011.
   *
   * @param rate learning rate
   * @param epsilon added to the root
   * @param decay weight decay, added to the gradient
   */
  public record Adagrad(double rate, double epsilon, double decay) {
    /** a += g'^2; w -= rate g' / (sqrt(a) + epsilon). */
    public void step(double[] w, double[] g, double[] a) {
      for (int k = 0; k < w.length; k++) {
        double decayed = g[k] + decay * w[k];
        a[k] += decayed * decayed;
        w[k] -= rate * decayed / (Math.sqrt(a[k]) + epsilon);
      }
    }
  }

  /**
   * Tieleman and Hinton, "Lecture 6.5 - rmsprop", 2012.
   *
   * @param rate learning rate
   * @param alpha how much of the mean square stays
   * @param epsilon added to the root
   * @param decay weight decay, added to the gradient
   */
  public record RmsProp(double rate, double alpha, double epsilon, double decay) {
    /** a = alpha a + (1-alpha) g'^2; w -= rate g' / (sqrt(a) + epsilon). */
    public void step(double[] w, double[] g, double[] a) {
      for (int k = 0; k < w.length; k++) {
        double decayed = g[k] + decay * w[k];
        a[k] = alpha * a[k] + (1 - alpha) * decayed * decayed;
        w[k] -= rate * decayed / (Math.sqrt(a[k]) + epsilon);
      }
    }
  }

  /**
   * Kingma and Ba, "Adam: a method for stochastic optimization", 2015; with a decoupled decay
   * AdamW, Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
   *
   * @param rate learning rate
   * @param beta1 how much of the mean stays
   * @param beta2 how much of the mean square stays
   * @param epsilon added to the root
   * @param decay weight decay, added to the gradient
   * @param decoupledDecay weight decay of AdamW, times the rate, taken from w before the step
   */
  public record Adam(
      double rate,
      double beta1,
      double beta2,
      double epsilon,
      double decay,
      double decoupledDecay) {
    /**
     * m = beta1 m + (1-beta1) g'; v = beta2 v + (1-beta2) g'^2; w -= rate m^ / (sqrt(v^) +
     * epsilon), with m^ = m/(1-beta1^step) and v^ = v/(1-beta2^step).
     *
     * @param step 1 for the first
     */
    public void step(double[] w, double[] g, double[] m, double[] v, int step) {
      double correction1 = 1 - Math.pow(beta1, step);
      double correction2 = 1 - Math.pow(beta2, step);
      for (int k = 0; k < w.length; k++) {
        w[k] -= rate * decoupledDecay * w[k];
        double decayed = g[k] + decay * w[k];
        m[k] = beta1 * m[k] + (1 - beta1) * decayed;
        v[k] = beta2 * v[k] + (1 - beta2) * decayed * decayed;
        w[k] -= rate * (m[k] / correction1) / (Math.sqrt(v[k] / correction2) + epsilon);
      }
    }
  }

  /** The square root of the sum of the squares of all values of all arrays. */
  public static double globalNorm(double[]... gradients) {
    double sum = 0;
    for (double[] gradient : gradients) {
      for (double g : gradient) {
        sum += g * g;
      }
    }
    return Math.sqrt(sum);
  }

  /**
   * Multiplies all gradients by min(1, maxNorm / (norm + 1e-6)), as {@code
   * torch.nn.utils.clip_grad_norm_}: Pascanu et al., "On the difficulty of training recurrent
   * neural networks", 2013.
   *
   * @return the global norm before the clip
   */
  public static double clip(double maxNorm, double[]... gradients) {
    double norm = globalNorm(gradients);
    double factor = Math.min(1, maxNorm / (norm + 1e-6));
    for (double[] gradient : gradients) {
      for (int k = 0; k < gradient.length; k++) {
        gradient[k] *= factor;
      }
    }
    return norm;
  }
}
