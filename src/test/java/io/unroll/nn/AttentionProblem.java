package io.unroll.nn;

import io.unroll.Backend;
import io.unroll.Philox;
import io.unroll.reference.Arithmetic;
import io.unroll.reference.ReferenceAttention;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * An attention problem with random float32 data, solved by the oracle or by a backend; the results
 * are context, weights, and the gradients of queries, source and every parameter.
 */
record AttentionProblem(
    Attention.Score score,
    int steps,
    int batch,
    int sourceSteps,
    int querySize,
    int sourceSize,
    boolean ragged,
    long seed) {

  private double[] random(String name, int count) {
    long stream = seed * 1_000_003 + name.hashCode();
    return IntStream.range(0, count)
        .mapToDouble(i -> (float) (2.0 * Philox.uniform(stream, i) - 1))
        .toArray();
  }

  private double[] queries() {
    return random("q", steps * batch * querySize);
  }

  private double[] source() {
    return random("s", sourceSteps * batch * sourceSize);
  }

  private double[] dContext() {
    return random("dC", steps * batch * sourceSize);
  }

  private int[] lengths() {
    return ragged
        ? IntStream.range(0, batch)
            .map(b -> 1 + Math.floorMod(Philox.bits(seed, b), sourceSteps))
            .toArray()
        : null;
  }

  private Map<String, double[]> weights() {
    Map<String, double[]> weights = new LinkedHashMap<>();
    if (score == Attention.Score.GENERAL || score == Attention.Score.ADDITIVE) {
      weights.put("a.source.weight", random("W", querySize * sourceSize));
    }
    if (score == Attention.Score.ADDITIVE) {
      weights.put("a.source.bias", random("b", querySize));
      weights.put("a.query.weight", random("Wq", querySize * querySize));
      weights.put("a.score.weight", random("v", querySize));
    }
    return weights;
  }

  /** The oracle's results by name. */
  Map<String, double[]> oracle(Arithmetic arithmetic) {
    Map<String, double[]> weights = weights();
    Projection ofQuery =
        new Projection(arithmetic, weights.get("a.query.weight"), null, querySize, querySize);
    Projection ofSource =
        new Projection(
            arithmetic,
            weights.get("a.source.weight"),
            weights.get("a.source.bias"),
            sourceSize,
            querySize);
    ReferenceAttention attention = new ReferenceAttention(arithmetic);
    double scale = score == Attention.Score.SCALED_DOT ? 1 / Math.sqrt(querySize) : 1;
    ReferenceAttention.Forward forward =
        attention.forward(
            new ReferenceAttention.Source(
                batch,
                ofSource.forward(source()),
                source(),
                lengths(),
                scale,
                weights.get("a.score.weight")),
            ofQuery.forward(queries()),
            steps);
    ReferenceAttention.Gradients gradients = attention.backward(forward, dContext());
    double[] dSource = ofSource.backward(source(), gradients.dKeys());
    for (int i = 0; i < dSource.length; i++) {
      dSource[i] = arithmetic.add(dSource[i], gradients.dSource()[i]);
    }
    Map<String, double[]> results = new LinkedHashMap<>();
    results.put("context", forward.context());
    results.put("weights", forward.weights());
    results.put("dQueries", ofQuery.backward(queries(), gradients.dQueries()));
    results.put("dSource", dSource);
    if (weights.containsKey("a.source.weight")) {
      results.put("da.source.weight", ofSource.dWeight);
    }
    if (score == Attention.Score.ADDITIVE) {
      results.put("da.source.bias", ofSource.dBias);
      results.put("da.query.weight", ofQuery.dWeight);
      results.put("da.score.weight", gradients.dV());
    }
    return results;
  }

  /** A backend's results by the same names. */
  Map<String, double[]> solve(Backend backend) {
    try (Parameters parameters = new Parameters(backend, 0);
        Tape tape = new Tape(backend)) {
      Attention attention = new Attention(parameters, "a", score, querySize, sourceSize);
      weights().forEach(parameters::set);
      tape.begin(Tape.Mode.TRAINING);
      if (parameters.size() > 0) {
        parameters.zeroGradients();
      }
      Tensor queries = tape.input(queries(), steps, batch, querySize).withGradient();
      Tensor source = tape.input(source(), sourceSteps, batch, sourceSize).withGradient();
      Indices lengths = ragged ? tape.indices(lengths(), batch) : null;
      Attention.Output found = attention.forward(queries, attention.memory(source, lengths));
      Tensor dContext = tape.input(dContext(), steps, batch, sourceSize);
      tape.backward(List.of(found.context()), List.of(dContext));
      Map<String, double[]> results = new LinkedHashMap<>();
      results.put("context", found.context().toDoubles());
      results.put("weights", found.weights().toDoubles());
      results.put("dQueries", queries.gradientToDoubles());
      results.put("dSource", source.gradientToDoubles());
      for (String name : parameters.names()) {
        results.put("d" + name, parameters.get(name).gradientToDoubles());
      }
      return results;
    }
  }

  /** y = x W^T + b in plain loops; the identity without W. */
  private static final class Projection {
    private final Arithmetic arithmetic;
    private final double[] weight;
    private final double[] bias;
    private final int in;
    private final int out;
    final double[] dWeight;
    final double[] dBias;

    Projection(Arithmetic arithmetic, double[] weight, double[] bias, int in, int out) {
      this.arithmetic = arithmetic;
      this.weight = weight;
      this.bias = bias;
      this.in = in;
      this.out = out;
      dWeight = new double[in * out];
      dBias = new double[out];
    }

    double[] forward(double[] x) {
      if (weight == null) {
        return x;
      }
      double[] y = new double[x.length / in * out];
      for (int i = 0; i < y.length; i++) {
        for (int k = 0; k < in; k++) {
          y[i] = arithmetic.multiplyAdd(y[i], x[i / out * in + k], weight[i % out * in + k]);
        }
        y[i] = bias == null ? y[i] : arithmetic.add(y[i], bias[i % out]);
      }
      return y;
    }

    double[] backward(double[] x, double[] dY) {
      if (weight == null) {
        return dY;
      }
      double[] dX = new double[x.length];
      for (int i = 0; i < dY.length; i++) {
        dBias[i % out] = arithmetic.add(dBias[i % out], dY[i]);
        for (int k = 0; k < in; k++) {
          int from = i / out * in + k;
          int of = i % out * in + k;
          dX[from] = arithmetic.multiplyAdd(dX[from], dY[i], weight[of]);
          dWeight[of] = arithmetic.multiplyAdd(dWeight[of], dY[i], x[from]);
        }
      }
      return dX;
    }
  }
}
