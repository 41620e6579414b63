package io.unroll.nn;

import io.unroll.ShapeException;
import io.unroll.device.Span;
import io.unroll.engine.Kernels;
import java.util.Arrays;

/**
 * Looks for what each query asks for in a source, such as the outputs of an encoder: weights over
 * its steps, and the mean of the steps under these weights, the context.
 *
 * <pre>
 * Attention.Memory memory = attention.memory(encoded.y(), lengths);
 * Attention.Output found = attention.forward(decoded.y(), memory);
 * Tensor joined = Ops.tanh(combine.forward(Ops.concat(found.context(), decoded.y())));
 * </pre>
 *
 * <p>All queries are answered at once. So a decoder that attends after its recurrence (Luong, Pham
 * and Manning, "Effective approaches to attention-based neural machine translation", EMNLP 2015)
 * runs as one sequence while it is taught, and only then attends.
 */
public final class Attention {
  /** How a query q of size D and a step s of the source, of size E, make a score. */
  public enum Score {
    /** q · s; D must be E. No parameters. Luong et al. 2015. */
    DOT,
    /** q · s / √D; D must be E. No parameters. Vaswani et al., NeurIPS 2017. */
    SCALED_DOT,
    /** q · W s with {@code source.weight} [D,E]. Luong et al. 2015. */
    GENERAL,
    /**
     * v · tanh(W_q q + W_s s + b) with {@code query.weight} [D,D], {@code source.weight} [D,E],
     * {@code source.bias} [D] and {@code score.weight} [1,D]. Bahdanau, Cho and Bengio, "Neural
     * machine translation by jointly learning to align and translate", ICLR 2015.
     */
    ADDITIVE
  }

  /**
   * A source as queries see it, with what does not depend on them computed once. Valid until its
   * tape begins the next step.
   */
  public static final class Memory {
    private final Attention attention;
    private final Tensor source;
    private final Tensor keys;
    private final Indices lengths;

    private Memory(Attention attention, Tensor source, Tensor keys, Indices lengths) {
      this.attention = attention;
      this.source = source;
      this.keys = keys;
      this.lengths = lengths;
    }
  }

  /**
   * What queries found.
   *
   * @param context [T,B,E], for each query the mean of the source under its weights
   * @param weights [T,B,S], for each query its weights: at least 0, together 1, and 0 past the
   *     length of the row
   */
  public record Output(Tensor context, Tensor weights) {}

  private final Parameters parameters;
  private final Score score;
  private final String name;
  private final int querySize;
  private final int sourceSize;
  private final Linear ofSource;
  private final Linear ofQuery;

  /**
   * Adds the parameters that the score has, each uniform within 1/sqrt of what it multiplies.
   *
   * @param name goes before the names of the parameters, with a dot
   * @param querySize D, at least 1
   * @param sourceSize E, at least 1
   * @throws IllegalArgumentException if the score is a dot product and the sizes differ
   */
  public Attention(Parameters parameters, String name, Score score, int querySize, int sourceSize) {
    boolean dot = score == Score.DOT || score == Score.SCALED_DOT;
    if (dot && querySize != sourceSize) {
      throw new IllegalArgumentException(
          score
              + " needs queries and a source of one size, found "
              + querySize
              + " and "
              + sourceSize
              + "; take GENERAL or ADDITIVE");
    }
    this.parameters = parameters;
    this.name = name;
    this.score = score;
    this.querySize = querySize;
    this.sourceSize = sourceSize;
    ofSource =
        switch (score) {
          case DOT, SCALED_DOT -> null;
          case GENERAL -> Linear.withoutBias(parameters, name + ".source", sourceSize, querySize);
          case ADDITIVE -> new Linear(parameters, name + ".source", sourceSize, querySize);
        };
    boolean additive = score == Score.ADDITIVE;
    ofQuery =
        additive ? Linear.withoutBias(parameters, name + ".query", querySize, querySize) : null;
    if (additive) {
      Initializer uniform = Initializer.uniform(1 / Math.sqrt(querySize));
      parameters.add(scoreName(), uniform, 1, querySize);
    }
  }

  private String scoreName() {
    return name + ".score.weight";
  }

  /**
   * Prepares a source.
   *
   * @param source [S,B,E]; past the length of a row it must be finite, as the outputs of {@link
   *     Recurrent} are, and is not attended to
   * @param lengths [B], each from 1 to S, or null if all are S
   * @throws ShapeException if source or lengths have another shape
   * @throws IllegalArgumentException if a length is out of range
   */
  public Memory memory(Tensor source, Indices lengths) {
    requireShape("source [S,B,E]", source, sourceSize);
    if (lengths != null) {
      if (!Arrays.equals(lengths.dims(), new int[] {source.dim(1)})) {
        throw new ShapeException(
            "lengths must be [B] = ["
                + source.dim(1)
                + "], but are "
                + Arrays.toString(lengths.dims()));
      }
      lengths.requireNotDrawn("lengths");
      lengths.requireRange("lengths", 1, source.dim(0), false);
    }
    Tensor keys = ofSource == null ? source : ofSource.forward(source);
    return new Memory(this, source, keys, lengths);
  }

