package io.unroll.reference;

import static io.unroll.reference.Sequence.requireLength;

/**
 * Attention of T queries to the S steps of a source, for each row of a batch by itself, as in
 * docs/equations.md. The oracle for {@code io.unroll.nn.Attention} between its linear layers.
 */
public final class ReferenceAttention {
  private final Arithmetic arithmetic;

  /** Rounds as the arithmetic does. */
  public ReferenceAttention(Arithmetic arithmetic) {
    this.arithmetic = arithmetic;
  }

  /**
   * What is attended to.
   *
   * @param batch B
   * @param keys k [S,B,D], what queries are compared with
   * @param source s [S,B,E], of which the context is a mean
   * @param lengths of each row [B], each from 1 to S, or null if all are S
   * @param scale α, what scores are multiplied with
   * @param v [D] for the score v · tanh(q + k); null for q · k
   */
  public record Source(
      int batch, double[] keys, double[] source, int[] lengths, double scale, double[] v) {}

  /**
   * The results, and what {@link #backward} needs.
   *
   * @param queries as they were given [T,B,D]
   * @param steps T
   * @param context [T,B,E]
   * @param weights [T,B,S]
   */
  public record Forward(
      Source source, double[] queries, int steps, double[] context, double[] weights) {}

  /**
   * Gradients in the shapes of what they belong to.
   *
   * @param dSource of the mean alone; where keys are the source as well, dKeys has their other part
   * @param dV null without v
   */
  public record Gradients(double[] dQueries, double[] dKeys, double[] dSource, double[] dV) {}

  /** The sizes of a problem, from the lengths of its arrays. */
  private record Sizes(int t, int b, int s, int d, int e) {
    static Sizes of(Source source, double[] queries, int steps) {
      int d = queries.length / steps / source.batch;
      int s = source.keys.length / source.batch / d;
      Sizes n = new Sizes(steps, source.batch, s, d, source.source.length / s / source.batch);
      requireLength("queries [T,B,D]", queries, n.t * n.b * n.d);
      requireLength("keys [S,B,D]", source.keys, n.s * n.b * n.d);
      requireLength("source [S,B,E]", source.source, n.s * n.b * n.e);
      return n;
    }
  }

  /**
   * Weights and contexts.
   *
   * @param queries q [T,B,D]; not changed
   * @param steps T
   * @throws IllegalArgumentException if the sizes disagree
   */
  public Forward forward(Source source, double[] queries, int steps) {
    Sizes n = Sizes.of(source, queries, steps);
    double[] weights = new double[n.t * n.b * n.s];
    double[] context = new double[n.t * n.b * n.e];
    for (int row = 0; row < n.t * n.b; row++) {
      int b = row % n.b;
      int length = source.lengths == null ? n.s : source.lengths[b];
      double[] scores = new double[length];
      for (int s = 0; s < length; s++) {
        scores[s] = score(source, queries, row * n.d, (s * n.b + b) * n.d, n.d);
      }
      softmax(scores, source.scale, weights, row * n.s);
      for (int e = 0; e < n.e; e++) {
        double sum = 0;
        for (int s = 0; s < length; s++) {
          sum =
              arithmetic.multiplyAdd(
                  sum, weights[row * n.s + s], source.source[(s * n.b + b) * n.e + e]);
        }
        context[row * n.e + e] = sum;
      }
    }
    return new Forward(source, queries, steps, context, weights);
  }

  private double score(Source source, double[] queries, int query, int key, int d) {
    double sum = 0;
    for (int a = 0; a < d; a++) {
      double q = queries[query + a];
      double k = source.keys[key + a];
      sum =
          source.v == null
              ? arithmetic.multiplyAdd(sum, q, k)
              : arithmetic.add(sum, source.v[a] * unit(q, k));
    }
    return sum;
  }

  private double unit(double q, double k) {
    return arithmetic.round(Math.tanh(arithmetic.add(q, k)));
  }

  private void softmax(double[] scores, double scale, double[] weights, int at) {
    double largest = Double.NEGATIVE_INFINITY;
    for (double score : scores) {
      largest = Math.max(largest, arithmetic.round(scale * score));
    }
    double sum = 0;
    for (int s = 0; s < scores.length; s++) {
      double below = arithmetic.add(scale * scores[s], -largest);
      weights[at + s] = arithmetic.round(Math.exp(below));
      sum = arithmetic.add(sum, weights[at + s]);
    }
    for (int s = 0; s < scores.length; s++) {
      weights[at + s] = arithmetic.round(weights[at + s] / sum);
    }
  }

  /**
   * The gradients of a loss.
   *
   * @param dContext its gradient by the context [T,B,E]; not changed
   */
  public Gradients backward(Forward forward, double[] dContext) {
    Source source = forward.source;
    Sizes n = Sizes.of(source, forward.queries, forward.steps);
    requireLength("dContext [T,B,E]", dContext, forward.context.length);
    Gradients gradients =
        new Gradients(
            new double[forward.queries.length],
            new double[source.keys.length],
            new double[source.source.length],
            source.v == null ? null : new double[source.v.length]);
    for (int row = 0; row < n.t * n.b; row++) {
      double[] dScores = scoreGradients(forward, dContext, row, n, gradients.dSource);
      for (int s = 0; s < dScores.length; s++) {
        int key = (s * n.b + row % n.b) * n.d;
        scoreBackward(forward, row * n.d, key, n.d, dScores[s], gradients);
      }
    }
    return gradients;
  }

  /** The gradient by the scores of one query; adds to dSource. */
  private double[] scoreGradients(
      Forward forward, double[] dContext, int row, Sizes n, double[] dSource) {
    Source source = forward.source;
    int b = row % n.b;
    int length = source.lengths == null ? n.s : source.lengths[b];
    double[] dWeights = new double[length];
    double dot = 0;
    for (int s = 0; s < length; s++) {
      double weight = forward.weights[row * n.s + s];
      for (int e = 0; e < n.e; e++) {
        int at = (s * n.b + b) * n.e + e;
        double dC = dContext[row * n.e + e];
        dWeights[s] = arithmetic.multiplyAdd(dWeights[s], dC, source.source[at]);
        dSource[at] = arithmetic.multiplyAdd(dSource[at], weight, dC);
      }
      dot = arithmetic.add(dot, weight * dWeights[s]);
    }
    double[] dScores = new double[length];
    for (int s = 0; s < length; s++) {
      double weight = forward.weights[row * n.s + s];
      dScores[s] = arithmetic.round(source.scale * weight * arithmetic.add(dWeights[s], -dot));
    }
    return dScores;
  }

  private void scoreBackward(
      Forward forward, int query, int key, int d, double dScore, Gradients gradients) {
    double[] v = forward.source.v;
    for (int a = 0; a < d; a++) {
      double q = forward.queries[query + a];
      double k = forward.source.keys[key + a];
      double[] dQ = gradients.dQueries;
      double[] dK = gradients.dKeys;
      if (v == null) {
        dQ[query + a] = arithmetic.multiplyAdd(dQ[query + a], dScore, k);
        dK[key + a] = arithmetic.multiplyAdd(dK[key + a], dScore, q);
      } else {
        double unit = unit(q, k);
        double inner = arithmetic.round(dScore * v[a] * (1 - unit * unit));
        dQ[query + a] = arithmetic.add(dQ[query + a], inner);
        dK[key + a] = arithmetic.add(dK[key + a], inner);
        gradients.dV[a] = arithmetic.add(gradients.dV[a], dScore * unit);
      }
    }
  }
}