  /**
   * Attends to a source.
   *
   * @param queries [T,B,D]; for what is not in time, such as the hypotheses of a search, T may
   *     count these
   * @param memory what {@link #memory} of this layer made in the same step, of B rows
   * @throws ShapeException if queries is not [T,B,D] with the memory's B
   * @throws IllegalArgumentException if the memory is another layer's
   */
  public Output forward(Tensor queries, Memory memory) {
    if (memory.attention != this) {
      throw new IllegalArgumentException(
          "the memory was made by another Attention than \"" + name + "\"; use its own memory()");
    }
    requireShape("queries [T,B,D]", queries, querySize);
    if (queries.dim(1) != memory.source.dim(1)) {
      throw new ShapeException(
          "queries and source need one B, found " + queries + " and " + memory.source);
    }
    Tensor scores =
        ofQuery == null
            ? products(queries, memory.keys)
            : additiveScores(ofQuery.forward(queries), memory.keys);
    double scale = score == Score.SCALED_DOT ? 1 / Math.sqrt(querySize) : 1;
    Tensor weights = softmax(scores, memory.lengths, scale);
    return new Output(mean(weights, memory.source), weights);
  }

  private void requireShape(String what, Tensor found, int size) {
    if (found.rank() != 3 || found.dim(2) != size) {
      throw new ShapeException(
          "\"" + name + "\" needs " + what + " with " + size + " last, but it is " + found);
    }
  }

  /** The tape of a result among a and b. */
  private static Tape tapeOf(Tensor a, Tensor b) {
    Tape tape = a.tape();
    tape.owned(b);
    return tape;
  }

  /** [T,B,D] and [S,B,D] to [T,B,S]. */
  private static Tensor products(Tensor queries, Tensor keys) {
    Tape tape = tapeOf(queries, keys);
    Kernels kernels = tape.kernels();
    int t = queries.dim(0);
    int b = queries.dim(1);
    int d = queries.dim(2);
    int s = keys.dim(0);
    Tensor scores = tape.result(queries.needsGradient() || keys.needsGradient(), t, b, s);
    kernels.gemmOfEachRow(
        false, true, t, s, d, b, queries.value(), keys.value(), 0, scores.value());
    tape.record(
        scores,
        () -> {
          if (scores.hasGradient() && queries.needsGradient()) {
            double beta = queries.gradientBeta();
            kernels.gemmOfEachRow(
                false,
                false,
                t,
                d,
                s,
                b,
                scores.gradient(),
                keys.value(),
                beta,
                queries.gradient());
          }
          if (scores.hasGradient() && keys.needsGradient()) {
            double beta = keys.gradientBeta();
            kernels.gemmOfEachRow(
                true, false, s, d, t, b, scores.gradient(), queries.value(), beta, keys.gradient());
          }
        });
    return scores;
  }

  /** [T,B,D] and [S,B,D] to [T,B,S]. */
  private Tensor additiveScores(Tensor queries, Tensor keys) {
    Tape tape = tapeOf(queries, keys);
    Kernels kernels = tape.kernels();
    Tensor weight = parameters.get(scoreName());
    int b = queries.dim(1);
    Tensor scores = tape.result(true, queries.dim(0), b, keys.dim(0));
    Span v = weight.value();
    kernels.additiveScoreForward(queries.value(), keys.value(), v, scores.value(), b);
    tape.record(
        scores,
        () -> {
          if (!scores.hasGradient()) {
            return;
          }
          Span q = queries.value();
          Span k = keys.value();
          Span dScores = scores.gradient();
          Span dV = tape.arena().reals(queries.size());
          double beta = queries.gradientBeta();
          kernels.additiveScoreBackward(q, k, v, dScores, queries.gradient(), dV, b, false, beta);
          kernels.columnSum(dV, weight.gradient(), 1);
          beta = keys.gradientBeta();
          kernels.additiveScoreBackward(k, q, v, dScores, keys.gradient(), null, b, true, beta);
        });
    return scores;
  }

  private static Tensor softmax(Tensor scores, Indices lengths, double scale) {
    Tape tape = scores.tape();
    Kernels kernels = tape.kernels();
    Span counts = lengths == null ? null : lengths.value();
    int b = scores.dim(1);
    int s = scores.dim(2);
    Tensor weights = tape.result(scores.needsGradient(), scores.dims());
    kernels.softmaxForward(scores.value(), counts, weights.value(), s, b, scale);
    tape.record(
        weights,
        () -> {
          if (weights.hasGradient()) {
            double beta = scores.gradientBeta();
            Span dWeights = weights.gradient();
            kernels.softmaxBackward(
                weights.value(), dWeights, counts, scores.gradient(), s, b, scale, beta);
          }
        });
    return weights;
  }

  /** [T,B,S] and [S,B,E] to [T,B,E]. */
  private static Tensor mean(Tensor weights, Tensor source) {
    Tape tape = tapeOf(weights, source);
    Kernels kernels = tape.kernels();
    int t = weights.dim(0);
    int b = weights.dim(1);
    int s = weights.dim(2);
    int e = source.dim(2);
    Tensor context = tape.result(weights.needsGradient() || source.needsGradient(), t, b, e);
    kernels.gemmOfEachRow(
        false, false, t, e, s, b, weights.value(), source.value(), 0, context.value());
    tape.record(
        context,
        () -> {
          if (context.hasGradient() && weights.needsGradient()) {
            double beta = weights.gradientBeta();
            kernels.gemmOfEachRow(
                false,
                true,
                t,
                s,
                e,
                b,
                context.gradient(),
                source.value(),
                beta,
                weights.gradient());
          }
          if (context.hasGradient() && source.needsGradient()) {
            double beta = source.gradientBeta();
            kernels.gemmOfEachRow(
                true,
                false,
                s,
                e,
                t,
                b,
                weights.value(),
                context.gradient(),
                beta,
                source.gradient());
          }
        });
    return context;
  }
}
